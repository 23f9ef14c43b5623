#include "image/staged.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/str.h"
#include "image/staged_inside.h"

static const uint64_t memory_default = 32 << 20;

static const struct block_ops staged_ops;

struct staged *staged_of(struct block *block)
{
    assert(block->ops == &staged_ops);
    return (struct staged *)block;
}

enum span_state { SPAN_BASE, SPAN_ZERO, SPAN_DATA };

/* A run of bytes that are alike and lie together. */
struct span {
    enum span_state state;
    uint64_t length;
    uint32_t slot;   /* SPAN_DATA: where the first cluster is */
    uint64_t within; /* bytes of it before the span */
};

/* How many of the `count` low bits of `bits` are as the lowest one is. */
static unsigned same_bits(uint64_t bits, unsigned count)
{
    uint64_t changes = bits & 1 ? ~bits : bits;
    unsigned run = changes ? (unsigned)__builtin_ctzll(changes) : 64;
    return run < count ? run : count;
}

static unsigned data_run(const struct staged *staged, const struct staged_leaf *leaf,
                         unsigned first, unsigned count)
{
    unsigned run = 1;
    unsigned most = staged_store_run(&staged->store, leaf->slots[first], count);
    while (run < most && leaf->slots[first + run] == leaf->slots[first] + run)
        run++;
    return run;
}

/* The span at `offset` within its leaf, at most `limit` bytes of it. */
static struct span span_at(struct staged *staged, uint64_t offset, uint64_t limit)
{
    uint64_t cluster = offset / STAGED_CLUSTER;
    unsigned first = (unsigned)(cluster % STAGED_LEAF);
    unsigned count = STAGED_LEAF - first;
    struct span span = {.state = SPAN_BASE, .within = offset % STAGED_CLUSTER};
    const struct staged_leaf *leaf = staged_map_find(&staged->map, cluster / STAGED_LEAF);
    if (leaf) {
        uint64_t data = leaf->data >> first, zero = leaf->zero >> first;
        count = same_bits(zero, same_bits(data, count));
        if (data & 1) {
            span.state = SPAN_DATA;
            span.slot = leaf->slots[first];
            count = data_run(staged, leaf, first, count);
        } else if (zero & 1) {
            span.state = SPAN_ZERO;
        }
    }
    span.length = min_u64(limit, (uint64_t)count * STAGED_CLUSTER - span.within);
    return span;
}

/* The same across leaves, for what the base holds: few large reads of it instead of many. */
static uint64_t base_run(struct staged *staged, uint64_t offset, uint64_t limit)
{
    uint64_t run = 0;
    if (staged->map.leaves.count == 0)
        return limit;
    while (run < limit) {
        struct span span = span_at(staged, offset + run, limit - run);
        if (span.state != SPAN_BASE)
            break;
        run += span.length;
    }
    return run;
}

static int staged_pread(struct block *block, void *buf, size_t count, uint64_t offset,
                        struct error **err)
{
    struct staged *staged = staged_of(block);
    uint8_t *to = buf;
    int r = 0;
    while (r == 0 && count > 0) {
        struct span span = span_at(staged, offset, count);
        switch (span.state) {
        case SPAN_BASE:
            span.length = base_run(staged, offset, count);
            r = block_pread(staged->base, to, span.length, offset, err);
            break;
        case SPAN_ZERO:
            memset(to, 0, span.length);
            break;
        case SPAN_DATA:
            r = staged_store_read(&staged->store, span.slot, span.within, to, span.length, err);
            break;
        }
        to += span.length;
        offset += span.length;
        count -= span.length;
    }
    return r;
}

/* How many of `count` clusters never had a slot. */
static uint32_t slotless(const struct staged_leaf *leaf, unsigned first, uint32_t count)
{
    uint32_t run = 0;
    while (run < count && (!leaf->slots || leaf->slots[first + run] == STAGED_NO_SLOT))
        run++;
    return run;
}

