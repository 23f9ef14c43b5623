/* The appliance engine's inside: what its files share. */
#pragma once

#include <guestfs.h>

#include "guest/engine.h"
#include "guest/inspect/fstab.h"
#include "guest/inspect/volume.h"
#include "image/check.h"

#define APPLIANCE_LINES 8 /* of the appliance's output that are kept */

/* A disk of the guest's. */
struct appliance_drive {
    char *path;
    enum image_format format; /* as it was asked for */
    struct image_chain chain; /* the overlay first, if there is one */
    int image_fd;             /* keeps the image's lock; -1: QEMU's own must do */
    int overlay_fd;           /* what takes the changes; -1: the image itself does */
    char *overlay;            /* its name, as long as it has one */
};

/* What is mounted where in the guest. */
struct appliance_mount {
    char *dir;     /* "/boot" */
    char *device;  /* as libguestfs's functions take it: "/dev/sda1", "btrfsvol:/dev/sda1/@" */
    char *options; /* that the device needs there: "subvol=@home"; "" for none */
};

struct appliance {
    struct guest guest;
    struct guest_ops ops; /* with the capabilities of this one */
    guestfs_h *handle;
    struct volumes volumes; /* what the guest's disks hold, with LVM, RAID and opened LUKS */
    char *doubt;            /* why the guest's root is for libguestfs to find; NULL: it is not */
    struct appliance_mount *mounts; /* in the order of mounting: the root first */
    size_t mount_count;
    bool root_mounted;                      /* read-only, since it was found */
    bool root_remounts;                     /* and can be made writable as it is: FUSE's cannot */
    char *arch;                             /* of the guest's programs; NULL: not known (yet) */
    char *root;                             /* device of the root file system */
    const struct guest_root_choice *choice; /* of several systems; NULL: there must be one */
    char *locked;                           /* an encrypted device without a key; NULL: none */
    char *mount_options;                    /* as guest_open_options has them, or NULL */
    char *lines[APPLIANCE_LINES];           /* oldest first, NULL beyond the last */
    struct reporter *reporter;
    enum guest_staging staging;
    bool lock;
    bool abandoned; /* a thread is in a call of the handle that does not end: it stays as it is */
    struct appliance_drive *drives;
    size_t drive_count;
    struct block **servers; /* what libguestfs does not open by itself */
    size_t server_count;
};

extern const struct guest_ops appliance_ops;

/* Describes the failure of the last call. Returns the negative errno. */
int appliance_fail(struct appliance *appliance, struct error **err);

static inline struct appliance *appliance_of(struct guest *guest)
{
    return (struct appliance *)guest;
}

static inline guestfs_h *appliance_handle(struct guest *guest)
{
    return appliance_of(guest)->handle;
}

/* The outcome of a call that returns 0 or -1. */
static inline int appliance_done(struct guest *guest, int r, struct error **err)
{
    return r < 0 ? appliance_fail(appliance_of(guest), err) : 0;
}

/* A NULL-terminated list of libguestfs's. Accepts NULL. */
void appliance_list_free(char **list);
DEFINE_CLEANUP(char **, appliance_list_free);
#define _cleanup_list_ _cleanup_(appliance_list_freep)

/* Disks (drive.c). */

/* Refuses images that are in use, sealed or not to be trusted, and hands the disks to libguestfs,
 * which is not launched yet. */
int appliance_add_drives(struct appliance *appliance, const struct guest_open_options *options,
                         struct error **err);
/* To be called once it is launched: removes the names of overlays and sockets. */
void appliance_hide_drives(struct appliance *appliance);
/* Ends the qemu-nbds that serve the disks. */
void appliance_stop_servers(struct appliance *appliance);

/* What is staged (commit.c). */

/* Ends the appliance and writes what is staged into the images. */
int appliance_commit(struct guest *guest, struct error **err);
void appliance_free_drives(struct appliance *appliance);

/* What is on the disks (scan.c). */

