/* The bitmaps of block groups, held per group and only where they are needed. For alloc.c. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "guest/ext/lib.h"

struct ext_group {
    uint8_t *blocks;  /* bit set: in use, or pending; NULL: not read yet */
    uint8_t *pending; /* bit set: was given back, still in use by the image as it is on disk */
    uint8_t *inodes;  /* bit set: in use; NULL: not read yet */
    bool blocks_dirty, inodes_dirty;
};

struct ext_bitmaps;

int ext_bitmaps_new(ext2_filsys fs, struct ext_bitmaps **ret, struct error **err);
void ext_bitmaps_free(struct ext_bitmaps *bitmaps);

/* The group with its block bitmap, or its inode bitmap, read. */
int ext_bitmaps_blocks(struct ext_bitmaps *bitmaps, dgrp_t group, struct ext_group **ret,
                       struct error **err);
int ext_bitmaps_inodes(struct ext_bitmaps *bitmaps, dgrp_t group, struct ext_group **ret,
                       struct error **err);

/* A copy of a group's block bitmap, which is not held on to: a block's worth of bytes. */
int ext_bitmaps_peek(struct ext_bitmaps *bitmaps, dgrp_t group, uint8_t *ret, struct error **err);

/* Writes the changed bitmaps through libext2fs and sets their checksums. */
errcode_t ext_bitmaps_write(struct ext_bitmaps *bitmaps);
/* They are on disk: pending blocks become free. */
void ext_bitmaps_committed(struct ext_bitmaps *bitmaps);

static inline bool ext_bit_test(const uint8_t *bits, uint32_t bit)
{
    return bits[bit / 8] >> bit % 8 & 1;
}

static inline void ext_bit_set(uint8_t *bits, uint32_t bit)
{
    bits[bit / 8] |= (uint8_t)(1 << bit % 8);
}

static inline void ext_bit_clear(uint8_t *bits, uint32_t bit)
{
    bits[bit / 8] &= (uint8_t) ~(1 << bit % 8);
}

/* The first clear bit of [from, end), or end. */
uint32_t ext_bits_find_clear(const uint8_t *bits, uint32_t from, uint32_t end);
