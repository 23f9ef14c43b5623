/* Writing what is staged into the base. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "image/commit.h"
#include "image/staged_inside.h"

void staged_guards_free(struct staged *staged)
{
    for (size_t i = 0; i < staged->guard_count; i++)
        free(staged->guards[i].bytes);
    free(staged->guards);
    staged->guards = NULL;
    staged->guard_count = 0;
}

static int add_guard(struct staged *staged, uint64_t offset, const void *bytes, size_t size,
                     struct error **err)
{
    struct commit_guard *guards =
        reallocarray(staged->guards, staged->guard_count + 1, sizeof(*guards));
    if (!guards)
        return error_oom(err);
    staged->guards = guards;
    struct commit_guard guard = {.offset = offset, .size = size, .bytes = malloc(size)};
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

/* The leaves in ascending order, and how far the search has come. */
struct walk {
    const struct staged *staged;
    const struct staged_leaf **leaves;
    size_t at;
};

/* The first run of a leaf's clusters from the n-th on. */
static bool find_in_leaf(const struct staged_leaf *leaf, unsigned n, struct commit_run *ret)
{
    uint64_t left = n < STAGED_LEAF ? (leaf->data | leaf->zero) >> n << n : 0;
    if (!left)
        return false;
    unsigned first = (unsigned)__builtin_ctzll(left);
    ret->zero = leaf->zero >> first & 1;
    uint64_t kind = (ret->zero ? leaf->zero : leaf->data) >> first;
    unsigned count = ~kind ? (unsigned)__builtin_ctzll(~kind) : STAGED_LEAF;
    ret->offset = (leaf->number * STAGED_LEAF + first) * STAGED_CLUSTER;
    ret->length = (uint64_t)count * STAGED_CLUSTER;
    return true;
}

static int next_run(void *context, uint64_t from, struct commit_run *ret, struct error **err)
{
    struct walk *walk = context;
    uint64_t cluster = from / STAGED_CLUSTER;
    (void)err;
    ret->length = 0;
    for (; walk->at < walk->staged->map.leaves.count; walk->at++) {
        const struct staged_leaf *leaf = walk->leaves[walk->at];
        uint64_t first = leaf->number * STAGED_LEAF;
        uint64_t n = cluster > first ? cluster - first : 0;
        if (find_in_leaf(leaf, (unsigned)min_u64(n, STAGED_LEAF), ret))
            break;
    }
    if (ret->length > 0)
        ret->length = min_u64(ret->length, walk->staged->block.size - ret->offset);
    return 0;
}

int staged_commit(struct block *block, const char *image, enum image_format format,
                  struct error **err)
{
    struct staged *staged = staged_of(block);
    _cleanup_free_ const struct staged_leaf **leaves = NULL;
    _cleanup_commit_ struct commit *commit = NULL;
    struct walk walk = {.staged = staged};
    const struct commit_source source = {.next = next_run, .context = &walk, .contents = block};
    const struct commit_options options = {
        .image = image,
        .format = format,
        .guards = staged->guards,
        .guard_count = staged->guard_count,
        .late_zeroes = true,
    };
    int r = staged_map_sorted(&staged->map, &leaves, err);
    walk.leaves = leaves;
    if (r == 0)
        r = commit_prepare(staged->base, &source, &options, &commit, err);
    if (r == 0)
        r = commit_all(&commit, 1, err);
    if (r < 0)
        return r;
    staged_guards_free(staged);
    staged_map_free(&staged->map);
    staged_store_clear(&staged->store);
    staged->clusters = 0;
    return 0;
}
