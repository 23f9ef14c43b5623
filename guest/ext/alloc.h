/*
 * Which blocks and inodes of a mounted ext file system are free: replaces libext2fs's own bitmaps,
 * which are read and written as a whole. Here a block group's bitmaps are read when something in
 * the group is first taken or given back.
 *
 * Blocks that were given back are not taken again before the next commit: until then the image
 * still refers to them.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "guest/ext/lib.h"

struct ext_alloc;
struct ext_bitmaps;

/* Installs itself in fs. */
int ext_alloc_new(ext2_filsys fs, struct ext_alloc **ret, struct error **err);
void ext_alloc_free(struct ext_alloc *alloc);

/* Blocks that can be taken now. Another ext_alloc_pending() become free with a commit. */
uint64_t ext_alloc_available(const struct ext_alloc *alloc);
uint64_t ext_alloc_pending(const struct ext_alloc *alloc);

/* Takes a run of 1 to `want` blocks, at `goal` or behind it if possible. */
errcode_t ext_alloc_run(struct ext_alloc *alloc, uint64_t goal, uint64_t want, uint64_t *ret_start,
                        uint64_t *ret_count);

/* -ENOSPC when there is none left. */
int ext_alloc_inode(struct ext_alloc *alloc, ext2_ino_t near, bool is_dir, ext2_ino_t *ret,
                    struct error **err);
int ext_alloc_release_inode(struct ext_alloc *alloc, ext2_ino_t inode, bool is_dir,
                            struct error **err);

/* For what looks at all groups. */
struct ext_bitmaps *ext_alloc_bitmaps(struct ext_alloc *alloc);

/* A transaction, with that of ext_io. */
void ext_alloc_begin(struct ext_alloc *alloc);
void ext_alloc_end(struct ext_alloc *alloc);
void ext_alloc_rollback(struct ext_alloc *alloc);

/* After the changes were written out. */
void ext_alloc_committed(struct ext_alloc *alloc);

/* What went wrong where libext2fs could not be told, or NULL. Caller owns it. */
struct error *ext_alloc_take_error(struct ext_alloc *alloc);
