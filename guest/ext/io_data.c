/* The channel's other side: contents, which bypass the cache, and what is written out in the end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "guest/ext/io_channel.h"

#define WRITE_RUN_MAX ((size_t)1 << 20) /* bytes written to the block source at once */

int ext_io_read_data(io_channel channel, uint64_t block, uint64_t count, void *buf,
                     struct error **err)
{
    struct ext_io *io = ext_io_of(channel);
    size_t size = (size_t)channel->block_size;
    uint64_t offset;
    if (!ext_io_locate(channel, block, count * size, &offset))
        return error_set(err, EUCLEAN, "a file's blocks lie outside its file system");
    int r = block_pread(io->source->block, buf, count * size, offset, err);
    if (r < 0)
        return r;
    /* Blocks of a link's target, for one, are written through libext2fs. */
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *data = ext_cache_find(io->cache, block + i);
        if (data)
            memcpy((uint8_t *)buf + i * size, data, size);
    }
    return 0;
}

int ext_io_write_data(io_channel channel, uint64_t block, uint64_t count, const void *buf,
                      struct error **err)
{
    struct ext_io *io = ext_io_of(channel);
    size_t size = (size_t)channel->block_size;
    uint64_t offset;
    if (!ext_io_locate(channel, block, count * size, &offset))
        return error_set(err, EUCLEAN, "a file's blocks lie outside its file system");
    for (uint64_t i = 0; i < count; i++)
        ext_cache_forget(io->cache, block + i);
    return block_pwrite(io->source->block, buf, count * size, offset, err);
}

/* Writes blocks[0..count), sorted, as few large pieces. */
static int write_sorted(io_channel channel, const uint64_t *blocks, size_t count, uint8_t *run,
                        struct error **err)
{
    struct ext_io *io = ext_io_of(channel);
    size_t size = (size_t)channel->block_size;
    for (size_t i = 0; i < count;) {
        size_t n = 0;
        while (i + n < count && blocks[i + n] == blocks[i] + n && (n + 1) * size <= WRITE_RUN_MAX) {
            memcpy(run + n * size, ext_cache_find(io->cache, blocks[i + n]), size);
            n++;
        }
        uint64_t offset = io->source->offset + blocks[i] * size;
        int r = block_pwrite(io->source->block, run, n * size, offset, err);
        if (r < 0)
            return r;
        i += n;
    }
    return 0;
}

int ext_io_commit(io_channel channel, const void *guard, struct error **err)
{
    struct ext_io *io = ext_io_of(channel);
    size_t size = (size_t)channel->block_size, count;
    _cleanup_free_ uint64_t *blocks = NULL;
    if (ext_cache_dirty_bytes(io->cache) == 0)
        return 0;
    /* The guard has to be replaced in the end even if the superblock itself did not change. */
    uint64_t super = SUPERBLOCK_OFFSET / size;
    uint8_t *unused;
    if (ext_io_cached(channel, super, &unused))
        return error_set(err, EIO, "cannot read the superblock");
    size_t room = (size_t)min_u64(WRITE_RUN_MAX, ext_cache_dirty_bytes(io->cache) + size);
    _cleanup_free_ uint8_t *run = malloc(room);
    ext_cache_dirty(io->cache, super);
    if (!run || ext_cache_list_dirty(io->cache, &blocks, &count) < 0)
        return error_oom(err);

    int r = block_pwrite(io->source->block, guard, SUPERBLOCK_SIZE,
                         io->source->offset + SUPERBLOCK_OFFSET, err);
    if (r < 0)
        return r;
    /* The superblock is in one of the first two blocks: what is behind it goes first. */
    size_t skip = 0;
    while (skip < count && blocks[skip] <= super)
        skip++;
    r = write_sorted(channel, blocks + skip, count - skip, run, err);
    if (r == 0)
        r = write_sorted(channel, blocks, skip, run, err);
    if (r == 0)
        ext_cache_all_clean(io->cache);
    return r;
}

uint64_t ext_io_superblock(io_channel channel)
{
    return ext_io_of(channel)->source->offset + SUPERBLOCK_OFFSET;
}
