#include "guest/ext/io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "guest/ext/io_channel.h"

void ext_io_name(const struct ext_source *source, char name[static EXT_IO_NAME_MAX])
{
    /* open() of an io_manager gets nothing but a name; inode_io of libext2fs does the same. */
    snprintf(name, EXT_IO_NAME_MAX, "%" PRIxPTR, (uintptr_t)source);
}

static errcode_t keep_error(struct ext_io *io, struct error *error)
{
    int errnum = error ? error_errno(error) : EIO;
    error_free(io->error);
    io->error = error;
    return errnum;
}

bool ext_io_locate(io_channel channel, uint64_t block, uint64_t bytes, uint64_t *ret_offset)
{
    const struct ext_io *io = ext_io_of(channel);
    uint64_t offset;
    if (!checked_mul(block, (uint64_t)channel->block_size, &offset))
        return false;
    if (!range_within(offset, bytes, io->source->length))
        return false;
    *ret_offset = io->source->offset + offset;
    return true;
}

static errcode_t source_read(struct ext_io *io, io_channel channel, uint64_t block, uint64_t bytes,
                             void *buf)
{
    uint64_t offset;
    if (!ext_io_locate(channel, block, bytes, &offset))
        return EXT2_ET_SHORT_READ;
    struct error *error = NULL;
    if (block_pread(io->source->block, buf, bytes, offset, &error) < 0)
        return keep_error(io, error);
    return 0;
}

errcode_t ext_io_cached(io_channel channel, uint64_t block, uint8_t **ret)
{
    struct ext_io *io = ext_io_of(channel);
    if (io->budget == 0)
        return EXT2_ET_CANCEL_REQUESTED;
    io->budget--;
    uint8_t *data = ext_cache_find(io->cache, block);
    if (!data) {
        data = ext_cache_insert(io->cache, block);
        if (!data)
            return EXT2_ET_NO_MEMORY;
        errcode_t code = source_read(io, channel, block, (uint64_t)channel->block_size, data);
        if (code) {
            ext_cache_drop(io->cache, block);
            return code;
        }
    }
    *ret = data;
    return 0;
}

/* libext2fs counts in blocks, or, when the count is negative, in bytes. */
static size_t byte_count(io_channel channel, int count)
{
    return count < 0 ? (size_t) - (int64_t)count : (size_t)count * (size_t)channel->block_size;
}

/* How many of `count` blocks that follow each other are not held. */
static uint64_t missing_run(struct ext_io *io, uint64_t block, uint64_t count)
{
    uint64_t run = 0;
    while (run < count && !ext_cache_find(io->cache, block + run))
        run++;
    return run;
}

/* Several blocks at once, none of which is held: the group descriptors, for one. */
static errcode_t read_run(io_channel channel, uint64_t block, uint64_t count, uint8_t *out)
{
    struct ext_io *io = ext_io_of(channel);
    size_t size = (size_t)channel->block_size;
    if (io->budget < count)
        return EXT2_ET_CANCEL_REQUESTED;
    io->budget -= count;
    errcode_t code = source_read(io, channel, block, count * size, out);
    for (uint64_t i = 0; !code && i < count; i++) {
        uint8_t *data = ext_cache_insert(io->cache, block + i);
        if (!data)
            return EXT2_ET_NO_MEMORY;
        memcpy(data, out + i * size, size);
    }
    return code;
}

static errcode_t read_blocks(io_channel channel, unsigned long long block, int count, void *buf)
{
    struct ext_io *io = ext_io_of(channel);
    size_t left = byte_count(channel, count), size = (size_t)channel->block_size;
    for (uint8_t *out = buf; left > 0;) {
        uint64_t run = left >= 2 * size ? missing_run(io, block, left / size) : 0;
        size_t part = left < size ? left : size;
        uint8_t *data;
        errcode_t code =
            run > 1 ? read_run(channel, block, run, out) : ext_io_cached(channel, block, &data);
        if (code)
            return code;
        if (run > 1)
            part = run * size;
        else
            memcpy(out, data, part);
        block += run > 1 ? run : 1;
        out += part;
        left -= part;
    }
    return 0;
}

/* Changes `part` bytes within one block of the cache. A block replaced as a whole is not read. */
static errcode_t write_within(io_channel channel, uint64_t block, size_t at, const void *buf,
                              size_t part)
{
    struct ext_io *io = ext_io_of(channel);
    uint64_t unused;
    if (!ext_io_locate(channel, block, (uint64_t)channel->block_size, &unused))
        return EXT2_ET_SHORT_WRITE;
    uint8_t *data = ext_cache_find(io->cache, block);
    if (!data && part == (size_t)channel->block_size) {
        if (!ext_cache_insert(io->cache, block))
            return EXT2_ET_NO_MEMORY;
    } else {
        errcode_t code = data ? 0 : ext_io_cached(channel, block, &data);
        if (code)
            return code;
        /* libext2fs writes whole tables of which little has changed. */
        if (memcmp(data + at, buf, part) == 0)
            return 0;
    }
    memcpy(ext_cache_dirty(io->cache, block) + at, buf, part);
    return 0;
}

