#include "guest/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "base/zero.h"

static const char sink_name[] = "the file to download to";

void sink_open(int fd, struct sink *ret)
{
    struct stat st;
    off_t at = lseek(fd, 0, SEEK_CUR);
    int flags = fcntl(fd, F_GETFL);
    *ret = (struct sink){
        .fd = fd,
        .sparse = at >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && at >= st.st_size &&
                  flags >= 0 && !(flags & O_APPEND),
    };
}

static int skip(struct sink *sink, struct error **err)
{
    if (sink->skipped == 0)
        return 0;
    if (sink->skipped > INT64_MAX || lseek(sink->fd, (off_t)sink->skipped, SEEK_CUR) < 0)
        return error_sys(err, EFBIG, "cannot write %s", sink_name);
    sink->skipped = 0;
    return 0;
}

int sink_data(struct sink *sink, const void *data, size_t size, struct error **err)
{
    int r = skip(sink, err);
    return r < 0 ? r : fd_write_full(sink->fd, data, size, sink_name, err);
}

int sink_zeroes(struct sink *sink, uint64_t count, struct error **err)
{
    static const uint8_t zeroes[4096];
    if (sink->sparse) {
        if (!checked_add(sink->skipped, count, &sink->skipped))
            return error_set(err, EFBIG, "a file's hole is too large");
        return 0;
    }
    while (count > 0) {
        size_t part = (size_t)min_u64(count, sizeof(zeroes));
        int r = fd_write_full(sink->fd, zeroes, part, sink_name, err);
        if (r < 0)
            return r;
        count -= part;
    }
    return 0;
}

int sink_data_sparse(struct sink *sink, const void *data, size_t size, struct error **err)
{
    const size_t block = 4096;
    for (const uint8_t *in = data; size > 0;) {
        bool zero = bytes_are_zero(in, size < block ? size : block);
        size_t run = 0;
        while (run < size &&
               bytes_are_zero(in + run, size - run < block ? size - run : block) == zero)
            run += size - run < block ? size - run : block;
        int r = zero ? sink_zeroes(sink, run, err) : sink_data(sink, in, run, err);
        if (r < 0)
            return r;
        in += run;
        size -= run;
    }
    return 0;
}

int sink_end(struct sink *sink, struct error **err)
{
    if (sink->skipped == 0)
        return 0;
    int r = skip(sink, err);
    if (r < 0)
        return r;
    off_t end = lseek(sink->fd, 0, SEEK_CUR);
    if (end < 0 || ftruncate(sink->fd, end) < 0)
        return error_sys(err, errno, "cannot write %s", sink_name);
    return 0;
}
