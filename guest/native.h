/* The native engine's inside: what its files share. */
#pragma once

#include "guest/engine.h"
#include "guest/ext_fs.h"
#include "guest/volume.h"

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
};

struct native {
    struct guest guest;
    struct block *block;
    struct volumes volumes;
    struct native_mount *mounts; /* [0] is the root file system */
    size_t mount_count;
};

/* Finds the root file system and mounts what its fstab says. -EOPNOTSUPP, -ENOENT, -EMLINK: see
 * guest_open(). */
int native_mount_all(struct native *native, struct reporter *reporter, struct error **err);
void native_unmount_all(struct native *native);

struct resolved {
    struct node parent; /* the directory that has the entry, or would have it */
    char name[256];     /* the entry; "" where the path ends in the root, "." or ".." */
    enum { LAST_NAME, LAST_ROOT, LAST_DOT, LAST_DOT_DOT } last;
    bool exists;
    struct node node; /* if it exists */
    bool must_be_dir; /* the path ends with a slash */
};

/*
 * Walks a path within the guest: symbolic links are resolved against the guest's root, ".." stops
 * there, mount points are crossed. With `follow` a link in the last component is resolved as well.
 * A missing last component is no failure. -ENOENT, -ENOTDIR, -ELOOP after 40 links, -EOPNOTSUPP
 * below a mount point that cannot be served.
 */
int native_resolve(struct native *native, const char *path, bool follow, struct resolved *ret,
                   struct error **err);

/* -EOPNOTSUPP for a directory on which something is mounted that cannot be served. */
int native_check_served(const struct native *native, struct node node, struct error **err);
