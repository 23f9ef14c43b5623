/*
 * The guest file system: one vtable, several engines.
 *
 * Paths are absolute in the guest, as the guest itself would see them after mounting what its fstab
 * says. Symbolic links are resolved inside the guest; neither they nor ".." ever lead to the host.
 * Names are bytes; non-UTF-8 names are kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"
#include "base/report.h"
#include "base/str.h"
#include "guest/resources.h"
#include "image/image.h"

struct guest;

/* What an engine can do, and what an operation may ask for. */
enum guest_capability {
    GUEST_CAN_EDIT = 1 << 0,     /* read and write files */
    GUEST_CAN_RUN = 1 << 1,      /* run the guest's own programs */
    GUEST_CAN_NETWORK = 1 << 2,  /* those programs reach the network */
    GUEST_CAN_RENEW = 1 << 3,    /* give LVM volumes new identities, and those file systems where
                                    that is a small thing */
    GUEST_CAN_RENEW_FS = 1 << 4, /* give every file system a new identity */
    GUEST_CAN_MOUNT = 1 << 5,    /* show its files in a directory of the host */
};

struct guest_stat {
    mode_t mode; /* type and permissions */
    uid_t uid;
    gid_t gid;
    uint64_t size; /* bytes */
    uint64_t inode;
    uint64_t fs; /* tells the guest's file systems apart: inodes are numbered within one */
    unsigned links;
    dev_t device;  /* of a device node: see makedev(3) */
    int64_t atime; /* seconds since 1970 */
    int64_t mtime;
};

/* Seconds since 1970. */
struct guest_times {
    int64_t atime;
    int64_t mtime;
};

/* For guest_write(): what a file that is created gets. A file that exists keeps its mode and owner
 * unless `force` says otherwise. */
struct guest_file_attr {
    mode_t mode; /* permission bits */
    uid_t uid;
    gid_t gid;
    bool force;
};

/* A regular file that is to be, for guest_create_files(). */
struct guest_new_file {
    const char *path;
    const void *data;
    size_t size;
    struct guest_file_attr attr;
    int64_t mtime; /* seconds since 1970; its atime becomes about now */
};

/* The root file system and where it lies. */
struct guest_root {
    char *device;  /* "/dev/sda3" in virt-builder's naming; "/dev/sda" for a whole disk */
    char *fs;      /* "ext4", "xfs", ... */
    char *uuid;    /* "" when there is none */
    uint64_t size; /* bytes; 0: not known */
    uint64_t free;
};

void guest_root_free(struct guest_root *root);
#define _cleanup_guest_root_ _cleanup_(guest_root_free)

/* What lies on the guest's disks: a file system, swap, or what contains others. */
struct guest_file_system {
    char *device;             /* as in struct guest_root */
    char *type;               /* as blkid names it; "" where it is not known */
    char *label;              /* "" for none */
    char *uuid;               /* "" for none */
    uint64_t size;            /* bytes of the device; 0: not known */
    struct strv mount_points; /* where the guest mounts it */
};

struct guest_file_systems {
    struct guest_file_system *items;
    size_t count;
};

void guest_file_systems_free(struct guest_file_systems *list);
#define _cleanup_file_systems_ _cleanup_(guest_file_systems_free)
/* Adds one, for engines; the texts are copied. Returns NULL for out of memory. */
struct guest_file_system *guest_file_systems_add(struct guest_file_systems *list,
                                                 const struct guest_file_system *item,
                                                 struct error **err);

/* Called once a directory entry, "." and ".." left out; a negative return ends the listing with
 * that value. `type`: S_IFREG, S_IFDIR, ... where the engine knows it without looking further; 0
 * where only guest_stat() tells. */
typedef int guest_dirent_fn(void *context, const char *name, mode_t type);

/* Called once an extended attribute ("security.selinux"); a negative return ends the listing with
 * that value. */
typedef int guest_xattr_fn(void *context, const char *name, const void *value, size_t size);

/* What became of a program in the guest. */
struct guest_run_result {
    int status;   /* exit status; 128 + N when signal N killed it */
    char *output; /* the end of what it printed on both streams, at most 1 MiB, NUL-terminated */
};

void guest_run_result_free(struct guest_run_result *result);
#define _cleanup_guest_run_result_ _cleanup_(guest_run_result_free)

/* What is done while the guest's files are in a directory of the host. */
typedef int guest_work_fn(void *context, const char *directory, struct error **err);

