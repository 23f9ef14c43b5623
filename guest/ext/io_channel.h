/* The inside of libext2fs's view of a block source: what its two files share. */
#pragma once

#include <stdbool.h>

#include "guest/ext/cache.h"
#include "guest/ext/io.h"

struct ext_io {
    const struct ext_source *source;
    struct ext_cache *cache;
    uint64_t budget;
    struct error *error;
};

static inline struct ext_io *ext_io_of(io_channel channel)
{
    return channel->private_data;
}

/* Where in the block source `bytes` bytes from a block on lie. False where they lie beyond the
 * file system. */
bool ext_io_locate(io_channel channel, uint64_t block, uint64_t bytes, uint64_t *ret_offset);

/* One block, by way of the cache; valid until the cache changes. */
errcode_t ext_io_cached(io_channel channel, uint64_t block, uint8_t **ret);
