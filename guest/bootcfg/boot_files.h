/* Where files of boot loaders lie in the guest: loaders name them from the roots of file systems.
 */
#pragma once

#include "guest/bootcfg/grub_script.h"

/* The guest's file systems, as fstab and the engine name them. */
struct boot_files {
    struct guest *guest;
    struct boot_place {
        char *dir;  /* "/", "/boot" */
        char *uuid; /* "" when not known */
        char *label;
    } * places;
    size_t count;
    bool known; /* fstab and the root's UUID are: which file system a path means can be told */
    bool btrfs; /* the root's paths may begin with subvolumes */
};

int boot_files_read(struct guest *guest, struct boot_files *ret, struct error **err);
void boot_files_free(struct boot_files *files);
#define _cleanup_boot_files_ _cleanup_(boot_files_free)

/* What a path of the guest is. -EOPNOTSUPP where it cannot be told: below a mount point that this
 * engine does not serve, or a link that leads nowhere here. */
int boot_files_stat(struct boot_files *files, const char *path, struct grub_found *ret,
                    struct error **err);

/* A file by its path from the root of a file system that is not known: the guest's root, the one
 * below /boot, or one whose subvolume the path names first. `dir` (may be NULL): looked into before
 * all others. -EOPNOTSUPP as well where there are several. */
int boot_files_guess(struct boot_files *files, const char *dir, const char *path,
                     struct grub_found *ret, struct error **err);

/* For struct grub_host; the context is a struct boot_files. */
int boot_files_find(void *context, const char *device, const char *path, struct grub_found *ret,
                    struct error **err);
int boot_files_find_device(void *context, enum grub_key key, const char *value, char **ret,
                           struct error **err);
const char *boot_files_uuid(void *context, const char *device);

/* The device that has a path of the guest, and the path there; the caller frees both. */
int boot_files_place(const struct boot_files *files, const char *path, char **ret_device,
                     char **ret_path, struct error **err);
