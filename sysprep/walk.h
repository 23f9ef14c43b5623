/* Walking a directory of the guest. */
#pragma once

#include "guest/guest.h"

/* A negative return ends the walk with that value. */
typedef int walk_fn(void *context, const char *path, const struct guest_stat *st,
                    struct error **err);

/*
 * Calls visit for everything at any depth below the directory that is no directory itself. Links
 * are visited, not followed. What is visited may be removed.
 */
int walk_files(struct guest *guest, const char *dir, walk_fn *visit, void *context,
               struct error **err);
