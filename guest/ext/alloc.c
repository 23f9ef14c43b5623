#include "guest/ext/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/ext/bitmap.h"
#include "guest/ext/io.h"

struct ext_alloc {
    ext2_filsys fs;
    struct ext_bitmaps *bitmaps;
    uint64_t pending;
    uint64_t changes;
    struct error *error;
};

/* A failure inside a callback by which libext2fs cannot be told: it is kept, and libext2fs is
 * stopped at the next block that it reads. */
static void fail(struct ext_alloc *alloc, struct error *error)
{
    if (alloc->error)
        error_free(error);
    else
        alloc->error = error;
    alloc->changes++;
    ext_io_poison(alloc->fs->io);
}

static dgrp_t group_of(const struct ext_alloc *alloc, uint64_t block)
{
    return ext2fs_group_of_blk2(alloc->fs, block);
}

static uint32_t bit_of(const struct ext_alloc *alloc, dgrp_t group, uint64_t block)
{
    return (uint32_t)(block - ext2fs_group_first_block2(alloc->fs, group));
}

/* Looks for free blocks in one group from bit `from` on. *ret_count 0: there are none. */
static int search_group(struct ext_alloc *alloc, dgrp_t group, uint32_t from, uint64_t want,
                        uint64_t *ret_start, uint64_t *ret_count, struct error **err)
{
    *ret_count = 0;
    if (ext2fs_bg_free_blocks_count(alloc->fs, group) == 0)
        return 0;
    struct ext_group *bitmap;
    int r = ext_bitmaps_blocks(alloc->bitmaps, group, &bitmap, err);
    if (r < 0)
        return r;
    uint32_t end = (uint32_t)ext2fs_group_blocks_count(alloc->fs, group);
    uint32_t start = ext_bits_find_clear(bitmap->blocks, from, end);
    if (start >= end)
        return 0;
    uint32_t stop = want < end - start ? start + (uint32_t)want : end;
    uint32_t bit = start + 1;
    while (bit < stop && !ext_bit_test(bitmap->blocks, bit))
        bit++;
    *ret_start = ext2fs_group_first_block2(alloc->fs, group) + start;
    *ret_count = bit - start;
    return 0;
}

/* The first free run at or behind goal, the search going round once. */
static int search(struct ext_alloc *alloc, uint64_t goal, uint64_t want, uint64_t *ret_start,
                  uint64_t *ret_count, struct error **err)
{
    ext2_filsys fs = alloc->fs;
    if (goal < fs->super->s_first_data_block || goal >= ext2fs_blocks_count(fs->super))
        goal = fs->super->s_first_data_block;
    dgrp_t first = group_of(alloc, goal), count = fs->group_desc_count;
    for (uint64_t i = 0; i <= count; i++) {
        dgrp_t group = (dgrp_t)((first + i) % count);
        uint32_t from = i == 0 ? bit_of(alloc, group, goal) : 0;
        int r = search_group(alloc, group, from, want, ret_start, ret_count, err);
        if (r < 0 || *ret_count > 0)
            return r;
    }
    return 0;
}

/* Notes in the bitmaps that the blocks are in use. */
static int mark(struct ext_alloc *alloc, uint64_t start, uint64_t count, struct error **err)
{
    while (count > 0) {
        dgrp_t group = group_of(alloc, start);
        struct ext_group *bitmap;
        int r = ext_bitmaps_blocks(alloc->bitmaps, group, &bitmap, err);
        if (r < 0)
            return r;
        alloc->changes++;
        uint32_t bit = bit_of(alloc, group, start);
        uint32_t end = (uint32_t)ext2fs_group_blocks_count(alloc->fs, group);
        for (; count > 0 && bit < end; bit++, start++, count--) {
            if (ext_bit_test(bitmap->blocks, bit))
                return error_set(err, EUCLEAN, "block %llu is in use twice",
                                 (unsigned long long)start);
            ext_bit_set(bitmap->blocks, bit);
        }
        bitmap->blocks_dirty = true;
    }
    return 0;
}

static int give_back(struct ext_alloc *alloc, uint64_t block, struct error **err)
{
    dgrp_t group = group_of(alloc, block);
    struct ext_group *bitmap;
    int r = ext_bitmaps_blocks(alloc->bitmaps, group, &bitmap, err);
    if (r < 0)
        return r;
    uint32_t bit = bit_of(alloc, group, block);
    if (!ext_bit_test(bitmap->blocks, bit) || ext_bit_test(bitmap->pending, bit))
        return error_set(err, EUCLEAN, "block %llu is freed although it is free",
                         (unsigned long long)block);
    ext_bit_set(bitmap->pending, bit);
    bitmap->blocks_dirty = true;
    alloc->pending++;
    alloc->changes++;
    return 0;
}

