/* The native engine's inside: what its files share. */
#pragma once

#include "guest/engine.h"
#include "guest/ext/fs.h"
#include "guest/inspect/fstab.h"
#include "guest/inspect/volume.h"
#include "guest/resolve.h"

/* An object of the guest. */
struct node {
    size_t mount; /* index into native.mounts */
    uint32_t inode;
};

struct native_mount {
    struct ext_fs *fs;           /* NULL: cannot be served, and `refusal` says why */
    const struct volume *volume; /* NULL where the device is not on this disk */
    char *dir;                   /* "/boot" */
    struct node at;              /* the directory that it covers; unused for the root */
    char *refusal;
    bool verity; /* read only: the guest refuses what was changed */
};

struct native {
    struct guest guest;
    struct block *block;
    enum image_format format;   /* as it was asked for */
    enum guest_staging staging; /* beyond GUEST_IN_PLACE, the block is a layer over the image */
    struct volumes volumes;
    struct native_mount *mounts; /* [0] is the root file system */
    size_t mount_count;
    char *lack; /* why another engine has to serve this disk; NULL: none has to */
};

/* Notes that another engine has to serve this disk: nothing more is to be done with it here. */
int native_set_lack(struct native *native, struct error **err, const char *fmt, ...) _printf_(3, 4);

/* -EUCLEAN where the guest is to be changed and the file system is marked as not clean or found
 * damaged: that is for no other engine either. */
int native_check_state(const struct native *native, const struct volume *volume,
                       const struct ext_fs *fs, struct error **err);

/* Finds the root file system and mounts what its fstab says, or sets native->lack. -ENOENT,
 * -EMLINK: see guest_open(). */
int native_mount_all(struct native *native, const struct guest_root_choice *choice,
                     struct reporter *reporter, struct error **err);
void native_unmount_all(struct native *native);
/* The same, for the mounting of other file systems after it. */
void native_drop_mounts(struct native *native);
/* Mounts a volume at a directory, one with hashes of dm-verity for reading only. Takes nothing over
 * on failure. */
int native_mount_volume(struct native *native, const struct volume *volume, const char *dir,
                        struct node at, bool verity, struct error **err);
/* Of an ext file system that could not be opened: another engine may know its features. Takes
 * `why` over. */
int native_not_mounted(struct native *native, struct error *why, struct error **err);

/* Finds the root file system (roots.c), or sets native->lack. -ENOENT, -EMLINK: see guest_open().
 */
int native_find_root(struct native *native, const struct guest_root_choice *choice,
                     const struct volume **ret, struct error **err);
/* /etc/fstab of the mounted root; empty where there is none. */
int native_read_fstab(struct native *native, struct fstab *ret, struct error **err);

enum { NATIVE_NAME_MAX = 255 };

struct resolved {
    struct node parent;             /* the directory that has the entry, or would have it */
    char name[NATIVE_NAME_MAX + 1]; /* the entry; "" where the path ends in the root, "." or ".." */
    enum resolve_last last;
    bool exists;
    struct node node; /* if it exists */
    bool must_be_dir; /* the path ends with a slash */
};

/*
 * Walks a path within the guest as guest/resolve.h does, strictly; mount points are crossed. With
 * `follow` a link in the last component is resolved as well.
 * A missing last component is no failure. -ENOENT, -ENOTDIR, -ELOOP after 40 links, -EOPNOTSUPP
 * below a mount point that cannot be served.
 */
int native_resolve(struct native *native, const char *path, bool follow, struct resolved *ret,
                   struct error **err);

/* -EOPNOTSUPP for a directory on which something is mounted that cannot be served. */
int native_check_served(const struct native *native, struct node node, struct error **err);

/* Finding what an operation is about (native.c). */

static inline struct native *native_of(struct guest *guest)
{
    return (struct native *)guest;
}

static inline struct ext_fs *native_fs(struct guest *guest, struct node node)
{
    return native_of(guest)->mounts[node.mount].fs;
}

/* What must exist. */
int native_find(struct guest *guest, const char *path, bool follow, struct resolved *ret,
                struct error **err);
/* The same, for a change of the object itself. */
int native_find_for_change(struct guest *guest, const char *path, bool follow, struct resolved *ret,
                           struct error **err);
/* The same, and it must be a regular file. */
int native_find_file(struct guest *guest, const char *path, bool follow, struct resolved *ret,
                     struct error **err);
/* The name of something to be made that is no directory: -EEXIST. */
int native_find_new(struct guest *guest, const char *path, struct resolved *ret,
                    struct error **err);

/* Operations of the vtable; see guest.h. */

/* native_attrs.c */
int native_lchown(struct guest *guest, const char *path, uid_t uid, gid_t gid, struct error **err);
int native_set_times(struct guest *guest, const char *path, const struct guest_times *times,
                     struct error **err);
int native_list_xattrs(struct guest *guest, const char *path, guest_xattr_fn *attribute,
                       void *context, struct error **err);
int native_set_xattr(struct guest *guest, const char *path, const char *name, const void *value,
                     size_t size, struct error **err);
int native_truncate(struct guest *guest, const char *path, uint64_t size, struct error **err);
int native_download(struct guest *guest, const char *path, int fd, struct error **err);
int native_overwrite(struct guest *guest, const char *path, struct error **err);
int native_mknod(struct guest *guest, const char *path, mode_t mode, dev_t device,
                 struct error **err);
int native_link(struct guest *guest, const char *existing, const char *path, struct error **err);
/* native_disk.c */
int native_renew(struct guest *guest, enum guest_identity what, struct error **err);
int native_trim(struct guest *guest, uint64_t *ret_freed, struct error **err);
int native_file_systems(struct guest *guest, struct guest_file_systems *ret, struct error **err);

/* Sets native->lack where the disk holds what native_renew() cannot serve. */
int native_check_renew(struct native *native, enum guest_identity what, struct error **err);