/* Fills in `volumes`: partitions, RAID, LVM. */
int appliance_scan(struct appliance *appliance, struct error **err);
/* Adds a device to `volumes`, unless it is there. */
int appliance_add_volume(struct appliance *appliance, const char *device, struct error **err);
/* Adds the logical volumes that have come since. */
int appliance_add_lvm(struct appliance *appliance, struct error **err);
bool appliance_has_type(const struct appliance *appliance, const char *type);
/* Lets libguestfs find the root. The first reason counts. */
int appliance_set_doubt(struct appliance *appliance, struct error **err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Encrypted devices (crypt.c). */

/* Opens those that there are keys for, and what lies within, which is added to `volumes`. */
int appliance_unlock(struct appliance *appliance, const struct guest_keys *keys,
                     struct error **err);

/* Which file systems are the guest's (roots.c). */

/* Finds the root and fills in `mounts`. -ENOENT, -EMLINK, -ENOKEY: see guest_open(). */
int appliance_find_root(struct appliance *appliance, struct error **err);
/* Fills in `arch` from what is mounted, as far as it tells. */
int appliance_find_arch(struct appliance *appliance, struct error **err);
/* Unmounts everything. */
int appliance_unmount_all(struct appliance *appliance, struct error **err);
int appliance_add_mount(struct appliance *appliance, const char *dir, const char *device,
                        const char *options, struct error **err);
void appliance_free_mounts(struct appliance *appliance);

/* What is mounted below the root (fstab.c). */

/* Adds to `mounts` what the guest's own tables say. Expects the root to be mounted. */
int appliance_plan_mounts(struct appliance *appliance, struct error **err);
/* "" where there is none. */
int appliance_read_fstab(struct appliance *appliance, struct fstab *ret, struct error **err);

/* What fstab does not name (layout.c). */

/* The volume that a root lies on: "/dev/sda3", or the first part of "btrfsvol:/dev/sda3/@". */
const struct volume *appliance_volume_of(const struct appliance *appliance, const char *root);
/* Mounts it, and adds it to `mounts`. */
int appliance_mount_layout(struct appliance *appliance, struct error **err);
int appliance_file_systems(struct guest *guest, struct guest_file_systems *ret, struct error **err);

/* Mounting (mount.c). */

int appliance_mount_all(struct appliance *appliance, struct error **err);
/* -EUCLEAN where a file system that is to be changed is marked as not clean. */
int appliance_check_states(struct appliance *appliance, struct error **err);
/* To be called once all is unmounted: -EUCLEAN where Linux has found errors in one meanwhile. */
int appliance_check_outcome(struct appliance *appliance, struct error **err);
/* What cannot be mounted is a warning, unless it is the root or options were given for it. */
int appliance_mount_one(struct appliance *appliance, const struct appliance_mount *mount,
                        struct error **err);
/* Keeps everything from being changed below the directory. */
int appliance_set_unserved(struct appliance *appliance, const char *dir, const char *why,
                           struct error **err);
int appliance_renew(struct guest *guest, enum guest_identity what, struct error **err);
int appliance_trim(struct guest *guest, uint64_t *ret_freed, struct error **err);

/* On the host (host.c). */

int appliance_mount_on_host(struct guest *guest, const char *directory, guest_work_fn *work,
                            void *context, struct error **err);

/* Programs (run.c). */

/* -ENOEXEC where the guest's programs cannot run on the appliance's processor. */
int appliance_check_arch(struct appliance *appliance, struct error **err);
int appliance_run(struct guest *guest, const char *script, struct guest_run_result *ret,
                  struct error **err);

/* Files (files.c); see guest.h. */

/* The path with its directory resolved within the guest, for what is done outside of its root:
 * links would lead to wherever they lead there. Caller frees. */
char *appliance_resolve_parent(struct guest *guest, const char *path, struct error **err);
/* -EEXIST where something has the name of what is to be made and is no directory. */
int appliance_check_new(struct guest *guest, const char *path, struct error **err);
/* Refuses what is no regular file; reading a pipe would wait for ever. */
int appliance_check_regular(const struct guest_stat *st, struct error **err);
int appliance_lchown(struct guest *guest, const char *path, uid_t uid, gid_t gid,
                     struct error **err);
int appliance_set_times(struct guest *guest, const char *path, const struct guest_times *times,
                        struct error **err);
int appliance_list_xattrs(struct guest *guest, const char *path, guest_xattr_fn *attribute,
                          void *context, struct error **err);
int appliance_set_xattr(struct guest *guest, const char *path, const char *name, const void *value,
                        size_t size, struct error **err);
int appliance_truncate(struct guest *guest, const char *path, uint64_t size, struct error **err);
int appliance_download(struct guest *guest, const char *path, int fd, struct error **err);
int appliance_overwrite(struct guest *guest, const char *path, struct error **err);
int appliance_mknod(struct guest *guest, const char *path, mode_t mode, dev_t device,
                    struct error **err);
int appliance_link(struct guest *guest, const char *existing, const char *path, struct error **err);

/* Many files (bulk.c); see guest.h. */
int appliance_create_files(struct guest *guest, const struct guest_new_file *files, size_t count,
                           struct error **err);