errcode_t ext_alloc_run(struct ext_alloc *alloc, uint64_t goal, uint64_t want, uint64_t *ret_start,
                        uint64_t *ret_count)
{
    struct error *error = NULL;
    uint64_t start, count;
    int r = search(alloc, goal, want, &start, &count, &error);
    if (r == 0 && count == 0)
        return EXT2_ET_BLOCK_ALLOC_FAIL;
    if (r == 0)
        r = mark(alloc, start, count, &error);
    if (r < 0) {
        fail(alloc, error);
        return EXT2_ET_BLOCK_BITMAP_READ;
    }
    ext2fs_block_alloc_stats_range(alloc->fs, start, (blk_t)count, +1);
    *ret_start = start;
    *ret_count = count;
    return 0;
}

/* libext2fs's callbacks. */

static errcode_t get_alloc_block(ext2_filsys fs, blk64_t goal, blk64_t *ret,
                                 struct blk_alloc_ctx *context)
{
    (void)context;
    struct ext_alloc *alloc = fs->priv_data;
    struct error *error = NULL;
    uint64_t start, count;
    int r = search(alloc, goal, 1, &start, &count, &error);
    if (r == 0 && count == 0)
        return EXT2_ET_BLOCK_ALLOC_FAIL;
    if (r < 0) {
        fail(alloc, error);
        return EXT2_ET_BLOCK_BITMAP_READ;
    }
    /* libext2fs changes the group's descriptor right after this. */
    alloc->changes++;
    *ret = start;
    return 0;
}

/* The caller claims what it gets by way of ext2fs_block_alloc_stats_range(), whose own callback
 * does not tell the range: so the blocks are marked here. */
static errcode_t new_range(ext2_filsys fs, int flags, blk64_t goal, blk64_t length, blk64_t *ret,
                           blk64_t *ret_length)
{
    struct ext_alloc *alloc = fs->priv_data;
    struct error *error = NULL;
    uint64_t start, count;
    int r = search(alloc, goal, length, &start, &count, &error);
    bool fixed = flags & EXT2_NEWRANGE_FIXED_GOAL, whole = flags & EXT2_NEWRANGE_MIN_LENGTH;
    if (r == 0 && (count == 0 || (fixed && start != goal) || (whole && count < length)))
        return EXT2_ET_BLOCK_ALLOC_FAIL;
    if (r == 0)
        r = mark(alloc, start, count, &error);
    if (r < 0) {
        fail(alloc, error);
        return EXT2_ET_BLOCK_BITMAP_READ;
    }
    *ret = start;
    *ret_length = count;
    return 0;
}

static void block_stats(ext2_filsys fs, blk64_t block, int in_use)
{
    struct ext_alloc *alloc = fs->priv_data;
    struct error *error = NULL;
    int r = in_use > 0 ? mark(alloc, block, 1, &error) : give_back(alloc, block, &error);
    if (r < 0)
        fail(alloc, error);
}

static errcode_t write_bitmaps(ext2_filsys fs)
{
    struct ext_alloc *alloc = fs->priv_data;
    return ext_bitmaps_write(alloc->bitmaps);
}

int ext_alloc_new(ext2_filsys fs, struct ext_alloc **ret, struct error **err)
{
    struct ext_alloc *alloc = calloc(1, sizeof(*alloc));
    if (!alloc)
        return error_oom(err);
    alloc->fs = fs;
    int r = ext_bitmaps_new(fs, &alloc->bitmaps, err);
    /* libext2fs insists on a map in places, and marks in it what it takes. Nothing asks it. */
    fs->default_bitmap_type = EXT2FS_BMAP64_RBTREE;
    if (r == 0 && ext2fs_allocate_block_bitmap(fs, "unused", &fs->block_map))
        r = error_oom(err);
    if (r < 0) {
        ext_alloc_free(alloc);
        return r;
    }
    fs->priv_data = alloc;
    fs->get_alloc_block2 = get_alloc_block;
    fs->new_range = new_range;
    fs->block_alloc_stats = block_stats;
    fs->write_bitmaps = write_bitmaps;
    *ret = alloc;
    return 0;
}

