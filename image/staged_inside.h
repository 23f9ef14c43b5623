/* A staged block's inside. Internal to image/. */
#pragma once

#include "image/commit.h"
#include "image/staged.h"
#include "image/staged_map.h"
#include "image/staged_store.h"

struct staged {
    struct block block;
    struct block *base;
    struct staged_map map;
    struct staged_store store;
    uint64_t clusters; /* staged ones */
    struct commit_guard *guards;
    size_t guard_count;
};

struct staged *staged_of(struct block *block);

void staged_guards_free(struct staged *staged);
