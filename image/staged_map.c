#include "image/staged_map.h"

#include <stdlib.h>
#include <string.h>

enum { first_capacity = 64 };

/* Neighbouring leaves must not all land on neighbouring places: the multiplier is 2^64 divided by
 * the golden ratio, and the upper bits of the product are the well-mixed ones. */
static size_t place_of(const struct staged_map *map, uint64_t number)
{
    return (size_t)((number * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (map->capacity - 1);
}

/* The place of the leaf, or the empty one where it would go. */
static size_t probe(const struct staged_map *map, uint64_t number)
{
    size_t at = place_of(map, number);
    while (map->leaves[at].key != 0 && map->leaves[at].key != number + 1)
        at = (at + 1) & (map->capacity - 1);
    return at;
}

const struct staged_leaf *staged_map_find(struct staged_map *map, uint64_t number)
{
    if (map->count == 0)
        return NULL;
    if (map->leaves[map->last].key != number + 1)
        map->last = probe(map, number);
    const struct staged_leaf *leaf = &map->leaves[map->last];
    return leaf->key ? leaf : NULL;
}

static int grow(struct staged_map *map, struct error **err)
{
    struct staged_map larger = {.capacity = map->capacity ? 2 * map->capacity : first_capacity,
                                .count = map->count};
    larger.leaves = calloc(larger.capacity, sizeof(*larger.leaves));
    if (!larger.leaves)
        return error_oom(err);
    for (size_t i = 0; i < map->capacity; i++)
        if (map->leaves[i].key)
            larger.leaves[probe(&larger, map->leaves[i].key - 1)] = map->leaves[i];
    free(map->leaves);
    *map = larger;
    return 0;
}

struct staged_leaf *staged_map_get(struct staged_map *map, uint64_t number, struct error **err)
{
    if (!staged_map_find(map, number)) {
        if (map->count + map->count / 2 >= map->capacity && grow(map, err) < 0)
            return NULL;
        map->last = probe(map, number);
        map->leaves[map->last].key = number + 1;
        map->count++;
    }
    return &map->leaves[map->last];
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
    uint64_t left = (*(const struct staged_leaf *const *)a)->key;
    uint64_t right = (*(const struct staged_leaf *const *)b)->key;
    return left < right ? -1 : left > right;
}

int staged_map_sorted(const struct staged_map *map, const struct staged_leaf ***ret,
                      struct error **err)
{
    const struct staged_leaf **sorted = malloc((map->count + 1) * sizeof(*sorted));
    if (!sorted)
        return error_oom(err);
    size_t count = 0;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->leaves[i].key)
            sorted[count++] = &map->leaves[i];
    qsort(sorted, count, sizeof(*sorted), compare_leaves);
    *ret = sorted;
    return 0;
}

void staged_map_free(struct staged_map *map)
{
    for (size_t i = 0; i < map->capacity; i++)
        free(map->leaves[i].slots);
    free(map->leaves);
    *map = (struct staged_map){0};
}
