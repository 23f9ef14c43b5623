#include "image/staged_map.h"

#include <stdlib.h>
#include <string.h>

const struct staged_leaf *staged_map_find(struct staged_map *map, uint64_t number)
{
    if (map->last && map->last->number == number)
        return map->last;
    struct staged_leaf *leaf = hash_find(&map->leaves, hash_number(number), NULL, NULL);
    if (leaf)
        map->last = leaf;
    return leaf;
}

struct staged_leaf *staged_map_get(struct staged_map *map, uint64_t number, struct error **err)
{
    if (staged_map_find(map, number))
        return map->last;
    _cleanup_free_ struct staged_leaf *leaf = calloc(1, sizeof(*leaf));
    if (!leaf) {
        error_oom(err);
        return NULL;
    }
    leaf->number = number;
    if (hash_add(&map->leaves, hash_number(number), leaf, err) < 0)
        return NULL;
    map->last = TAKE_PTR(leaf);
    return map->last;
}

int staged_leaf_set(struct staged_leaf *leaf, unsigned n, uint32_t slot, struct error **err)
{
    if (!leaf->slots) {
        leaf->slots = malloc(STAGED_LEAF * sizeof(*leaf->slots));
        if (!leaf->slots)
            return error_oom(err);
        memset(leaf->slots, 0xff, STAGED_LEAF * sizeof(*leaf->slots));
    }
    leaf->slots[n] = slot;
    leaf->data |= staged_bits(n, 1);
    leaf->zero &= ~staged_bits(n, 1);
    return 0;
}

static int compare_leaves(const void *a, const void *b)
{
    uint64_t left = (*(const struct staged_leaf *const *)a)->number;
    uint64_t right = (*(const struct staged_leaf *const *)b)->number;
    return left < right ? -1 : left > right;
}

int staged_map_sorted(const struct staged_map *map, const struct staged_leaf ***ret,
                      struct error **err)
{
    const struct staged_leaf **sorted = malloc((map->leaves.count + 1) * sizeof(*sorted));
    if (!sorted)
        return error_oom(err);
    size_t count = 0, position = 0;
    for (const struct staged_leaf *leaf; (leaf = hash_next(&map->leaves, &position));)
        sorted[count++] = leaf;
    qsort(sorted, count, sizeof(*sorted), compare_leaves);
    *ret = sorted;
    return 0;
}

void staged_map_free(struct staged_map *map)
{
    size_t position = 0;
    for (struct staged_leaf *leaf; (leaf = hash_next(&map->leaves, &position));) {
        free(leaf->slots);
        free(leaf);
    }
    hash_free(&map->leaves);
    *map = (struct staged_map){0};
}
