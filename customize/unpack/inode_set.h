/* A set of inode numbers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Zero-initialise. */
struct inode_set {
    uint64_t *slots; /* open addressing; 0, which no inode has, is a free slot */
    size_t room;     /* a power of two */
    size_t count;
};

/* At most `max` numbers, else -E2BIG. One that is in the set already is fine. */
int inode_set_add(struct inode_set *set, uint64_t inode, size_t max, struct error **err);
bool inode_set_has(const struct inode_set *set, uint64_t inode);
void inode_set_free(struct inode_set *set);
