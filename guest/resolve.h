/*
 * The one walk along a path of the guest: symbolic links lead on from the guest's root, ".." stops
 * there, and a path has at most 40 links. The host's file system is never asked. Private to guest/;
 * others use guest_resolve().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* What the walk asks of a file system. A path has no links in it but that of its last name, and
 * `depth` names: what is called by its first depth - 1 names was looked at before, most recently
 * for each depth. */
struct resolve_ops {
    /* *ret_mode: type and permissions of what is there (not followed); 0: nothing. */
    int (*look)(void *context, const char *path, size_t depth, mode_t *ret_mode,
                struct error **err);
    /* The target of the link that was looked at last. Caller frees. */
    int (*readlink)(void *context, const char *path, size_t depth, char **ret, struct error **err);
};

enum resolve_flags {
    RESOLVE_FOLLOW = 1 << 0, /* a link in the last name too, as always where a slash is behind it */
    /* All but the last name must be directories, as must the last with a slash behind it: -ENOENT,
     * -ENOTDIR. Without this, what does not exist is taken as it is written. */
    RESOLVE_STRICT = 1 << 1,
};

/* What a path ends in, links followed. */
enum resolve_last { LAST_NAME, LAST_ROOT, LAST_DOT, LAST_DOT_DOT };

struct resolved_path {
    char *path;   /* "/" for the root; caller frees */
    size_t depth; /* how many names it has */
    mode_t mode;  /* of what is there; 0: nothing */
    enum resolve_last last;
    bool must_be_dir; /* the path ends with a slash, or not in a name */
};

/* -ELOOP: too many links. Whatever the ops return is passed on. */
int resolve_path(const struct resolve_ops *ops, void *context, const char *path, unsigned flags,
                 struct resolved_path *ret, struct error **err);
