/* A disk in memory, for targets that need one. Its bytes are freed with it. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "image/block.h"

struct memory {
    struct block block;
    uint8_t *bytes;
};

static int memory_pread(struct block *block, void *buf, size_t count, uint64_t offset,
                        struct error **err)
{
    (void)err;
    memcpy(buf, ((struct memory *)block)->bytes + offset, count);
    return 0;
}

static int memory_pwrite(struct block *block, const void *buf, size_t count, uint64_t offset,
                         struct error **err)
{
    (void)err;
    memcpy(((struct memory *)block)->bytes + offset, buf, count);
    return 0;
}

static void memory_close(struct block *block)
{
    free(((struct memory *)block)->bytes);
}

static const struct block_ops memory_ops = {
    .name = "memory",
    .pread = memory_pread,
    .pwrite = memory_pwrite,
    .close = memory_close,
};
