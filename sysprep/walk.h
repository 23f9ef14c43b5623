/* Walking a directory of the guest. */
#pragma once

#include "guest/guest.h"

/* `type`: S_IFREG, S_IFLNK, ... A negative return ends the walk with that value. */
typedef int walk_fn(void *context, const char *path, mode_t type, struct error **err);

/*
 * Calls visit for everything at any depth below the directory that is no directory itself. Links
 * are visited, not followed. What is visited may be removed.
 */
int walk_files(struct guest *guest, const char *dir, walk_fn *visit, void *context,
               struct error **err);