void ext_alloc_free(struct ext_alloc *alloc)
{
    if (!alloc)
        return;
    ext_bitmaps_free(alloc->bitmaps);
    error_free(alloc->error);
    free(alloc);
}

uint64_t ext_alloc_available(const struct ext_alloc *alloc)
{
    uint64_t free_blocks = ext2fs_free_blocks_count(alloc->fs->super);
    return free_blocks > alloc->pending ? free_blocks - alloc->pending : 0;
}

uint64_t ext_alloc_pending(const struct ext_alloc *alloc)
{
    return alloc->pending;
}

/* The kernel never leaves a group without block bitmap that has inodes in use. */
static int settle_blocks(struct ext_alloc *alloc, dgrp_t group, struct error **err)
{
    if (!ext2fs_has_group_desc_csum(alloc->fs) ||
        !ext2fs_bg_flags_test(alloc->fs, group, EXT2_BG_BLOCK_UNINIT))
        return 0;
    struct ext_group *bitmap;
    int r = ext_bitmaps_blocks(alloc->bitmaps, group, &bitmap, err);
    if (r < 0)
        return r;
    bitmap->blocks_dirty = true;
    ext2fs_clear_block_uninit(alloc->fs, group);
    return 0;
}

static int take_inode(struct ext_alloc *alloc, dgrp_t group, bool is_dir, ext2_ino_t *ret,
                      struct error **err)
{
    ext2_filsys fs = alloc->fs;
    uint32_t per_group = EXT2_INODES_PER_GROUP(fs->super);
    if (ext2fs_bg_free_inodes_count(fs, group) == 0)
        return 0;
    struct ext_group *bitmap;
    int r = ext_bitmaps_inodes(alloc->bitmaps, group, &bitmap, err);
    if (r < 0)
        return r;
    uint32_t from = group == 0 ? EXT2_FIRST_INODE(fs->super) - 1 : 0;
    uint32_t bit = ext_bits_find_clear(bitmap->inodes, from, per_group);
    if (bit >= per_group)
        return 0;
    r = settle_blocks(alloc, group, err);
    if (r < 0)
        return r;
    ext_bit_set(bitmap->inodes, bit);
    bitmap->inodes_dirty = true;
    alloc->changes++;
    *ret = group * per_group + bit + 1;
    ext2fs_inode_alloc_stats2(fs, *ret, +1, is_dir);
    return 0;
}

int ext_alloc_inode(struct ext_alloc *alloc, ext2_ino_t near, bool is_dir, ext2_ino_t *ret,
                    struct error **err)
{
    dgrp_t first = ext2fs_group_of_ino(alloc->fs, near), count = alloc->fs->group_desc_count;
    for (dgrp_t i = 0; i < count; i++) {
        ext2_ino_t inode = 0;
        int r = take_inode(alloc, (dgrp_t)(((uint64_t)first + i) % count), is_dir, &inode, err);
        if (r < 0)
            return r;
        if (inode) {
            *ret = inode;
            return 0;
        }
    }
    return error_set(err, ENOSPC, "the file system has no inode left");
}

int ext_alloc_release_inode(struct ext_alloc *alloc, ext2_ino_t inode, bool is_dir,
                            struct error **err)
{
    dgrp_t group = ext2fs_group_of_ino(alloc->fs, inode);
    struct ext_group *bitmap;
    int r = ext_bitmaps_inodes(alloc->bitmaps, group, &bitmap, err);
    if (r < 0)
        return r;
    uint32_t bit = (inode - 1) % EXT2_INODES_PER_GROUP(alloc->fs->super);
    if (!ext_bit_test(bitmap->inodes, bit))
        return error_set(err, EUCLEAN, "inode %u is freed although it is free", inode);
    ext_bit_clear(bitmap->inodes, bit);
    bitmap->inodes_dirty = true;
    alloc->changes++;
    ext2fs_inode_alloc_stats2(alloc->fs, inode, -1, is_dir);
    return 0;
}

struct ext_bitmaps *ext_alloc_bitmaps(struct ext_alloc *alloc)
{
    return alloc->bitmaps;
}

uint64_t ext_alloc_changes(const struct ext_alloc *alloc)
{
    return alloc->changes;
}

void ext_alloc_committed(struct ext_alloc *alloc)
{
    alloc->pending = 0;
    ext_bitmaps_committed(alloc->bitmaps);
}

struct error *ext_alloc_take_error(struct ext_alloc *alloc)
{
    return TAKE_PTR(alloc->error);
}