/* What guest_renew() gives new, random identities. */
enum guest_identity {
    GUEST_FILE_SYSTEM_UUIDS, /* of every file system that can have one; the caller corrects fstab
                                and boot loader */
    GUEST_LVM_UUIDS,         /* of physical volumes and volume groups */
};

/*
 * Every path that reaches an engine has passed guest_path_check(). "follow" in the comments: a
 * symbolic link in the last component is followed; links in earlier ones always are. All return 0
 * or a negative errno: -ENOENT, -ENOTDIR, -EISDIR, -ELOOP, -ENOSPC, -EROFS as usual.
 */
struct guest_ops {
    const char *name;
    unsigned capabilities; /* enum guest_capability */
    int (*stat)(struct guest *guest, const char *path, bool follow, struct guest_stat *ret,
                struct error **err);
    /* The whole regular file (follow), at most max bytes; NUL-terminated behind the end. */
    int (*read)(struct guest *guest, const char *path, size_t max, char **ret, size_t *ret_size,
                struct error **err);
    /* The first bytes of the regular file (follow), at most max, which is at most 1 MiB. NULL:
     * this engine has nothing quicker than read. */
    int (*read_head)(struct guest *guest, const char *path, size_t max, char **ret,
                     size_t *ret_size, struct error **err);
    int (*readlink)(struct guest *guest, const char *path, char **ret, struct error **err);
    int (*list)(struct guest *guest, const char *path, guest_dirent_fn *entry, void *context,
                struct error **err);
    /* Creates or replaces the regular file's contents (follow). */
    int (*write)(struct guest *guest, const char *path, const void *data, size_t size,
                 const struct guest_file_attr *attr, struct error **err);
    /* As write, with the contents of a host descriptor from its current position to its end. */
    int (*upload)(struct guest *guest, int fd, const char *path, const struct guest_file_attr *attr,
                  struct error **err);
    int (*mkdir)(struct guest *guest, const char *path, mode_t mode, struct error **err);
    int (*symlink)(struct guest *guest, const char *target, const char *path, struct error **err);
    int (*rename)(struct guest *guest, const char *from, const char *to, struct error **err);
    /* A file, link or special file (not followed). */
    int (*unlink)(struct guest *guest, const char *path, struct error **err);
    int (*rmdir)(struct guest *guest, const char *path, struct error **err);
    int (*chmod)(struct guest *guest, const char *path, mode_t mode, struct error **err);
    int (*chown)(struct guest *guest, const char *path, uid_t uid, gid_t gid, struct error **err);
    /* These four do not follow a link in the last component. */
    int (*lchown)(struct guest *guest, const char *path, uid_t uid, gid_t gid, struct error **err);
    int (*set_times)(struct guest *guest, const char *path, const struct guest_times *times,
                     struct error **err);
    int (*list_xattrs)(struct guest *guest, const char *path, guest_xattr_fn *attribute,
                       void *context, struct error **err);
    /* A NULL value removes the attribute; absent is fine then. */
    int (*set_xattr)(struct guest *guest, const char *path, const char *name, const void *value,
                     size_t size, struct error **err);
    /* A regular file (follow) cut or extended with zeroes. */
    int (*truncate)(struct guest *guest, const char *path, uint64_t size, struct error **err);
    /* NULL: this engine has nothing quicker than one file after the other. */
    int (*create_files)(struct guest *guest, const struct guest_new_file *files, size_t count,
                        struct error **err);
    /* The contents of a regular file (follow) into a host descriptor, from its current position;
     * holes may be left out where the descriptor can seek. */
    int (*download)(struct guest *guest, const char *path, int fd, struct error **err);
    /* Overwrites the data of a regular file (not followed) where it lies; its size stays. */
    int (*overwrite)(struct guest *guest, const char *path, struct error **err);
    /* A device node, FIFO or socket: mode has the type. Nothing may have that name. */
    int (*mknod)(struct guest *guest, const char *path, mode_t mode, dev_t device,
                 struct error **err);
    /* A hard link to what is no directory (not followed). */
    int (*link)(struct guest *guest, const char *existing, const char *path, struct error **err);
    /* Runs /bin/sh -c SCRIPT in the guest. GUEST_CAN_RUN. */
    int (*run)(struct guest *guest, const char *script, struct guest_run_result *ret,
               struct error **err);
    /* The guest's files appear in the empty directory of the host for as long as `work` takes,
     * whose return value is passed on. GUEST_CAN_MOUNT. */
    int (*mount_on_host)(struct guest *guest, const char *directory, guest_work_fn *work,
                         void *context, struct error **err);
    /* GUEST_CAN_RENEW; an engine may lack it on disks that hold nothing of that kind. */
    int (*renew)(struct guest *guest, enum guest_identity what, struct error **err);
    /* Makes the free blocks of every file system holes of the image, or zeroes. *ret_freed: bytes
     * that were not zero before, as far as known. */
    int (*trim)(struct guest *guest, uint64_t *ret_freed, struct error **err);
    int (*root)(struct guest *guest, struct guest_root *ret, struct error **err);
    /* NULL: this guest cannot tell. */
    int (*file_systems)(struct guest *guest, struct guest_file_systems *ret, struct error **err);
    /* Flushes everything to the image. */
    int (*sync)(struct guest *guest, struct error **err);
    /* Writes what is staged into the image: the last step of guest_close(), after sync and right
     * before close. A guest that wraps another one has to pass this on. NULL: nothing is ever
     * staged. */
    int (*commit)(struct guest *guest, struct error **err);
    void (*close)(struct guest *guest);
};

