/* Which clusters of a disk are staged, and where their bytes are. Internal to image/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    STAGED_CLUSTER = 4096, /* bytes */
    STAGED_LEAF = 64,      /* clusters that one leaf describes */
};

#define STAGED_NO_SLOT UINT32_MAX

/* The clusters from number * STAGED_LEAF on; bit n of a bitmap stands for the n-th of them. */
struct staged_leaf {
    uint64_t key;    /* number + 1; 0: an empty place of the table */
    uint64_t data;   /* staged bytes stand for the base's */
    uint64_t zero;   /* reads as zeroes, whatever the base holds; never also in `data` */
    uint32_t *slots; /* STAGED_LEAF of them, in the store; NULL: no cluster had bytes yet */
};

/* Zero-initialise. A hash table whose size follows what is staged, not the size of the disk. */
struct staged_map {
    struct staged_leaf *leaves;
    size_t capacity; /* a power of two */
    size_t count;
    size_t last; /* where the previous look-up ended: most are for the same leaf again */
};

/* NULL: none of its clusters is staged. Valid until the next staged_map_get(). */
const struct staged_leaf *staged_map_find(struct staged_map *map, uint64_t number);
/* The leaf, added where there is none; NULL and *err without memory. Valid until the next call. */
struct staged_leaf *staged_map_get(struct staged_map *map, uint64_t number, struct error **err);
/* Sets the slot of the n-th cluster of a leaf; it becomes data. */
int staged_leaf_set(struct staged_leaf *leaf, unsigned n, uint32_t slot, struct error **err);
/* The leaves in ascending order, map->count of them; caller frees the array. */
int staged_map_sorted(const struct staged_map *map, const struct staged_leaf ***ret,
                      struct error **err);
void staged_map_free(struct staged_map *map);

/* Bits first..first+count-1 of a bitmap; count is 1..64. */
static inline uint64_t staged_bits(unsigned first, unsigned count)
{
    return (count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1) << first;
}
