#include "guest/ext/bitmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

/* Of a group's descriptor, as it was when the file system was opened: libext2fs changes it before
 * it reports what it took. */
struct descriptor {
    uint16_t flags;
    uint32_t free_blocks, free_inodes;
};

struct ext_bitmaps {
    ext2_filsys fs;
    size_t size;               /* bytes of a bitmap as held: a block */
    struct ext_group **groups; /* by number; NULL: nothing of it was read */
    dgrp_t *present;           /* the numbers of those that are not NULL */
    size_t present_count;
    struct descriptor *descriptors; /* of all groups */
};

uint32_t ext_bits_find_clear(const uint8_t *bits, uint32_t from, uint32_t end)
{
    while (from < end) {
        if (from % 8 == 0 && bits[from / 8] == 0xff)
            from += 8;
        else if (ext_bit_test(bits, from))
            from++;
        else
            return from;
    }
    return end;
}

int ext_bitmaps_new(ext2_filsys fs, struct ext_bitmaps **ret, struct error **err)
{
    struct ext_bitmaps *bitmaps = calloc(1, sizeof(*bitmaps));
    if (!bitmaps)
        return error_oom(err);
    bitmaps->fs = fs;
    bitmaps->size = fs->blocksize;
    bitmaps->groups = calloc(fs->group_desc_count, sizeof(*bitmaps->groups));
    bitmaps->descriptors = calloc(fs->group_desc_count, sizeof(*bitmaps->descriptors));
    if (!bitmaps->groups || !bitmaps->descriptors) {
        ext_bitmaps_free(bitmaps);
        return error_oom(err);
    }
    for (dgrp_t group = 0; group < fs->group_desc_count; group++)
        bitmaps->descriptors[group] = (struct descriptor){
            .flags = ext2fs_bg_flags(fs, group),
            .free_blocks = ext2fs_bg_free_blocks_count(fs, group),
            .free_inodes = ext2fs_bg_free_inodes_count(fs, group),
        };
    *ret = bitmaps;
    return 0;
}

void ext_bitmaps_free(struct ext_bitmaps *bitmaps)
{
    if (!bitmaps)
        return;
    for (size_t i = 0; i < bitmaps->present_count; i++) {
        struct ext_group *group = bitmaps->groups[bitmaps->present[i]];
        free(group->blocks);
        free(group->pending);
        free(group->inodes);
        free(group);
    }
    free(bitmaps->groups);
    free(bitmaps->present);
    free(bitmaps->descriptors);
    free(bitmaps);
}

static int present(struct ext_bitmaps *bitmaps, dgrp_t number, struct ext_group **ret,
                   struct error **err)
{
    if (number >= bitmaps->fs->group_desc_count)
        return error_set(err, EUCLEAN, "block group %u does not exist", number);
    if (bitmaps->groups[number]) {
        *ret = bitmaps->groups[number];
        return 0;
    }
    dgrp_t *list =
        reallocarray(bitmaps->present, bitmaps->present_count + 1, sizeof(*bitmaps->present));
    if (!list)
        return error_oom(err);
    bitmaps->present = list;
    struct ext_group *group = calloc(1, sizeof(*group));
    if (!group)
        return error_oom(err);
    list[bitmaps->present_count++] = number;
    *ret = bitmaps->groups[number] = group;
    return 0;
}

/* Whether the group's bitmap was never written. A bitmap that was read stays in memory, so that the
 * question never comes up for one that was written since. */
static bool never_written(const struct ext_bitmaps *bitmaps, dgrp_t group, uint16_t flag)
{
    return ext2fs_has_group_desc_csum(bitmaps->fs) && bitmaps->descriptors[group].flags & flag;
}

static void mark_range(ext2_filsys fs, dgrp_t group, uint8_t *bits, uint64_t start, uint64_t count)
{
    uint64_t first = ext2fs_group_first_block2(fs, group);
    uint64_t end = first + (uint64_t)ext2fs_group_blocks_count(fs, group);
    for (uint64_t block = start; block < start + count; block++)
        if (block >= first && block < end)
            ext_bit_set(bits, (uint32_t)(block - first));
}

