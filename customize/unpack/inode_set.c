#include "customize/unpack/inode_set.h"

#include <errno.h>
#include <stdlib.h>

/* The slot that holds the number, or the free one where it belongs. */
static uint64_t *slot_of(const struct inode_set *set, uint64_t inode)
{
    size_t at = (size_t)((inode * 0x9e3779b97f4a7c15u) >> 20) & (set->room - 1);
    while (set->slots[at] != 0 && set->slots[at] != inode)
        at = (at + 1) & (set->room - 1);
    return &set->slots[at];
}

static int grow(struct inode_set *set, struct error **err)
{
    struct inode_set larger = {.room = set->room ? 2 * set->room : 64, .count = set->count};
    larger.slots = calloc(larger.room, sizeof(*larger.slots));
    if (!larger.slots)
        return error_oom(err);
    for (size_t i = 0; i < set->room; i++)
        if (set->slots[i] != 0)
            *slot_of(&larger, set->slots[i]) = set->slots[i];
    free(set->slots);
    *set = larger;
    return 0;
}

int inode_set_add(struct inode_set *set, uint64_t inode, size_t max, struct error **err)
{
    if (inode == 0 || inode_set_has(set, inode))
        return 0;
    if (set->count >= max)
        return error_set(err, E2BIG, "there are more than %zu of them", max);
    if (2 * (set->count + 1) > set->room) {
        int r = grow(set, err);
        if (r < 0)
            return r;
    }
    *slot_of(set, inode) = inode;
    set->count++;
    return 0;
}

bool inode_set_has(const struct inode_set *set, uint64_t inode)
{
    return set->count > 0 && inode != 0 && *slot_of(set, inode) == inode;
}

void inode_set_free(struct inode_set *set)
{
    free(set->slots);
    *set = (struct inode_set){0};
}
