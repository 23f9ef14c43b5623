/* Writing what is staged into the base. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "image/staged_inside.h"

/* What the commit writes at once. */
enum { commit_clusters = 256 };

void staged_guards_free(struct staged *staged)
{
    for (size_t i = 0; i < staged->guard_count; i++)
        free(staged->guards[i].bytes);
    free(staged->guards);
    staged->guards = NULL;
    staged->guard_count = 0;
}

static uint64_t cluster_of(const struct staged_guard *guard)
{
    return guard->offset / STAGED_CLUSTER;
}

static int add_guard(struct staged *staged, uint64_t offset, const void *bytes, size_t size,
                     struct error **err)
{
    struct staged_guard *guards =
        reallocarray(staged->guards, staged->guard_count + 1, sizeof(*guards));
    if (!guards)
        return error_oom(err);
    staged->guards = guards;
    struct staged_guard guard = {.offset = offset, .size = size, .bytes = malloc(size)};
    if (!guard.bytes)
        return error_oom(err);
    memcpy(guard.bytes, bytes, size);
    guards[staged->guard_count++] = guard;
    return 0;
}

/* In as many pieces as there are clusters. */
int staged_guard(struct block *block, uint64_t offset, const void *bytes, size_t size,
                 struct error **err)
{
    const uint8_t *left = bytes;
    int r = 0;
    while (r == 0 && size > 0) {
        size_t count = (size_t)min_u64(size, STAGED_CLUSTER - offset % STAGED_CLUSTER);
        r = add_guard(staged_of(block), offset, left, count, err);
        offset += count;
        left += count;
        size -= count;
    }
    return r;
}

/* A guard may only stand where the commit writes behind it. */
static bool in_force(struct staged *staged, const struct staged_guard *guard)
{
    uint64_t cluster = cluster_of(guard);
    const struct staged_leaf *leaf = staged_map_find(&staged->map, cluster / STAGED_LEAF);
    return leaf && (leaf->data | leaf->zero) >> cluster % STAGED_LEAF & 1;
}

static int write_guards(struct staged *staged, struct error **err)
{
    bool any = false;
    int r = 0;
    for (size_t i = 0; r == 0 && i < staged->guard_count; i++) {
        const struct staged_guard *guard = &staged->guards[i];
        if (!in_force(staged, guard))
            continue;
        r = block_pwrite(staged->base, guard->bytes, guard->size, guard->offset, err);
        any = true;
    }
    return r == 0 && any ? block_flush(staged->base, err) : r;
}

static bool is_guarded(const struct staged *staged, uint64_t cluster)
{
    for (size_t i = 0; i < staged->guard_count; i++)
        if (cluster_of(&staged->guards[i]) == cluster)
            return true;
    return false;
}

/* What waits to be done to the base at once: adjacent clusters, all data or all zero. */
struct batch {
    struct staged *staged;
    bool guarded; /* takes the guarded clusters alone, else all but these */
    uint8_t *bytes;
    bool zero;
    uint64_t cluster; /* the first */
    uint64_t count;
};

static int batch_write(struct batch *batch, struct error **err)
{
    if (batch->count == 0)
        return 0;
    struct block *base = batch->staged->base;
    uint64_t offset = batch->cluster * STAGED_CLUSTER;
    uint64_t size = min_u64(batch->count * STAGED_CLUSTER, base->size - offset);
    batch->count = 0;
    return batch->zero ? block_discard(base, offset, size, err)
                       : block_pwrite(base, batch->bytes, (size_t)size, offset, err);
}

static int batch_add(struct batch *batch, uint64_t cluster, bool zero, struct error **err)
{
    struct staged *staged = batch->staged;
    int r = 0;
    if (cluster != batch->cluster + batch->count || zero != batch->zero ||
        (!zero && batch->count == commit_clusters))
        r = batch_write(batch, err);
    if (batch->count == 0) {
        batch->cluster = cluster;
        batch->zero = zero;
    }
    uint64_t offset = cluster * STAGED_CLUSTER;
    size_t size = (size_t)min_u64(STAGED_CLUSTER, staged->block.size - offset);
    if (r == 0 && !zero)
        r = block_pread(&staged->block, batch->bytes + batch->count * STAGED_CLUSTER, size, offset,
                        err);
    batch->count += r == 0;
    return r;
}

static int commit_leaf(struct batch *batch, const struct staged_leaf *leaf, struct error **err)
{
    int r = 0;
    for (uint64_t left = leaf->data | leaf->zero; r == 0 && left; left &= left - 1) {
        uint64_t cluster = leaf->number * STAGED_LEAF + (unsigned)__builtin_ctzll(left);
        if (is_guarded(batch->staged, cluster) == batch->guarded)
            r = batch_add(batch, cluster, leaf->zero & left & -left, err);
    }
    return r;
}

static int commit_all(struct batch *batch, const struct staged_leaf **leaves, struct error **err)
{
    struct staged *staged = batch->staged;
    int r = 0;
    for (size_t i = 0; r == 0 && i < staged->map.leaves.count; i++)
        r = commit_leaf(batch, leaves[i], err);
    if (r == 0)
        r = batch_write(batch, err);
    return r < 0 ? r : block_flush(staged->base, err);
}

int staged_commit(struct block *block, struct error **err)
{
    struct staged *staged = staged_of(block);
    _cleanup_free_ const struct staged_leaf **leaves = NULL;
    _cleanup_free_ uint8_t *bytes = malloc((size_t)commit_clusters * STAGED_CLUSTER);
    if (!bytes)
        return error_oom(err);
    struct batch batch = {.staged = staged, .bytes = bytes};
    int r = staged_map_sorted(&staged->map, &leaves, err);
    if (r == 0)
        r = write_guards(staged, err);
    if (r == 0)
        r = commit_all(&batch, leaves, err);
    batch.guarded = true;
    if (r == 0 && staged->guard_count > 0)
        r = commit_all(&batch, leaves, err);
    if (r < 0)
        return r;
    staged_guards_free(staged);
    staged_map_free(&staged->map);
    staged_store_clear(&staged->store);
    staged->clusters = 0;
    return 0;
}
