/*
 * The directories that a walk through a guest has entered. A directory has one name; in a file
 * system that is damaged, or made to do harm, several names can lead to it: 40 levels, each of
 * which names the next one twice, have 2^40 paths. So a walk enters each directory once, and
 * refuses a file system in which it meets one again.
 */
#pragma once

#include "base/hash.h"
#include "guest/guest.h"

/* Zero-initialise. */
struct visited {
    struct hash directories;
};

/* -EUCLEAN: the directory was entered before, under another path. */
int visited_enter(struct visited *visited, const struct guest_stat *st, const char *path,
                  struct error **err);
void visited_free(struct visited *visited);
#define _cleanup_visited_ _cleanup_(visited_free)
