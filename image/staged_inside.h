/* A staged block's inside. Internal to image/. */
#pragma once

#include "image/staged.h"
#include "image/staged_map.h"
#include "image/staged_store.h"

/* What the base holds at this place while a commit is under way. */
struct staged_guard {
    uint64_t offset;
    size_t size;
    void *bytes;
};

struct staged {
    struct block block;
    struct block *base;
    struct staged_map map;
    struct staged_store store;
    uint64_t clusters; /* staged ones */
    struct staged_guard *guards;
    size_t guard_count;
};

struct staged *staged_of(struct block *block);

void staged_guards_free(struct staged *staged);
