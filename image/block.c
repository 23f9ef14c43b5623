#include "image/block.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "base/checked.h"

static int check_range(const struct block *block, uint64_t offset, uint64_t length,
                       struct error **err)
{
    if (range_within(offset, length, block->size))
        return 0;
    return error_set(err, EINVAL,
                     "%s: %" PRIu64 " bytes at offset %" PRIu64
                     " lie beyond the end of the disk (%" PRIu64 " bytes)",
                     block->name, length, offset, block->size);
}

int block_pread(struct block *block, void *buf, size_t count, uint64_t offset, struct error **err)
{
    int r = check_range(block, offset, count, err);
    if (r < 0 || count == 0)
        return r;
    return block->ops->pread(block, buf, count, offset, err);
}

int block_pwrite(struct block *block, const void *buf, size_t count, uint64_t offset,
                 struct error **err)
{
    if (!block->writable || !block->ops->pwrite)
        return error_set(err, EROFS, "%s: was opened for reading only", block->name);
    int r = check_range(block, offset, count, err);
    if (r < 0 || count == 0)
        return r;
    return block->ops->pwrite(block, buf, count, offset, err);
}

int block_flush(struct block *block, struct error **err)
{
    if (!block->writable || !block->ops->flush)
        return 0;
    return block->ops->flush(block, err);
}

/* For kinds that know no holes. */
static int write_zeroes(struct block *block, uint64_t offset, uint64_t length, struct error **err)
{
    size_t room = (size_t)min_u64(length, 1u << 20);
    _cleanup_free_ void *zeroes = calloc(1, room);
    if (!zeroes)
        return error_oom(err);
    while (length > 0) {
        size_t part = (size_t)min_u64(length, room);
        int r = block->ops->pwrite(block, zeroes, part, offset, err);
        if (r < 0)
            return r;
        offset += part;
        length -= part;
    }
    return 0;
}

int block_discard(struct block *block, uint64_t offset, uint64_t length, struct error **err)
{
    if (!block->writable || !block->ops->pwrite)
        return error_set(err, EROFS, "%s: was opened for reading only", block->name);
    int r = check_range(block, offset, length, err);
    if (r < 0 || length == 0)
        return r;
    r = block->ops->discard ? block->ops->discard(block, offset, length, err) : -EOPNOTSUPP;
    return r == -EOPNOTSUPP ? write_zeroes(block, offset, length, err) : r;
}

int block_extent(struct block *block, uint64_t offset, uint64_t length, enum block_state *ret,
                 uint64_t *ret_length, struct error **err)
{
    int r = check_range(block, offset, length, err);
    if (r < 0)
        return r;
    if (length == 0)
        return error_set(err, EINVAL, "%s: an empty range has no state", block->name);
    enum block_state state = BLOCK_DATA;
    uint64_t run = length;
    if (block->ops->extent) {
        r = block->ops->extent(block, offset, length, &state, &run, err);
        if (r < 0)
            return r;
        assert(run > 0 && run <= length);
    }
    *ret = state;
    *ret_length = run;
    return 0;
}

void block_close(struct block *block)
{
    if (!block)
        return;
    if (block->ops->close)
        block->ops->close(block);
    free(block->name);
    free(block);
}
