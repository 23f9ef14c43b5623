/* What lies on a disk: its partitions, or the disk as a whole, and what each of them holds. */
#pragma once

#include "image/block.h"
#include "image/partition.h"

struct volume {
    char device[32];    /* "/dev/sda3" in virt-builder's naming; "/dev/sda" for a whole disk */
    unsigned number;    /* of the partition; 0 for a whole disk */
    uint64_t offset;    /* bytes */
    uint64_t length;    /* bytes */
    const char *type;   /* as blkid names it: "ext", "xfs", "LVM2_member"...; "" when not known */
    char uuid[37];      /* of the contents, as blkid prints it; "" when there is none */
    char label[257];    /* of the contents */
    char part_uuid[37]; /* of the partition */
    char part_label[73];
};

struct volumes {
    struct volume *items;
    size_t count;
};

/* Extended partitions are left out. */
int volumes_scan(struct block *block, struct volumes *ret, struct error **err);
void volumes_free(struct volumes *volumes);

/* The volume that an fstab's first field means, or NULL. Any disk's name is taken for this disk as
 * long as it is the first of its kind (/dev/sda, /dev/vda, /dev/nvme0n1). */
const struct volume *volumes_find(const struct volumes *volumes, const char *spec);

/* Whether the type can hold a file system that is not to be seen from outside: LVM, LUKS, RAID. */
bool volume_is_container(const struct volume *volume);
/* Whether an operating system may live on the type, though none that is served in-process. */
bool volume_may_hold_root(const struct volume *volume);
/* To be called when the contents have got another UUID. */
void volume_set_uuid(struct volume *volume, const uint8_t uuid[static 16]);
