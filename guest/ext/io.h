/*
 * libext2fs's view of a part of a block source: an io_manager with a write-back cache.
 *
 * What libext2fs writes stays in memory until ext_io_commit(). File contents bypass the cache.
 */
#pragma once

#include "base/error.h"
#include "guest/ext/lib.h"
#include "image/block.h"

struct ext_source {
    struct block *block; /* not owned */
    uint64_t offset;     /* bytes within the block source */
    uint64_t length;
    bool writable;
};

#define EXT_IO_NAME_MAX 32

/* The name to give to ext2fs_open() together with ext_io_manager(). The source must outlive it. */
void ext_io_name(const struct ext_source *source, char name[static EXT_IO_NAME_MAX]);
io_manager ext_io_manager(void);

/* How many block reads through libext2fs may follow: structures of a damaged file system can refer
 * to each other for ever. Reads beyond the budget fail. */
void ext_io_budget(io_channel channel, uint64_t reads);
/* Lets every further read fail: damage was found where libext2fs cannot be told. */
void ext_io_poison(io_channel channel);

/* The failure of the block source behind libext2fs's error code, or NULL. Caller owns it. */
struct error *ext_io_take_error(io_channel channel);

/* How many times a block in memory was changed. */
uint64_t ext_io_changes(io_channel channel);

/* Bytes that wait to be written. */
uint64_t ext_io_dirty(io_channel channel);

/* Whole blocks of file contents, past the cache but in agreement with it. */
int ext_io_read_data(io_channel channel, uint64_t block, uint64_t count, void *buf,
                     struct error **err);
int ext_io_write_data(io_channel channel, uint64_t block, uint64_t count, const void *buf,
                      struct error **err);

/*
 * Writes out everything that waits. `guard` is a superblock that says "not clean": it is written
 * first and the real one last, so that a process killed in between leaves a file system that
 * asks to be checked.
 */
int ext_io_commit(io_channel channel, const void *guard, struct error **err);

/* Where the superblock lies on the disk, in bytes. */
uint64_t ext_io_superblock(io_channel channel);
