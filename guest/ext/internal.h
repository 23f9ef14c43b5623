/* What the files behind fs.h share. */
#pragma once

#include "guest/ext/alloc.h"
#include "guest/ext/fs.h"
#include "guest/ext/io.h"
#include "guest/ext/names.h"

struct ext_fs {
    ext2_filsys fs;
    struct ext_source source;
    struct ext_alloc *alloc; /* NULL: opened for reading */
    struct ext_names *names;
    char *name;
    const char *blocker;
    const char *damage;
    uint64_t changes; /* in memory, when the operation began */
    bool broken;      /* a change failed half-way: nothing may be written any more */
    char *failure;    /* why; NULL: out of memory for it */
};

/* Describes a failure of libext2fs; `fmt` says what could not be done. Returns the negative errno.
 */
int ext_fail(struct ext_fs *fs, errcode_t code, struct error **err, const char *fmt, ...)
    _printf_(4, 5);

/* Starts an operation that only reads, or the next part of a long one: libext2fs may read so many
 * blocks until the next start, which is more than any operation of kiln needs. */
void ext_start(struct ext_fs *fs);
/* The same for one that has to visit this many blocks. */
void ext_start_long(struct ext_fs *fs, uint64_t blocks);

/* Starts and ends one that writes. ext_finish() returns r, or the failure of a callback that
 * libext2fs could not be told. When it returns a failure and something has been changed before, the
 * file system is unusable from then on: see ext_check_intact(). */
int ext_begin(struct ext_fs *fs, struct error **err);
int ext_finish(struct ext_fs *fs, int r, struct error **err);

/* An inode with its extra part; `size` bytes of it are on disk. */
struct ext_inode {
    ext2_ino_t number;
    size_t size;
    struct ext2_inode_large *raw; /* size bytes, at least sizeof(*raw) */
};

/* Reads an inode that a directory entry names: it must be in use and of a sane kind. */
int ext_inode_load(struct ext_fs *fs, ext2_ino_t number, struct ext_inode *ret, struct error **err);
/* The same, and it may be changed: see ext_inode_check_change(). */
int ext_inode_load_for_change(struct ext_fs *fs, ext2_ino_t number, struct ext_inode *ret,
                              struct error **err);
int ext_inode_store(struct ext_fs *fs, struct ext_inode *inode, struct error **err);
void ext_inode_free(struct ext_inode *inode);
#define _cleanup_ext_inode_ _cleanup_(ext_inode_free)

static inline struct ext2_inode *ext_small(const struct ext_inode *inode)
{
    return (struct ext2_inode *)inode->raw;
}

/* Fills an inode for a new object and takes a number for it. */
int ext_inode_new(struct ext_fs *fs, ext2_ino_t parent, mode_t mode, const struct ext_owner *owner,
                  struct ext_inode *ret, struct error **err);
/* Gives up an inode without links, with all that belongs to it. */
int ext_inode_release(struct ext_fs *fs, struct ext_inode *inode, struct error **err);

/* The device that a special file stands for; 0 for any other. */
dev_t ext_inode_device(const struct ext_inode *inode);

/* -EPERM for immutable objects, -EOPNOTSUPP for kinds that must not be changed here. */
int ext_inode_check_change(const struct ext_inode *inode, bool append_is_fine, struct error **err);

enum { EXT_TOUCH_CHANGE = 1 << 0, EXT_TOUCH_MODIFY = 1 << 1 };
/* Sets ctime, or mtime and ctime, to now. */
void ext_inode_touch(struct ext_inode *inode, unsigned what);

/* File contents. */

/* Makes an inode without blocks an empty file of the file system's preferred layout. */
int ext_content_init(struct ext_fs *fs, struct ext_inode *inode, struct error **err);
/* Writes the contents of an empty file and sets its size. */
int ext_content_write(struct ext_fs *fs, struct ext_inode *inode, const struct ext_content *content,
                      struct error **err);
/* Bytes of the file at [0, size) into buf. */
int ext_content_read(struct ext_fs *fs, struct ext_inode *inode, void *buf, size_t size,
                     struct error **err);
/* The run of at most `limit` blocks that begins at logical block `at`: *ret_start 0 is a hole, or
 * was never written. Not for inline data. */
int ext_content_run(struct ext_fs *fs, struct ext_inode *inode, uint64_t at, uint64_t limit,
                    uint64_t *ret_start, uint64_t *ret_count, struct error **err);
/* To be called for each of a file's runs: -EUCLEAN when there are more than the file system can
 * hold, since its structures can lead round in circles. */
int ext_content_count_run(const struct ext_fs *fs, uint64_t *runs, struct error **err);
/* Gives back all blocks of the contents and stores the inode, which is then an empty file. */
int ext_content_drop(struct ext_fs *fs, struct ext_inode *inode, struct error **err);

/* Bytes that a file of the inode's layout can have. */
uint64_t ext_size_max(const struct ext_fs *fs, const struct ext_inode *inode);

/* Before ext_begin(): commits when only that can make so many blocks free. */
int ext_make_room(struct ext_fs *fs, uint64_t blocks, struct error **err);
/* ext_make_room() for new contents; -ENOSPC when they cannot fit. */
int ext_reserve(struct ext_fs *fs, const struct ext_content *content, struct error **err);
/* Blocks that `bytes` of contents take, with what it takes to find them. */
uint64_t ext_blocks_for(const struct ext_fs *fs, uint64_t bytes);

/* Extended attributes (xattr.c, acl.c). The inode is as it is stored; changes are in it and
 * stored afterwards. */

/* New contents do not inherit the privileges of the old ones. */
int ext_xattr_drop_capability(struct ext_fs *fs, struct ext_inode *inode, struct error **err);
/* Lets an access control list follow a change of the mode. */
int ext_xattr_chmod(struct ext_fs *fs, struct ext_inode *inode, mode_t mode, struct error **err);

/* Directory entries. */

#define EXT_DIR_ROOM 8u /* blocks that adding an entry may take */

/* Loads a directory that is about to get (`adding`) or lose an entry. */
int ext_dir_load(struct ext_fs *fs, ext2_ino_t number, bool adding, struct ext_inode *ret,
                 struct error **err);
/* Loads what an entry names, and checks that directory and object may be changed. */
int ext_dir_load_entry(struct ext_fs *fs, ext2_ino_t dir, const char *name, struct ext_inode *ret,
                       struct error **err);
/* The directory has changed: its times, and its link count by `links`. */
int ext_dir_touch(struct ext_fs *fs, ext2_ino_t number, int links, struct error **err);

int ext_dir_add(struct ext_fs *fs, ext2_ino_t dir, const char *name, ext2_ino_t inode, mode_t mode,
                struct error **err);
int ext_dir_remove(struct ext_fs *fs, ext2_ino_t dir, const char *name, ext2_ino_t inode,
                   struct error **err);
/* Lets an existing entry name another inode; the entry ".." included. */
int ext_dir_redirect(struct ext_fs *fs, ext2_ino_t dir, const char *name, ext2_ino_t inode,
                     mode_t mode, struct error **err);
int ext_dir_check_empty(struct ext_fs *fs, ext2_ino_t dir, struct error **err);

/* One entry less names the inode: it is given up with the last one. */
int ext_inode_drop_link(struct ext_fs *fs, struct ext_inode *inode, struct error **err);
