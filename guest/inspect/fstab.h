/* /etc/fstab of a guest (fstab(5)). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct fstab_entry {
    char *spec;    /* "UUID=...", "/dev/sda1" */
    char *dir;     /* mount point; "none" for swap */
    char *type;    /* "ext4", "auto" */
    char *options; /* "defaults,nofail" */
};

struct fstab {
    struct fstab_entry *items;
    size_t count;
};

/* Lines that are no entry are passed over, as mount(8) does. More than 1,000 entries are -EFBIG. */
int fstab_parse(const char *text, struct fstab *ret, struct error **err);
void fstab_free(struct fstab *fstab);
#define _cleanup_fstab_ _cleanup_(fstab_free)

bool fstab_has_option(const struct fstab_entry *entry, const char *option);
/* The option that chooses a subvolume of btrfs: "subvol=@home" or "subvolid=257"; "" for none.
 * Caller frees. */
char *fstab_subvolume(const struct fstab_entry *entry, struct error **err);
/* Whether the entry is a file system on a disk that is mounted at boot or when it is first used. */
bool fstab_is_mounted(const struct fstab_entry *entry);
