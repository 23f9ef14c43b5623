/* Giving the space of free blocks back to the image. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "guest/ext/bitmap.h"
#include "guest/ext/internal.h"

struct range {
    uint64_t start, end; /* blocks */
};

struct trim {
    struct ext_fs *fs;
    struct ext_bitmaps *bitmaps;
    uint8_t *bits;          /* of one group */
    struct range *metadata; /* of all groups, sorted: never free, whatever a bitmap says */
    size_t metadata_count;
    struct range pending; /* to be discarded next */
    uint64_t freed;       /* bytes */
};

static int compare(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

/* Joins sorted ranges that touch. */
static size_t merge(struct range *ranges, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && ranges[i].start <= ranges[kept - 1].end)
            ranges[kept - 1].end = max_u64(ranges[kept - 1].end, ranges[i].end);
        else
            ranges[kept++] = ranges[i];
    }
    return kept;
}

static int collect_metadata(struct trim *trim, struct error **err)
{
    ext2_filsys fs = trim->fs->fs;
    trim->metadata = reallocarray(NULL, fs->group_desc_count, 3 * sizeof(*trim->metadata));
    if (!trim->metadata)
        return error_oom(err);
    struct range *next = trim->metadata;
    for (dgrp_t group = 0; group < fs->group_desc_count; group++) {
        uint64_t blocks = ext2fs_block_bitmap_loc(fs, group);
        uint64_t inodes = ext2fs_inode_bitmap_loc(fs, group);
        uint64_t table = ext2fs_inode_table_loc(fs, group);
        *next++ = (struct range){blocks, blocks + 1};
        *next++ = (struct range){inodes, inodes + 1};
        *next++ = (struct range){table, table + fs->inode_blocks_per_group};
    }
    size_t count = (size_t)(next - trim->metadata);
    qsort(trim->metadata, count, sizeof(*trim->metadata), compare);
    trim->metadata_count = merge(trim->metadata, count);
    return 0;
}

static bool touches_metadata(const struct trim *trim, uint64_t start, uint64_t end)
{
    size_t low = 0, high = trim->metadata_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (trim->metadata[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    return low < trim->metadata_count && trim->metadata[low].start < end;
}

static int damaged(const struct trim *trim, dgrp_t group, struct error **err)
{
    return error_set(err, EUCLEAN, "%s is damaged: the block bitmap of group %u is not true",
                     trim->fs->name, group);
}

static uint32_t find_set(const uint8_t *bits, uint32_t from, uint32_t end)
{
    while (from < end && !ext_bit_test(bits, from))
        from += from % 8 == 0 && bits[from / 8] == 0 ? 8 : 1;
    return from < end ? from : end;
}

typedef int run_fn(struct trim *trim, uint64_t start, uint64_t end, struct error **err);

/* Calls `run` for every run of free blocks in a group. */
static int each_run(struct trim *trim, dgrp_t group, run_fn *run, uint64_t *ret_free,
                    struct error **err)
{
    ext2_filsys fs = trim->fs->fs;
    uint64_t first = ext2fs_group_first_block2(fs, group);
    uint32_t end = (uint32_t)ext2fs_group_blocks_count(fs, group), stop;
    ext_start(trim->fs);
    int r = ext_bitmaps_peek(trim->bitmaps, group, trim->bits, err);
    *ret_free = 0;
    for (uint32_t bit = 0; r == 0; bit = stop) {
        bit = ext_bits_find_clear(trim->bits, bit, end);
        if (bit >= end)
            break;
        stop = find_set(trim->bits, bit, end);
        *ret_free += stop - bit;
        if (touches_metadata(trim, first + bit, first + stop))
            return damaged(trim, group, err);
        if (run)
            r = run(trim, first + bit, first + stop, err);
    }
    return r;
}

/* Nothing is let go before every bitmap was found to agree with what else is known. */
static int check_all(struct trim *trim, struct error **err)
{
    ext2_filsys fs = trim->fs->fs;
    uint64_t total = 0;
    for (dgrp_t group = 0; group < fs->group_desc_count; group++) {
        uint64_t count;
        int r = each_run(trim, group, NULL, &count, err);
        if (r < 0)
            return r;
        if (count != ext2fs_bg_free_blocks_count(fs, group))
            return damaged(trim, group, err);
        total += count;
    }
    if (total != ext2fs_free_blocks_count(fs->super))
        return error_set(err, EUCLEAN, "%s is damaged: its count of free blocks is not true",
                         trim->fs->name);
    return 0;
}

/* What is a hole already is left alone. */
static int discard_pending(struct trim *trim, struct error **err)
{
    struct ext_fs *fs = trim->fs;
    uint64_t block = fs->fs->blocksize;
    uint64_t at = fs->source.offset + trim->pending.start * block;
    uint64_t end = fs->source.offset + trim->pending.end * block, length;
    for (; at < end; at += length) {
        enum block_state state;
        int r = block_extent(fs->source.block, at, end - at, &state, &length, err);
        if (r == 0 && state == BLOCK_DATA) {
            r = block_discard(fs->source.block, at, length, err);
            trim->freed += length;
        }
        if (r < 0)
            return r;
    }
    return 0;
}

/* Runs at the borders of groups are joined. */
static int add_run(struct trim *trim, uint64_t start, uint64_t end, struct error **err)
{
    if (trim->pending.end == start) {
        trim->pending.end = end;
        return 0;
    }
    int r = discard_pending(trim, err);
    trim->pending = (struct range){start, end};
    return r;
}

static int discard_all(struct trim *trim, struct error **err)
{
    for (dgrp_t group = 0; group < trim->fs->fs->group_desc_count; group++) {
        uint64_t unused;
        int r = each_run(trim, group, add_run, &unused, err);
        if (r < 0)
            return r;
    }
    return discard_pending(trim, err);
}

int ext_trim(struct ext_fs *fs, uint64_t *freed, struct error **err)
{
    /* Only for its checks. */
    int r = ext_begin(fs, err);
    if (r == 0)
        r = ext_finish(fs, 0, err);
    /* Blocks that were given back are free in the image only then. */
    if (r == 0)
        r = ext_sync(fs, err);
    if (r < 0)
        return r;
    struct trim trim = {.fs = fs, .bitmaps = ext_alloc_bitmaps(fs->alloc)};
    trim.bits = malloc(fs->fs->blocksize);
    r = trim.bits ? collect_metadata(&trim, err) : error_oom(err);
    if (r == 0)
        r = check_all(&trim, err);
    if (r == 0)
        r = discard_all(&trim, err);
    *freed += trim.freed;
    free(trim.metadata);
    free(trim.bits);
    return r < 0 ? error_wrap(err, "%s: cannot be trimmed", fs->name) : 0;
}
