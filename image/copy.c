#include "image/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/endian.h"
#include "base/fdio.h"
#include "base/zero.h"
#include "image/sparse.h"

static const char task[] = "Copying";

enum { chunk_size = 1 << 20, range_step = 16 << 20 };

/* One copy of a file: its ends, and how its data gets across. */
struct copy {
    int in_fd;
    const char *in_name;
    int out_fd;
    const char *out_name;
    uint64_t size;
    struct reporter *reporter;
    bool no_range;  /* copy_file_range() does not work between the two */
    uint8_t *chunk; /* for copying by hand, allocated when first needed */
};

static void copy_release(struct copy *copy)
{
    free(copy->chunk);
}

/* At most `length` bytes. *ret: how many were copied, 0 where the kernel cannot do it. */
static int copy_by_kernel(struct copy *copy, uint64_t offset, uint64_t length, uint64_t *ret,
                          struct error **err)
{
    loff_t from = (loff_t)offset, to = (loff_t)offset;
    ssize_t n;
    *ret = 0;
    do
        n = copy_file_range(copy->in_fd, &from, copy->out_fd, &to, (size_t)length, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP &&
        errno != EPERM && errno != ETXTBSY)
        return error_sys(err, errno, "%s: cannot copy %s", copy->out_name, copy->in_name);
    /* Some kernels return 0 for files whose file system reports a wrong size (procfs, old FUSE). */
    if (n <= 0)
        copy->no_range = true;
    else
        *ret = (uint64_t)n;
    return 0;
}

static int copy_by_hand(struct copy *copy, uint64_t offset, uint64_t length, uint64_t *ret,
                        struct error **err)
{
    size_t count = (size_t)min_u64(length, chunk_size);
    if (!copy->chunk && !(copy->chunk = malloc(chunk_size)))
        return error_oom(err);
    int r = fd_pread_full(copy->in_fd, copy->chunk, count, offset, copy->in_name, err);
    if (r == 0)
        r = fd_pwrite_full(copy->out_fd, copy->chunk, count, offset, copy->out_name, err);
    *ret = count;
    return r;
}

static int copy_data(struct copy *copy, uint64_t offset, uint64_t end, struct error **err)
{
    while (offset < end) {
        uint64_t done = 0;
        int r = 0;
        if (!copy->no_range)
            r = copy_by_kernel(copy, offset, min_u64(end - offset, range_step), &done, err);
        if (r == 0 && done == 0)
            r = copy_by_hand(copy, offset, end - offset, &done, err);
        if (r < 0)
            return r;
        offset += done;
        if (offset < copy->size)
            report_progress(copy->reporter, task, offset, copy->size);
    }
    return 0;
}

/* The next run of data at or after offset; *ret_start == size when there is none. */
static int next_data(const struct copy *copy, uint64_t offset, uint64_t *ret_start,
                     uint64_t *ret_end, struct error **err)
{
    *ret_start = *ret_end = copy->size;
    off_t start = lseek(copy->in_fd, (off_t)offset, SEEK_DATA);
    if (start < 0 && errno == ENXIO)
        return 0;
    /* A file system without holes: everything is data. */
    if (start < 0 && (errno == EINVAL || errno == EOPNOTSUPP)) {
        *ret_start = offset;
        return 0;
    }
    if (start < 0)
        return error_sys(err, errno, "%s: cannot look for holes", copy->in_name);
    off_t end = lseek(copy->in_fd, start, SEEK_HOLE);
    *ret_start = min_u64((uint64_t)start, copy->size);
    if (end > start)
        *ret_end = min_u64((uint64_t)end, copy->size);
    return 0;
}

static int copy_runs(struct copy *copy, struct error **err)
{
    for (uint64_t offset = 0; offset < copy->size;) {
        uint64_t start, end;
        int r = next_data(copy, offset, &start, &end, err);
        if (r == 0)
            r = copy_data(copy, start, end, err);
        if (r < 0)
            return r;
        offset = end;
    }
    return 0;
}

