/*
 * Objects put into the guest one by one, as tar(1) does when it extracts an archive as root: owners
 * are numbers, modes are taken whole, what is at the place already is replaced unless both are
 * directories. For safety:
 *
 * - Nothing is put outside of the directory: names with ".." are refused, and so are names that
 * lead through a link which came with the same objects and is absolute or has "..".
 * - A link of the guest that leads to a directory stays where a directory is to be put, as with
 *   tar's --keep-directory-symlink: extracting "bin/tool" must not replace /bin -> usr/bin.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "guest/guest.h"

struct unpack_entry {
    const char *name; /* below the directory; leading slashes do not count; "." is the directory */
    mode_t mode;      /* type and permissions */
    uid_t uid;
    gid_t gid;
    int64_t mtime;    /* seconds since 1970 */
    dev_t device;     /* of a device node */
    const char *link; /* a symbolic link's target; with hard_link, the name of an earlier entry */
    bool hard_link;
    /* A regular file's contents: a descriptor at its start, or `size` bytes at `data`. */
    int fd; /* -1: none */
    const void *data;
    size_t size;
};

struct unpack;

/* Begins below the guest's directory, which must exist. */
int unpack_new(struct guest *guest, const char *directory, struct unpack **ret, struct error **err);

/* Messages name the entry. */
int unpack_add(struct unpack *unpack, const struct unpack_entry *entry, struct error **err);

/* Sets the times of the directories that are still open: their contents came after them. */
int unpack_finish(struct unpack *unpack, struct error **err);

/* Accepts NULL. */
void unpack_free(struct unpack *unpack);
DEFINE_CLEANUP(struct unpack *, unpack_free);
#define _cleanup_unpack_ _cleanup_(unpack_freep)