/* What a group holds of its own metadata is in use whatever its bitmap says. */
static void mark_metadata(ext2_filsys fs, dgrp_t group, uint8_t *bits)
{
    blk64_t super, old_table, new_table;
    ext2fs_super_and_bgd_loc2(fs, group, &super, &old_table, &new_table, NULL);
    uint64_t tables = ext2fs_has_feature_meta_bg(fs->super)
                          ? fs->super->s_first_meta_bg
                          : fs->desc_blocks + fs->super->s_reserved_gdt_blocks;
    if (super || group == 0)
        mark_range(fs, group, bits, super, 1);
    if (old_table)
        mark_range(fs, group, bits, old_table, tables);
    if (new_table)
        mark_range(fs, group, bits, new_table, 1);
    mark_range(fs, group, bits, ext2fs_block_bitmap_loc(fs, group), 1);
    mark_range(fs, group, bits, ext2fs_inode_bitmap_loc(fs, group), 1);
    mark_range(fs, group, bits, ext2fs_inode_table_loc(fs, group), fs->inode_blocks_per_group);
}

static int read_bitmap(struct ext_bitmaps *bitmaps, uint64_t at, uint8_t *bits, dgrp_t group,
                       struct error **err)
{
    ext2_filsys fs = bitmaps->fs;
    if (at <= fs->super->s_first_data_block || at >= ext2fs_blocks_count(fs->super))
        return error_set(err, EUCLEAN, "block group %u has its bitmap outside the file system",
                         group);
    if (io_channel_read_blk64(fs->io, at, 1, bits))
        return error_set(err, EIO, "cannot read a bitmap of block group %u", group);
    return 0;
}

/* A bit that says "free" against its group's count may belong to data or to an inode table: nothing
 * is to be allocated by it. Linux marks such a group as corrupt (fs/ext4/mballoc.c,
 * ext4_mb_generate_buddy()). */
static int check_count(const char *what, dgrp_t group, const uint8_t *bits, uint32_t end,
                       uint32_t stated, struct error **err)
{
    uint32_t found = 0;
    for (uint32_t bit = 0; (bit = ext_bits_find_clear(bits, bit, end)) < end; bit++)
        found++;
    if (found == stated)
        return 0;
    error_set(
        err, EUCLEAN,
        "block group %u has %u free %s by its bitmap and %u by its descriptor: the file system "
        "is damaged",
        group, found, what, stated);
    return error_hint(err, "repair the file system with e2fsck");
}

/* The bitmap as it is on disk, into a cleared buffer. */
static int fill_blocks(struct ext_bitmaps *bitmaps, dgrp_t number, uint8_t *blocks,
                       struct error **err)
{
    ext2_filsys fs = bitmaps->fs;
    if (!never_written(bitmaps, number, EXT2_BG_BLOCK_UNINIT)) {
        int r = read_bitmap(bitmaps, ext2fs_block_bitmap_loc(fs, number), blocks, number, err);
        if (r < 0)
            return r;
        int bytes = (int)(EXT2_CLUSTERS_PER_GROUP(fs->super) / 8);
        if (!ext2fs_block_bitmap_csum_verify(fs, number, (char *)blocks, bytes))
            return error_set(err, EUCLEAN, "the block bitmap of group %u is damaged", number);
        r = check_count("blocks", number, blocks, (uint32_t)ext2fs_group_blocks_count(fs, number),
                        bitmaps->descriptors[number].free_blocks, err);
        if (r < 0)
            return r;
    }
    mark_metadata(fs, number, blocks);
    return 0;
}

int ext_bitmaps_peek(struct ext_bitmaps *bitmaps, dgrp_t number, uint8_t *ret, struct error **err)
{
    const struct ext_group *group = bitmaps->groups[number];
    memset(ret, 0, bitmaps->size);
    if (!group || !group->blocks)
        return fill_blocks(bitmaps, number, ret, err);
    memcpy(ret, group->blocks, bitmaps->size);
    return 0;
}

int ext_bitmaps_blocks(struct ext_bitmaps *bitmaps, dgrp_t number, struct ext_group **ret,
                       struct error **err)
{
    struct ext_group *group;
    int r = present(bitmaps, number, &group, err);
    if (r < 0)
        return r;
    if (group->blocks) {
        *ret = group;
        return 0;
    }
    _cleanup_free_ uint8_t *blocks = calloc(1, bitmaps->size);
    _cleanup_free_ uint8_t *pending = calloc(1, bitmaps->size);
    if (!blocks || !pending)
        return error_oom(err);
    r = fill_blocks(bitmaps, number, blocks, err);
    if (r < 0)
        return r;
    group->blocks = TAKE_PTR(blocks);
    group->pending = TAKE_PTR(pending);
    *ret = group;
    return 0;
}