static errcode_t write_blocks(io_channel channel, unsigned long long block, int count,
                              const void *buf)
{
    if (!ext_io_of(channel)->source->writable)
        return EXT2_ET_RO_FILSYS;
    size_t left = byte_count(channel, count), size = (size_t)channel->block_size;
    for (const uint8_t *in = buf; left > 0; block++) {
        size_t part = left < size ? left : size;
        errcode_t code = write_within(channel, block, 0, in, part);
        if (code)
            return code;
        in += part;
        left -= part;
    }
    return 0;
}

static errcode_t write_bytes(io_channel channel, unsigned long offset, int count, const void *buf)
{
    if (!ext_io_of(channel)->source->writable)
        return EXT2_ET_RO_FILSYS;
    size_t size = (size_t)channel->block_size, left = (size_t)count;
    for (const uint8_t *in = buf; left > 0;) {
        size_t at = offset % size;
        size_t part = left < size - at ? left : size - at;
        errcode_t code = write_within(channel, offset / size, at, in, part);
        if (code)
            return code;
        in += part;
        offset += part;
        left -= part;
    }
    return 0;
}

static errcode_t read_blocks_32(io_channel channel, unsigned long block, int count, void *buf)
{
    return read_blocks(channel, block, count, buf);
}

static errcode_t write_blocks_32(io_channel channel, unsigned long block, int count,
                                 const void *buf)
{
    return write_blocks(channel, block, count, buf);
}

static errcode_t set_block_size(io_channel channel, int size)
{
    struct ext_io *io = ext_io_of(channel);
    if (size == channel->block_size)
        return 0;
    /* Only while a file system is being opened: nothing was written yet. */
    struct ext_cache *cache = ext_cache_new((size_t)size);
    if (!cache)
        return EXT2_ET_NO_MEMORY;
    ext_cache_free(io->cache);
    io->cache = cache;
    channel->block_size = size;
    return 0;
}

/* ext_io_commit() is what writes. */
static errcode_t flush_nothing(io_channel channel)
{
    (void)channel;
    return 0;
}

static errcode_t close_channel(io_channel channel)
{
    if (--channel->refcount > 0)
        return 0;
    struct ext_io *io = ext_io_of(channel);
    if (io) {
        ext_cache_free(io->cache);
        error_free(io->error);
        free(io);
    }
    free(channel->name);
    free(channel);
    return 0;
}

static errcode_t open_channel(const char *name, int flags, io_channel *ret)
{
    (void)flags;
    io_channel channel = calloc(1, sizeof(*channel));
    struct ext_io *io = calloc(1, sizeof(*io));
    if (!channel || !io) {
        free(channel);
        free(io);
        return EXT2_ET_NO_MEMORY;
    }
    channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
    channel->manager = ext_io_manager();
    channel->refcount = 1;
    channel->block_size = 1024;
    channel->private_data = io;
    channel->name = strdup(name);
    io->source = (const struct ext_source *)(uintptr_t)strtoull(name, NULL, 16);
    io->cache = ext_cache_new(1024);
    io->budget = UINT64_MAX;
    if (!channel->name || !io->cache) {
        close_channel(channel);
        return EXT2_ET_NO_MEMORY;
    }
    *ret = channel;
    return 0;
}

io_manager ext_io_manager(void)
{
    /* Not const for libext2fs's sake; nobody writes to it. */
    static struct struct_io_manager manager = {
        .magic = EXT2_ET_MAGIC_IO_MANAGER,
        .name = "kiln block source",
        .open = open_channel,
        .close = close_channel,
        .set_blksize = set_block_size,
        .read_blk = read_blocks_32,
        .write_blk = write_blocks_32,
        .flush = flush_nothing,
        .write_byte = write_bytes,
        .read_blk64 = read_blocks,
        .write_blk64 = write_blocks,
    };
    return &manager;
}

void ext_io_budget(io_channel channel, uint64_t reads)
{
    ext_io_of(channel)->budget = reads;
}

void ext_io_poison(io_channel channel)
{
    ext_io_of(channel)->budget = 0;
}

struct error *ext_io_take_error(io_channel channel)
{
    return TAKE_PTR(ext_io_of(channel)->error);
}

uint64_t ext_io_changes(io_channel channel)
{
    return ext_cache_changes(ext_io_of(channel)->cache);
}

uint64_t ext_io_dirty(io_channel channel)
{
    return ext_cache_dirty_bytes(ext_io_of(channel)->cache);
}
