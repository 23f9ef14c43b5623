/* What lies on a disk: its partitions, or the disk as a whole, and what each of them holds. */
#pragma once

#include <limits.h>

#include "image/block.h"
#include "image/partition.h"

#define VOLUME_DEVICE_SIZE 320                 /* bytes: "/dev/", names of LVM at their longest */
#define VOLUME_NO_DISK     ((unsigned)INT_MAX) /* no disk's partition: LVM, LUKS, RAID */

struct volume {
    char device[VOLUME_DEVICE_SIZE]; /* "/dev/sda3" in virt-builder's naming; "/dev/sda" for a
                                        whole disk; "/dev/VG/LV" */
    unsigned disk;                   /* the first one of the guest is 0 */
    unsigned number;                 /* of the partition; 0 for a whole disk */
    uint64_t offset;                 /* bytes */
    uint64_t length;                 /* bytes */
    const char *type;   /* as blkid names it: "ext", "xfs", "LVM2_member"...; "" when not known */
    char uuid[37];      /* of the contents, as blkid prints it; "" when there is none */
    char label[257];    /* of the contents */
    uint16_t ext_state; /* of "ext": see guest/ext_state.h */
    char part_uuid[37]; /* of the partition */
    char part_label[109];
    char part_type[37];       /* of a GPT, lower-case; "" for others */
    uint64_t part_attributes; /* of a GPT */
};

struct volumes {
    struct volume *items;
    size_t count;
};

/* What is on a guest's only disk. Extended partitions are left out. */
int volumes_scan(struct block *block, struct volumes *ret, struct error **err);
/* Adds what is on the disk that has this number and name: "/dev/sdb". */
int volumes_add_disk(struct volumes *volumes, struct block *block, unsigned disk,
                     const char *device, struct error **err);
/* Adds a device that has no partitions of its own: a logical volume. */
int volumes_add_device(struct volumes *volumes, struct block *block, const char *device,
                       struct error **err);
void volumes_free(struct volumes *volumes);

/* The volume that an fstab's first field means, or NULL. The n-th disk of any kind is taken for the
 * guest's n-th disk: /dev/sdb, /dev/vdb and /dev/nvme1n1 are the second one. */
const struct volume *volumes_find(const struct volumes *volumes, const char *spec);

/* Whether the type can hold a file system that is not to be seen from outside: LVM, LUKS, RAID,
 * dynamic disks of Windows. */
bool volume_is_container(const struct volume *volume);
/* Whether an operating system may live on the type, though none that is served in-process. */
bool volume_may_hold_root(const struct volume *volume);
/* To be called when the contents have got another UUID. */
void volume_set_uuid(struct volume *volume, const uint8_t uuid[static 16]);