/* Gives some of `count` clusters of one leaf, which are not data, their slots, and `bytes` to the
 * slots; the last cluster of a disk may be a short one. *ret_count: how many. */
static int stage_new(struct staged *staged, uint64_t cluster, uint32_t count, const uint8_t *bytes,
                     size_t size, uint32_t *ret_count, struct error **err)
{
    unsigned first = (unsigned)(cluster % STAGED_LEAF);
    struct staged_leaf *leaf = staged_map_get(&staged->map, cluster / STAGED_LEAF, err);
    if (!leaf)
        return -ENOMEM;
    uint32_t slot, done = 1;
    uint32_t fresh = slotless(leaf, first, count);
    int r = 0;
    /* What was discarded keeps its slot, so that writing and discarding in turn needs no more. */
    if (fresh > 0)
        r = staged_store_reserve(&staged->store, fresh, &slot, &done, err);
    else
        slot = leaf->slots[first];
    if (r == 0)
        r = staged_store_write(&staged->store, slot, 0, bytes,
                               min_u64(size, (uint64_t)done * STAGED_CLUSTER), err);
    uint64_t zeroes = leaf->zero;
    for (uint32_t i = 0; r == 0 && i < done; i++)
        r = staged_leaf_set(leaf, first + i, slot + i, err);
    if (r < 0)
        return r;
    staged->clusters += done - (unsigned)__builtin_popcountll(zeroes & staged_bits(first, done));
    if (fresh > 0)
        staged_store_take(&staged->store, done);
    *ret_count = done;
    return 0;
}

/* Part of a cluster that is not staged yet: the rest of it comes from where it came from before. */
static int stage_part(struct staged *staged, const void *bytes, size_t count, uint64_t offset,
                      struct error **err)
{
    uint8_t whole[STAGED_CLUSTER];
    uint64_t start = round_down(offset, STAGED_CLUSTER);
    size_t size = (size_t)min_u64(STAGED_CLUSTER, staged->block.size - start);
    uint32_t staged_count;
    int r = staged_pread(&staged->block, whole, size, start, err);
    if (r < 0)
        return r;
    memcpy(whole + (offset - start), bytes, count);
    return stage_new(staged, start / STAGED_CLUSTER, 1, whole, size, &staged_count, err);
}

/* Where `length` bytes at `offset` are whole clusters: how many. The last one of the disk is whole
 * up to the disk's end. */
static uint32_t whole_clusters(const struct staged *staged, uint64_t offset, uint64_t length)
{
    if (offset % STAGED_CLUSTER != 0)
        return 0;
    if (offset + length == staged->block.size)
        length = round_up(length, STAGED_CLUSTER);
    return (uint32_t)min_u64(length / STAGED_CLUSTER, STAGED_LEAF);
}

/* Writes some of `count` bytes, *ret_done of them. */
static int write_some(struct staged *staged, const uint8_t *from, size_t count, uint64_t offset,
                      size_t *ret_done, struct error **err)
{
    struct span span = span_at(staged, offset, count);
    *ret_done = span.length;
    if (span.state == SPAN_DATA)
        return staged_store_write(&staged->store, span.slot, span.within, from, span.length, err);
    uint32_t whole = whole_clusters(staged, offset, span.length);
    if (whole > 0) {
        int r = stage_new(staged, offset / STAGED_CLUSTER, whole, from, span.length, &whole, err);
        *ret_done = min_u64(span.length, (uint64_t)whole * STAGED_CLUSTER);
        return r;
    }
    *ret_done = min_u64(span.length, STAGED_CLUSTER - span.within);
    return stage_part(staged, from, *ret_done, offset, err);
}

static int staged_pwrite(struct block *block, const void *buf, size_t count, uint64_t offset,
                         struct error **err)
{
    struct staged *staged = staged_of(block);
    const uint8_t *from = buf;
    int r = 0;
    while (r == 0 && count > 0) {
        size_t done;
        r = write_some(staged, from, count, offset, &done, err);
        from += done;
        offset += done;
        count -= done;
    }
    return r;
}

