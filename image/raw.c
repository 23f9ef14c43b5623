/* Raw images: the file (or host block device) is the disk. */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "image/image.h"

struct raw {
    struct block block;
    int fd;
};

static int raw_pread(struct block *block, void *buf, size_t count, uint64_t offset,
                     struct error **err)
{
    const struct raw *raw = (const struct raw *)block;
    return fd_pread_full(raw->fd, buf, count, offset, block->name, err);
}

static int raw_pwrite(struct block *block, const void *buf, size_t count, uint64_t offset,
                      struct error **err)
{
    const struct raw *raw = (const struct raw *)block;
    return fd_pwrite_full(raw->fd, buf, count, offset, block->name, err);
}

static int raw_flush(struct block *block, struct error **err)
{
    const struct raw *raw = (const struct raw *)block;
    if (fdatasync(raw->fd) < 0)
        return error_sys(err, errno, "%s: cannot flush", block->name);
    return 0;
}

/* On a block device the kernel discards where the device promises zeroes, and writes them where it
 * does not. */
static int raw_discard(struct block *block, uint64_t offset, uint64_t length, struct error **err)
{
    const struct raw *raw = (const struct raw *)block;
    static const int modes[] = {FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE};
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        if (fallocate(raw->fd, modes[i], (off_t)offset, (off_t)length) == 0)
            return 0;
        /* EINVAL: a device whose sectors are larger than the range's bounds. */
        if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
            return error_sys(err, errno, "%s: cannot punch a hole", block->name);
    }
    return -EOPNOTSUPP;
}

static int raw_extent(struct block *block, uint64_t offset, uint64_t length, enum block_state *ret,
                      uint64_t *ret_length, struct error **err)
{
    const struct raw *raw = (const struct raw *)block;
    *ret = BLOCK_DATA;
    *ret_length = length;
    off_t data = lseek(raw->fd, (off_t)offset, SEEK_DATA);
    if (data < 0 && errno == ENXIO) {
        *ret = BLOCK_ZERO;
        return 0;
    }
    /* Block devices and some file systems know no holes: all is data. */
    if (data < 0)
        return errno == EINVAL || errno == EOPNOTSUPP
                   ? 0
                   : error_sys(err, errno, "%s: cannot look for holes", block->name);
    if ((uint64_t)data > offset) {
        *ret = BLOCK_ZERO;
        *ret_length = min_u64(length, (uint64_t)data - offset);
        return 0;
    }
    off_t hole = lseek(raw->fd, (off_t)offset, SEEK_HOLE);
    if (hole > (off_t)offset)
        *ret_length = min_u64(length, (uint64_t)hole - offset);
    return 0;
}

static void raw_close(struct block *block)
{
    struct raw *raw = (struct raw *)block;
    close(raw->fd);
}

static const struct block_ops raw_ops = {
    .name = "raw",
    .pread = raw_pread,
    .pwrite = raw_pwrite,
    .flush = raw_flush,
    .extent = raw_extent,
    .discard = raw_discard,
    .close = raw_close,
};

static int file_size(int fd, const char *name, uint64_t *ret, struct error **err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", name);
    if (S_ISREG(st.st_mode)) {
        *ret = (uint64_t)st.st_size;
        return 0;
    }
    if (S_ISBLK(st.st_mode)) {
        if (ioctl(fd, BLKGETSIZE64, ret) < 0)
            return error_sys(err, errno, "%s: cannot tell the size of the device", name);
        return 0;
    }
    if (S_ISDIR(st.st_mode))
        return error_set(err, EISDIR, "%s: is a directory, not a disk image", name);
    return error_set(err, EINVAL, "%s: is neither a file nor a block device", name);
}

int block_from_fd(int fd, const char *name, bool writable, struct block **ret, struct error **err)
{
    _cleanup_close_ int owned = fd;
    uint64_t size = 0;
    int r = file_size(owned, name, &size, err);
    if (r < 0)
        return r;
    _cleanup_free_ struct raw *raw = calloc(1, sizeof(*raw));
    if (!raw)
        return error_oom(err);
    raw->block.name = strdup(name);
    if (!raw->block.name)
        return error_oom(err);
    raw->block.ops = &raw_ops;
    raw->block.size = size;
    raw->block.writable = writable;
    raw->fd = TAKE_FD(owned);
    *ret = &TAKE_PTR(raw)->block;
    return 0;
}
