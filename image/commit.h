/*
 * Writes changes that were kept apart into a disk: all of them, or none. The native engine's layer
 * (image/staged.h) and the appliance's overlays come through here.
 *
 *   commit_prepare()  what changes, and an undo journal of it (image/undo.h), where one can be
 *   commit_write()    guards, changes, what the guards stood for
 *   commit_finish()   removes the journal
 *
 * with commit_roll_back() in the place of the last after a failure. A guest of several disks goes
 * through each step with all of them.
 */
#pragma once

#include "image/image.h"

/* Bytes that change in the same way. length 0: there are no more. */
struct commit_run {
    uint64_t offset; /* both in whole clusters of 4 KiB, but for the disk's end */
    uint64_t length;
    bool zero;
};

struct commit_source {
    /* The first run that begins or goes on at `from` or behind it. */
    int (*next)(void *context, uint64_t from, struct commit_run *ret, struct error **err);
    void *context;
    struct block *contents; /* of what is not zero */
};

/* What the disk holds at this place, within one cluster, while the commit is under way: so that a
 * file system is marked as not clean for as long as it is not. */
struct commit_guard {
    uint64_t offset;
    size_t size;
    void *bytes;
};

struct commit_options {
    const char *image; /* its path, for the journal beside it; NULL: none */
    enum image_format format;
    const struct commit_guard *guards; /* without effect where nothing changes in their cluster */
    size_t guard_count;
    bool late_zeroes; /* runs of zeroes are what nothing refers to any more: they are let go when
                         all else is done, and are not undone */
};

struct commit;

/* What it is given has to stay. */
int commit_prepare(struct block *disk, const struct commit_source *source,
                   const struct commit_options *options, struct commit **ret, struct error **err);
int commit_write(struct commit *commit, struct error **err);
/* To be called after a failure of commit_write(), or of another disk's. -ETORN: it could not be
 * undone, and the message says how to go on; 0: the disk is as it was before. */
int commit_roll_back(struct commit *commit, struct error **err);
int commit_finish(struct commit *commit, struct error **err);
/* Accepts NULL. Leaves a journal where it is. */
void commit_free(struct commit *commit);
DEFINE_CLEANUP(struct commit *, commit_free);
#define _cleanup_commit_ _cleanup_(commit_freep)

/* The three steps for `count` disks. A failure leaves all disks as they were, but for -ETORN. */
int commit_all(struct commit *const *commits, size_t count, struct error **err);