static int staged_extent(struct block *block, uint64_t offset, uint64_t length,
                         enum block_state *ret, uint64_t *ret_length, struct error **err)
{
    struct staged *staged = staged_of(block);
    struct span span = span_at(staged, offset, length);
    if (span.state == SPAN_BASE)
        return block_extent(staged->base, offset, base_run(staged, offset, length), ret, ret_length,
                            err);
    *ret = span.state == SPAN_ZERO ? BLOCK_ZERO : BLOCK_DATA;
    *ret_length = span.length;
    return 0;
}

/* Lets some of `length` bytes go, *ret_done of them. */
static int discard_some(struct staged *staged, uint64_t offset, uint64_t length, uint64_t *ret_done,
                        struct error **err)
{
    static const uint8_t zeroes[STAGED_CLUSTER];
    enum block_state state;
    int r = staged_extent(&staged->block, offset, length, &state, ret_done, err);
    if (r < 0 || state == BLOCK_ZERO)
        return r;
    unsigned first = (unsigned)(offset / STAGED_CLUSTER % STAGED_LEAF);
    unsigned whole = whole_clusters(staged, offset, *ret_done);
    if (whole == 0) {
        *ret_done = min_u64(*ret_done, STAGED_CLUSTER - offset % STAGED_CLUSTER);
        return staged_pwrite(&staged->block, zeroes, (size_t)*ret_done, offset, err);
    }
    whole = (unsigned)min_u64(whole, STAGED_LEAF - first);
    *ret_done = min_u64(*ret_done, (uint64_t)whole * STAGED_CLUSTER);
    struct staged_leaf *leaf =
        staged_map_get(&staged->map, offset / STAGED_CLUSTER / STAGED_LEAF, err);
    if (!leaf)
        return -ENOMEM;
    uint64_t bits = staged_bits(first, whole);
    staged->clusters += (unsigned)__builtin_popcountll(bits & ~(leaf->data | leaf->zero));
    leaf->data &= ~bits;
    leaf->zero |= bits;
    return 0;
}

static int staged_discard(struct block *block, uint64_t offset, uint64_t length, struct error **err)
{
    int r = 0;
    while (r == 0 && length > 0) {
        uint64_t done;
        r = discard_some(staged_of(block), offset, length, &done, err);
        offset += done;
        length -= done;
    }
    return r;
}

static void staged_close(struct block *block)
{
    struct staged *staged = (struct staged *)block;
    staged_map_free(&staged->map);
    staged_store_free(&staged->store);
    staged_guards_free(staged);
    block_close(staged->base);
}

static const struct block_ops staged_ops = {
    .name = "staged",
    .pread = staged_pread,
    .pwrite = staged_pwrite,
    .extent = staged_extent,
    .discard = staged_discard,
    .close = staged_close,
};

int staged_open(struct block *base, const struct staged_options *options, struct block **ret,
                struct error **err)
{
    _cleanup_block_ struct block *owned = base;
    uint64_t memory_max = options && options->memory_max ? options->memory_max : memory_default;
    struct staged *staged = calloc(1, sizeof(*staged));
    if (!staged)
        return error_oom(err);
    _cleanup_block_ struct block *block = &staged->block;
    block->ops = &staged_ops;
    block->size = base->size;
    block->writable = true;
    int r = staged_store_init(&staged->store, memory_max, err);
    if (r == 0)
        r = str_replace(&block->name, base->name, err);
    if (r < 0)
        return r;
    staged->base = TAKE_PTR(owned);
    *ret = TAKE_PTR(block);
    return 0;
}

uint64_t staged_size(const struct block *staged)
{
    return ((const struct staged *)staged)->clusters * STAGED_CLUSTER;
}
