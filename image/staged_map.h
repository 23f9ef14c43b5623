/* Which clusters of a disk are staged, and where their bytes are. Internal to image/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

enum {
    STAGED_CLUSTER = 4096, /* bytes */
    STAGED_LEAF = 64,      /* clusters that one leaf describes */
};

#define STAGED_NO_SLOT UINT32_MAX

/* The clusters from number * STAGED_LEAF on; bit n of a bitmap stands for the n-th of them. */
struct staged_leaf {
    uint64_t number;
    uint64_t data;   /* staged bytes stand for the base's */
    uint64_t zero;   /* reads as zeroes, whatever the base holds; never also in `data` */
    uint32_t *slots; /* STAGED_LEAF of them, in the store; NULL: no cluster had bytes yet */
};

/* Zero-initialise. Its size follows what is staged, not the size of the disk. */
struct staged_map {
    struct hash leaves;       /* by number */
    struct staged_leaf *last; /* the one found last: most look-ups are for the same leaf again */
};

/* NULL: none of its clusters is staged. */
const struct staged_leaf *staged_map_find(struct staged_map *map, uint64_t number);
/* The leaf, added where there is none; NULL and *err without memory. */
struct staged_leaf *staged_map_get(struct staged_map *map, uint64_t number, struct error **err);
/* Sets the slot of the n-th cluster of a leaf; it becomes data. */
int staged_leaf_set(struct staged_leaf *leaf, unsigned n, uint32_t slot, struct error **err);
/* The leaves in ascending order, map->leaves.count of them; caller frees the array. */
int staged_map_sorted(const struct staged_map *map, const struct staged_leaf ***ret,
                      struct error **err);
void staged_map_free(struct staged_map *map);

/* Bits first..first+count-1 of a bitmap; count is 1..64. */
static inline uint64_t staged_bits(unsigned first, unsigned count)
{
    return (count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1) << first;
}
