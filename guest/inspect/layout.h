/*
 * File systems that a guest mounts though its fstab does not name them: by the kernel command line
 * (mount.usr=, systemd-fstab-generator(8)), by the types of GPT partitions
 * (systemd-gpt-auto-generator(8)), and the /usr of Container Linux.
 */
#pragma once

#include "guest/guest.h"
#include "guest/inspect/fstab.h"
#include "guest/inspect/volume.h"

struct layout_mount {
    const char *dir;
    const char *spec; /* as fstab's first field has it; NULL: it was not found */
    const char *why;  /* how it was found, or why it is missed: a clause */
    bool verity;      /* dm-verity checks the contents: a guest refuses what was changed */
};

struct layout {
    struct guest *guest; /* what its fstab names is mounted */
    const struct volumes *volumes;
    const struct volume *root;
    const struct fstab *fstab;
    /* Mounts; what cannot be mounted is the callee's business. */
    int (*mount)(void *context, const struct layout_mount *mount, struct error **err);
    void *context;
};

#define LAYOUT_VERITY_REASON "dm-verity checks its contents, and the guest refuses what was changed"

/* Calls `mount` for each of them, those that others lie within first. */
int layout_mount_all(struct layout *layout, struct error **err);

/* Whether the disk of this volume has hashes of dm-verity for a file system of this kind. */
bool layout_has_verity(const struct volumes *volumes, const struct volume *root);
