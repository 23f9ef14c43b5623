/*
 * One ext2, ext3 or ext4 file system, edited in-process. Objects are named by inode number, entries
 * by directory and name; paths and links are the business of resolve.h.
 *
 * Changes are in memory until ext_sync(), but for file contents, which go into blocks that were
 * free. A function that fails before it has changed anything (no such entry, no space, not empty)
 * leaves all as it was. One that fails later makes the file system unusable: ext_check_intact().
 * Single changes are not taken back: edits are staged over the image as a whole (image/staged.h),
 * no caller relies on going on after such a failure, and the copies cost memory and code.
 * A damaged file system gives errors (-EUCLEAN), never a crash or an endless loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "guest/guest.h"
#include "image/block.h"

#define EXT_ROOT 2u /* the root directory's inode */

struct ext_fs;

/*
 * Opens the file system in [offset, offset + length) of the block source, which stays the caller's
 * and must live as long. `name` is for messages. With `writable`, a file system that must not be
 * written is opened for reading all the same, and ext_blocker() says why.
 * -EOPNOTSUPP: it has features that the library does not know.
 */
int ext_open(struct block *block, uint64_t offset, uint64_t length, bool writable, const char *name,
             struct ext_fs **ret, struct error **err);
/* Drops what was not synced. Accepts NULL. */
void ext_close(struct ext_fs *fs);

/* Why this file system cannot be served, as a clause ("its journal needs recovery"), or NULL. */
const char *ext_blocker(const struct ext_fs *fs);

/* What was found damaged in a file system opened for writing, as a clause; NULL: nothing so far. It
 * has a blocker then. */
const char *ext_damage(const struct ext_fs *fs);

/* -EIO once a change has failed half-way: then nothing is written any more, and neither should
 * anything be read. The message says what failed. */
int ext_check_intact(const struct ext_fs *fs, struct error **err);

/* Writes every change to the block source. Does not flush the block source. */
int ext_sync(struct ext_fs *fs, struct error **err);
/* For a file system on a staged block (image/staged.h): has it marked as not clean while the next
 * commit is under way. */
int ext_guard(struct ext_fs *fs, struct block *staged, struct error **err);

const char *ext_kind(const struct ext_fs *fs); /* "ext2", "ext3", "ext4" */
uint64_t ext_size(const struct ext_fs *fs);    /* bytes */
uint64_t ext_free(const struct ext_fs *fs);    /* bytes */

int ext_stat(struct ext_fs *fs, uint32_t inode, struct guest_stat *ret, struct error **err);
/* -ENOENT when there is no such entry. */
int ext_lookup(struct ext_fs *fs, uint32_t dir, const char *name, uint32_t *ret,
               struct error **err);
int ext_list(struct ext_fs *fs, uint32_t dir, guest_dirent_fn *entry, void *context,
             struct error **err);
/* Fresh memory, NUL-terminated. */
int ext_readlink(struct ext_fs *fs, uint32_t inode, char **ret, struct error **err);
int ext_read(struct ext_fs *fs, uint32_t inode, size_t max, char **ret, size_t *ret_size,
             struct error **err);
/* The first bytes, at most max. */
int ext_read_head(struct ext_fs *fs, uint32_t inode, size_t max, char **ret, size_t *ret_size,
                  struct error **err);

/* A regular file's contents to fd, from its current position on; holes are left out where they can
 * be. */
int ext_download(struct ext_fs *fs, uint32_t inode, int fd, struct error **err);

/* What a file is to contain: size bytes at data, or, where data is NULL, what fd yields. */
struct ext_content {
    const void *data;
    size_t size;
    int fd;
};

/* What a new object gets beside its type. */
struct ext_owner {
    mode_t mode; /* permission bits */
    uid_t uid;
    gid_t gid;
};

/* New entries; the name must be free. */
int ext_create(struct ext_fs *fs, uint32_t dir, const char *name, const struct ext_owner *owner,
               const struct ext_content *content, struct error **err);
int ext_mkdir(struct ext_fs *fs, uint32_t dir, const char *name, const struct ext_owner *owner,
              struct error **err);
int ext_symlink(struct ext_fs *fs, uint32_t dir, const char *name, const char *target,
                struct error **err);

/* A device node, FIFO or socket: mode has the type; see mknod(2). */
int ext_mknod(struct ext_fs *fs, uint32_t dir, const char *name, mode_t mode, dev_t device,
              struct error **err);
/* One more name for what is no directory. */
int ext_link(struct ext_fs *fs, uint32_t inode, uint32_t dir, const char *name, struct error **err);

/* New contents for an existing file, which keeps everything else. */
int ext_replace(struct ext_fs *fs, uint32_t inode, const struct ext_content *content,
                struct error **err);

/* Cuts a regular file, or extends it with zeroes. */
int ext_truncate(struct ext_fs *fs, uint32_t inode, uint64_t size, struct error **err);
/* Writes zeroes over the data of a regular file, in the blocks where it lies, which reaches the
 * image before ext_sync(). */
int ext_overwrite(struct ext_fs *fs, uint32_t inode, struct error **err);

int ext_unlink(struct ext_fs *fs, uint32_t dir, const char *name, struct error **err);
int ext_rmdir(struct ext_fs *fs, uint32_t dir, const char *name, struct error **err);
/* As rename(2): an existing target is replaced. */
int ext_rename(struct ext_fs *fs, uint32_t from_dir, const char *from, uint32_t to_dir,
               const char *to, struct error **err);
int ext_chmod(struct ext_fs *fs, uint32_t inode, mode_t mode, struct error **err);
int ext_chown(struct ext_fs *fs, uint32_t inode, uid_t uid, gid_t gid, struct error **err);
/* As utimensat(2); what the file system cannot keep becomes the nearest that it can. */
int ext_set_times(struct ext_fs *fs, uint32_t inode, const struct guest_times *times,
                  struct error **err);

/* Extended attributes, in the form of getxattr(2). */
int ext_list_xattrs(struct ext_fs *fs, uint32_t inode, guest_xattr_fn *attribute, void *context,
                    struct error **err);
/* As lsetxattr(2), ACLs included. A NULL value removes the attribute; absent is fine then. */
int ext_set_xattr(struct ext_fs *fs, uint32_t inode, const char *name, const void *value,
                  size_t size, struct error **err);

/* Whether ext_renew_uuid() can do its work, and why not as a clause; NULL: it can. */
const char *ext_renew_blocker(const struct ext_fs *fs);
/* Gives the file system a new, random UUID. */
int ext_renew_uuid(struct ext_fs *fs, uint8_t ret[static 16], struct error **err);

/* Lets the block source discard what no file uses, after everything was synced. *freed grows by the
 * bytes that were not known to be zeroes before. */
int ext_trim(struct ext_fs *fs, uint64_t *freed, struct error **err);
