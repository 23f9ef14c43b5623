#include "guest/ext/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* Longer names are looked up each time. */
#define NAME_MAX_KEPT 48u

enum { slot_count = 512 };

struct slot {
    uint32_t dir; /* 0: empty */
    uint32_t inode;
    char name[NAME_MAX_KEPT];
};

struct ext_names {
    struct slot slots[slot_count];
};

struct ext_names *ext_names_new(void)
{
    return calloc(1, sizeof(struct ext_names));
}

void ext_names_free(struct ext_names *names)
{
    free(names);
}

/* Each name has one place, so that dropping it needs no search. NULL for those that are never
 * kept. */
static const struct slot *place_of(const struct ext_names *names, uint32_t dir, const char *name)
{
    uint64_t code = hash_text(hash_text_start ^ hash_number(dir), name);
    return strlen(name) < NAME_MAX_KEPT ? &names->slots[(code ^ code >> 32) % slot_count] : NULL;
}

static bool holds(const struct slot *slot, uint32_t dir, const char *name)
{
    return slot && slot->dir == dir && strcmp(slot->name, name) == 0;
}

bool ext_names_find(const struct ext_names *names, uint32_t dir, const char *name, uint32_t *ret)
{
    const struct slot *slot = place_of(names, dir, name);
    if (!dir || !holds(slot, dir, name))
        return false;
    *ret = slot->inode;
    return true;
}

void ext_names_keep(struct ext_names *names, uint32_t dir, const char *name, uint32_t inode)
{
    struct slot *slot = (struct slot *)place_of(names, dir, name);
    if (!slot)
        return;
    slot->dir = dir;
    slot->inode = inode;
    memcpy(slot->name, name, strlen(name) + 1);
}

void ext_names_drop(struct ext_names *names, uint32_t dir, const char *name)
{
    struct slot *slot = (struct slot *)place_of(names, dir, name);
    if (holds(slot, dir, name))
        slot->dir = 0;
}

void ext_names_drop_all(struct ext_names *names)
{
    for (size_t i = 0; i < slot_count; i++)
        names->slots[i].dir = 0;
}