int ext_bitmaps_inodes(struct ext_bitmaps *bitmaps, dgrp_t number, struct ext_group **ret,
                       struct error **err)
{
    ext2_filsys fs = bitmaps->fs;
    struct ext_group *group;
    int r = present(bitmaps, number, &group, err);
    if (r < 0)
        return r;
    if (group->inodes) {
        *ret = group;
        return 0;
    }
    _cleanup_free_ uint8_t *inodes = calloc(1, bitmaps->size);
    if (!inodes)
        return error_oom(err);
    if (!never_written(bitmaps, number, EXT2_BG_INODE_UNINIT)) {
        r = read_bitmap(bitmaps, ext2fs_inode_bitmap_loc(fs, number), inodes, number, err);
        if (r < 0)
            return r;
        int bytes = (int)(EXT2_INODES_PER_GROUP(fs->super) / 8);
        if (!ext2fs_inode_bitmap_csum_verify(fs, number, (char *)inodes, bytes))
            return error_set(err, EUCLEAN, "the inode bitmap of group %u is damaged", number);
        r = check_count("inodes", number, inodes, EXT2_INODES_PER_GROUP(fs->super),
                        bitmaps->descriptors[number].free_inodes, err);
        if (r < 0)
            return r;
    }
    group->inodes = TAKE_PTR(inodes);
    *ret = group;
    return 0;
}

static errcode_t write_blocks(struct ext_bitmaps *bitmaps, dgrp_t number, uint8_t *buf)
{
    ext2_filsys fs = bitmaps->fs;
    const struct ext_group *group = bitmaps->groups[number];
    uint32_t count = (uint32_t)ext2fs_group_blocks_count(fs, number);
    memset(buf, 0xff, bitmaps->size);
    for (uint32_t i = 0; i < (count + 7) / 8; i++)
        buf[i] = (uint8_t)(group->blocks[i] & ~group->pending[i]);
    for (uint32_t bit = count; bit < round_up(count, 8); bit++)
        ext_bit_set(buf, bit);
    int bytes = (int)(EXT2_CLUSTERS_PER_GROUP(fs->super) / 8);
    errcode_t code = ext2fs_block_bitmap_csum_set(fs, number, (char *)buf, bytes);
    if (code)
        return code;
    ext2fs_group_desc_csum_set(fs, number);
    return io_channel_write_blk64(fs->io, ext2fs_block_bitmap_loc(fs, number), 1, buf);
}

static errcode_t write_inodes(struct ext_bitmaps *bitmaps, dgrp_t number, uint8_t *buf)
{
    ext2_filsys fs = bitmaps->fs;
    uint32_t bytes = EXT2_INODES_PER_GROUP(fs->super) / 8;
    memset(buf, 0xff, bitmaps->size);
    memcpy(buf, bitmaps->groups[number]->inodes, bytes);
    errcode_t code = ext2fs_inode_bitmap_csum_set(fs, number, (char *)buf, (int)bytes);
    if (code)
        return code;
    ext2fs_group_desc_csum_set(fs, number);
    return io_channel_write_blk64(fs->io, ext2fs_inode_bitmap_loc(fs, number), 1, buf);
}

errcode_t ext_bitmaps_write(struct ext_bitmaps *bitmaps)
{
    _cleanup_free_ uint8_t *buf = malloc(bitmaps->size);
    if (!buf)
        return EXT2_ET_NO_MEMORY;
    for (size_t i = 0; i < bitmaps->present_count; i++) {
        dgrp_t number = bitmaps->present[i];
        const struct ext_group *group = bitmaps->groups[number];
        errcode_t code = group->blocks_dirty ? write_blocks(bitmaps, number, buf) : 0;
        if (!code && group->inodes_dirty)
            code = write_inodes(bitmaps, number, buf);
        if (code)
            return code;
    }
    return 0;
}

void ext_bitmaps_committed(struct ext_bitmaps *bitmaps)
{
    for (size_t i = 0; i < bitmaps->present_count; i++) {
        struct ext_group *group = bitmaps->groups[bitmaps->present[i]];
        if (group->blocks_dirty)
            for (size_t j = 0; j < bitmaps->size; j++)
                group->blocks[j] = (uint8_t)(group->blocks[j] & ~group->pending[j]);
        if (group->pending)
            memset(group->pending, 0, bitmaps->size);
        group->blocks_dirty = group->inodes_dirty = false;
    }
}