int copy_file_sparse(int in_fd, const char *in_name, int out_fd, const char *out_name,
                     struct reporter *reporter, enum copy_method *ret_method, struct error **err)
{
    _cleanup_(copy_release) struct copy copy = {
        .in_fd = in_fd,
        .in_name = in_name,
        .out_fd = out_fd,
        .out_name = out_name,
        .reporter = reporter,
    };
    enum copy_method method = COPY_REFLINK;
    struct stat st;
    if (fstat(in_fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", in_name);
    if (!S_ISREG(st.st_mode))
        return error_set(err, EINVAL, "%s: is not a regular file", in_name);
    int r = sparse_check_empty(out_fd, out_name, err);
    if (r < 0)
        return r;
    copy.size = (uint64_t)st.st_size;
    if (ioctl(out_fd, FICLONE, in_fd) < 0) {
        method = COPY_SPARSE;
        /* The size first: a full disk or a file size limit is found before anything is copied. */
        r = sparse_finish(out_fd, copy.size, out_name, err);
        if (r == 0)
            r = copy_runs(&copy, err);
        if (r < 0)
            return r;
    }
    report_progress(reporter, task, copy.size, copy.size);
    if (ret_method)
        *ret_method = method;
    return 0;
}

/* What is done with one piece of a block source's data. */
typedef int (*piece_fn)(void *context, const void *data, size_t count, uint64_t offset,
                        struct error **err);

static int walk_run(struct block *block, uint8_t *chunk, uint64_t offset, uint64_t length,
                    piece_fn piece, void *context, struct error **err)
{
    while (length > 0) {
        size_t count = (size_t)min_u64(length, chunk_size);
        int r = block_pread(block, chunk, count, offset, err);
        if (r == 0)
            r = piece(context, chunk, count, offset, err);
        if (r < 0)
            return r;
        offset += count;
        length -= count;
    }
    return 0;
}

/* Hands the data of the block over in order, without the holes. */
static int walk_block(struct block *block, piece_fn piece, void *context, struct error **err)
{
    _cleanup_free_ uint8_t *chunk = malloc(chunk_size);
    if (!chunk)
        return error_oom(err);
    for (uint64_t offset = 0; offset < block->size;) {
        enum block_state state;
        uint64_t length;
        int r = block_extent(block, offset, block->size - offset, &state, &length, err);
        if (r == 0 && state == BLOCK_DATA)
            r = walk_run(block, chunk, offset, length, piece, context, err);
        if (r < 0)
            return r;
        offset += length;
    }
    return 0;
}

struct raw_output {
    int fd;
    const char *name;
    uint64_t size;
    struct reporter *reporter;
};

static int write_piece(void *context, const void *data, size_t count, uint64_t offset,
                       struct error **err)
{
    const struct raw_output *out = context;
    int r = sparse_write(out->fd, data, count, offset, out->name, err);
    if (r == 0 && offset + count < out->size)
        report_progress(out->reporter, task, offset + count, out->size);
    return r;
}

int copy_block_to_raw(struct block *block, int out_fd, const char *out_name,
                      struct reporter *reporter, struct error **err)
{
    struct raw_output out = {out_fd, out_name, block->size, reporter};
    int r = sparse_check_empty(out_fd, out_name, err);
    if (r == 0)
        r = sparse_finish(out_fd, block->size, out_name, err);
    if (r == 0)
        r = walk_block(block, write_piece, &out, err);
    if (r == 0)
        report_progress(reporter, task, block->size, block->size);
    return r;
}

enum { sector_size = 512 };

/* Sectors are the smallest units that any format tells apart, so that what is hashed does not
 * depend on where its runs of data happen to begin. */
static int hash_piece(void *context, const void *data, size_t count, uint64_t offset,
                      struct error **err)
{
    struct digest *digest = context;
    const uint8_t *bytes = data;
    (void)err;
    for (size_t done = 0; done < count; done += sector_size) {
        size_t length = (size_t)min_u64(count - done, sector_size);
        if (bytes_are_zero(bytes + done, length))
            continue;
        le64_t place = le64_put(offset + done);
        digest_update(digest, &place, sizeof(place));
        digest_update(digest, bytes + done, length);
    }
    return 0;
}

int block_digest(struct block *block, enum digest_kind kind, char *hex, struct error **err)
{
    _cleanup_digest_ struct digest *digest = NULL;
    le64_t size = le64_put(block->size);
    int r = digest_new(kind, &digest, err);
    if (r == 0)
        r = walk_block(block, hash_piece, digest, err);
    if (r < 0)
        return r;
    digest_update(digest, &size, sizeof(size));
    return digest_finish(digest, hex, err);
}
