/*
 * Which blocks and inodes of a mounted ext file system are free: replaces libext2fs's own bitmaps,
 * which are read and written as a whole. Here a block group's bitmaps are read when something in
 * the group is first taken or given back.
 *
 * What that saves, by bench/ext-bitmaps (one file of 4 KiB made in a sparse ext4 image; two cores
 * under load, so that only the ratios count):
 *
 *                       libext2fs alone          here
 *     10 GiB, fresh       50 ms,   2.5 MiB         6 ms,  2.0 MiB
 *     10 GiB, in use      74 ms,   2.4 MiB        16 ms,  2.0 MiB
 *     10 TiB, fresh    21462 ms, 327.1 MiB       383 ms, 12.3 MiB
 *     10 TiB, in use   25140 ms, 327.2 MiB       395 ms, 12.3 MiB
 *
 * Single changes are not undone when they fail (see ext_check_intact()). An undo log of blocks,
 * bitmaps and descriptors was here: 2 % of the instructions of small changes, at 10 TiB 5 MiB of
 * memory and a seventh of the time, 200 lines; no caller relies on going on after such a failure.
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

/* How many times a bitmap or a descriptor was changed, or could be left half changed. */
uint64_t ext_alloc_changes(const struct ext_alloc *alloc);

/* After the changes were written out. */
void ext_alloc_committed(struct ext_alloc *alloc);

/* What went wrong where libext2fs could not be told, or NULL. Caller owns it. */
struct error *ext_alloc_take_error(struct ext_alloc *alloc);