/* Where changes go before guest_close(). */
enum guest_staging {
    GUEST_IN_PLACE,  /* straight into the image */
    GUEST_STAGED,    /* a layer over the image, written into it by guest_close() alone: what fails
                        before leaves the image as it was */
    GUEST_THROW_AWAY /* the same, and never written: to see what would happen */
};

struct guest_open_options {
    enum image_format format;
    struct guest_resources resources;
    bool writable;
    unsigned capabilities; /* what the work needs; 0 means GUEST_CAN_EDIT */
    bool lock;             /* refuse images in use; see image_open() */
    bool unseal;           /* write even to a sealed template; see image/seal.h */
    /* For a disk that has no name yet (see base/outfile.h): gives it one, since the appliance can
     * open only named files. Called at most once; the name stays the callee's. NULL: `path` is a
     * name. */
    const char *(*give_name)(void *context, struct error **err);
    void *give_name_context;
    /* Further disks of the guest, behind the first; only the appliance serves them. */
    const struct guest_drive *drives;
    size_t drive_count;
    /* Mount options by mount point, as virt-sysprep's --mount-options: "/:noatime;/var:nodev".
     * NULL: none. Only the appliance mounts. */
    const char *mount_options;
    enum guest_staging staging;
    struct reporter *reporter;
};

/*
 * Opens the disk, finds the root file system and mounts what the guest's fstab says. With
 * GUEST_ENGINE_AUTO the cheapest engine that can serve the disk and has the capabilities is taken;
 * guest_engine_reason() tells why. No operating system found is -ENOENT, several are -EMLINK; none
 * found beside an encrypted device without a key is -ENOKEY, and keys that do not open the device
 * that they are for are -EKEYREJECTED.
 */
int guest_open(const char *path, const struct guest_open_options *options, struct guest **ret,
               struct error **err);

/* Whether the engine serves everything that the guest mounts. */
bool guest_is_complete(const struct guest *guest);

const char *guest_engine_used(const struct guest *guest);   /* "native" or "appliance" */
const char *guest_engine_reason(const struct guest *guest); /* one clause for the log */

/* Flushes, writes what is staged (not with GUEST_THROW_AWAY) and closes: the image is consistent on
 * success. The guest is freed in any case. */
int guest_close(struct guest *guest, struct error **err);
/* Closes without commit: for error paths. Accepts NULL. */
void guest_discard(struct guest *guest);
DEFINE_CLEANUP(struct guest *, guest_discard);
#define _cleanup_guest_ _cleanup_(guest_discardp)

/* The gate for guest paths: absolute, no NUL, no component over 255 bytes, at most 4096 bytes.
 * ".." is allowed and never climbs above the root. */
int guest_path_check(const char *path, struct error **err);

/* The vtable's operations behind the gate; messages are wrapped with the path. */
int guest_stat(struct guest *guest, const char *path, bool follow, struct guest_stat *ret,
               struct error **err);
bool guest_exists(struct guest *guest, const char *path); /* follow; false on any error */
bool guest_is_dir(struct guest *guest, const char *path); /* follow */
int guest_read(struct guest *guest, const char *path, size_t max, char **ret, size_t *ret_size,
               struct error **err);
/* The first bytes, at most max, which is at most 1 MiB. Caller frees. */
int guest_read_head(struct guest *guest, const char *path, size_t max, char **ret, size_t *ret_size,
                    struct error **err);
