#include "image/sparse.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/zero.h"

int sparse_write(int fd, const void *buf, size_t count, uint64_t offset, const char *name,
                 struct error **err)
{
    const uint8_t *bytes = buf;
    size_t run = 0; /* where the data not yet written begins */
    for (size_t at = 0; at < count;) {
        size_t part = count - at < SPARSE_BLOCK ? count - at : SPARSE_BLOCK;
        bool zero = bytes_are_zero(bytes + at, part);
        if (zero && run < at) {
            int r = fd_pwrite_full(fd, bytes + run, at - run, offset + run, name, err);
            if (r < 0)
                return r;
        }
        at += part;
        if (zero)
            run = at;
    }
    return run < count ? fd_pwrite_full(fd, bytes + run, count - run, offset + run, name, err) : 0;
}

int sparse_check_empty(int fd, const char *name, struct error **err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot write", name);
    if (!S_ISREG(st.st_mode))
        return error_set(err, EINVAL, "%s: is not a regular file", name);
    if (st.st_size != 0)
        return error_set(err, EINVAL, "%s: is not empty", name);
    return 0;
}

int sparse_finish(int fd, uint64_t size, const char *name, struct error **err)
{
    if (size > INT64_MAX)
        return error_set(err, EFBIG, "%s: %" PRIu64 " bytes are more than a file can have", name,
                         size);
    if (ftruncate(fd, (off_t)size) < 0)
        return error_sys(err, errno, "%s: cannot be made %" PRIu64 " bytes long", name, size);
    return 0;
}