int guest_readlink(struct guest *guest, const char *path, char **ret, struct error **err);
int guest_list(struct guest *guest, const char *path, guest_dirent_fn *entry, void *context,
               struct error **err);
int guest_write(struct guest *guest, const char *path, const void *data, size_t size,
                const struct guest_file_attr *attr, struct error **err);
int guest_upload(struct guest *guest, int fd, const char *path, const struct guest_file_attr *attr,
                 struct error **err);
int guest_mkdir(struct guest *guest, const char *path, mode_t mode, struct error **err);
int guest_symlink(struct guest *guest, const char *target, const char *path, struct error **err);
int guest_rename(struct guest *guest, const char *from, const char *to, struct error **err);
int guest_unlink(struct guest *guest, const char *path, struct error **err);
int guest_rmdir(struct guest *guest, const char *path, struct error **err);
int guest_chmod(struct guest *guest, const char *path, mode_t mode, struct error **err);
int guest_chown(struct guest *guest, const char *path, uid_t uid, gid_t gid, struct error **err);
int guest_lchown(struct guest *guest, const char *path, uid_t uid, gid_t gid, struct error **err);
int guest_set_times(struct guest *guest, const char *path, const struct guest_times *times,
                    struct error **err);
int guest_list_xattrs(struct guest *guest, const char *path, guest_xattr_fn *attribute,
                      void *context, struct error **err);
int guest_set_xattr(struct guest *guest, const char *path, const char *name, const void *value,
                    size_t size, struct error **err);
int guest_truncate(struct guest *guest, const char *path, uint64_t size, struct error **err);
int guest_download(struct guest *guest, const char *path, int fd, struct error **err);
int guest_overwrite(struct guest *guest, const char *path, struct error **err);
/* Whether many files at once cost this engine less than one by one. */
bool guest_creates_in_bulk(const struct guest *guest);
/* Makes regular files where nothing is, or where an earlier call has made one. A failure leaves
 * some of them. Only where guest_creates_in_bulk(). */
int guest_create_files(struct guest *guest, const struct guest_new_file *files, size_t count,
                       struct error **err);
int guest_mknod(struct guest *guest, const char *path, mode_t mode, dev_t device,
                struct error **err);
int guest_link(struct guest *guest, const char *existing, const char *path, struct error **err);
int guest_run(struct guest *guest, const char *script, struct guest_run_result *ret,
              struct error **err);
int guest_mount_on_host(struct guest *guest, const char *directory, guest_work_fn *work,
                        void *context, struct error **err);
int guest_renew(struct guest *guest, enum guest_identity what, struct error **err);
int guest_trim(struct guest *guest, uint64_t *ret_freed, struct error **err);
int guest_sync(struct guest *guest, struct error **err);
/* Caller frees with guest_root_free(). */
int guest_root(struct guest *guest, struct guest_root *ret, struct error **err);
/* What is on the disks and where it is mounted. Caller frees with guest_file_systems_free(). */
int guest_file_systems(struct guest *guest, struct guest_file_systems *ret, struct error **err);

/* Composed of the above, the same for every engine. */
/* The path with all links resolved, "." and ".." gone; `follow`: a link in the last name as well,
 * as always where a slash is behind it. What does not exist is taken as it is written. Caller
 * frees. -ELOOP: there are too many links. */
int guest_resolve(struct guest *guest, const char *path, bool follow, char **ret,
                  struct error **err);
int guest_mkdir_p(struct guest *guest, const char *path, mode_t mode, struct error **err);
/* cp -a of one object that is no directory (not followed): contents or link target, mode, owner,
 * times, extended attributes. An existing regular file at `to`, or one that a link there leads to,
 * gets all that; where it has further names, or `from` is no regular file, what is at `to` is
 * replaced. A directory there, a link that leads nowhere, or a special file where a regular one is
 * to be, is -EEXIST. */
int guest_copy(struct guest *guest, const char *from, const char *to, struct error **err);
/* The same for whole trees; `to` is the new root of the tree. Files that have several names within
 * the tree have them in the copy. Into a directory that exists, the tree is merged. -EINVAL for the
 * copy of a tree into itself. */
int guest_copy_tree(struct guest *guest, const char *from, const char *to, struct error **err);
/* rm -rf: absent is fine, links are not followed. */
int guest_remove(struct guest *guest, const char *path, struct error **err);
/* Replaces a file's contents so that its mode and owner stay: the way to edit configuration. */
int guest_replace(struct guest *guest, const char *path, const void *data, size_t size,
                  struct error **err);
