#include "guest/inspect/volume.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "base/str.h"
#include "base/uuid.h"
#include "guest/ext_state.h"

/*
 * How contents are told. The formats: ext (Linux Documentation/filesystems/ext4, super block), XFS
 * (XFS Algorithms & Data Structures, 3rd ed., superblocks), btrfs (on-disk format, superblock), FAT
 * (Microsoft FAT specification 1.03), LUKS (on-disk format 1.2.3 and 2), LVM2, md (Linux
 * md_p.h), swap (Linux swap.h), EROFS (Linux Documentation/filesystems/erofs.rst), the superblock
 * of dm-verity (cryptsetup docs/on-disk-format).
 */
enum uuid_form { UUID_NONE, UUID_BINARY, UUID_TEXT, UUID_FAT };

struct signature {
    const char *type;
    uint32_t offset;
    const char *magic;
    uint8_t length;
    enum uuid_form uuid_form;
    uint32_t uuid_offset;
    uint32_t label_offset; /* 0: none */
    uint16_t label_length;
};

/* The first match wins: containers before what may be left over from an earlier life. */
static const struct signature signatures[] = {
    {"crypto_LUKS", 0, "LUKS\xba\xbe", 6, UUID_TEXT, 168, 0, 0},
    {"LVM2_member", 512, "LABELONE", 8, UUID_NONE, 0, 0, 0},
    {"linux_raid_member", 4096, "\xfc\x4e\x2b\xa9", 4, UUID_NONE, 0, 0, 0},
    {"linux_raid_member", 0, "\xfc\x4e\x2b\xa9", 4, UUID_NONE, 0, 0, 0},
    {"DM_verity_hash", 0, "verity\0", 8, UUID_BINARY, 16, 0, 0},
    {"BitLocker", 3, "-FVE-FS-", 8, UUID_NONE, 0, 0, 0},
    {"xfs", 0, "XFSB", 4, UUID_BINARY, 32, 108, 12},
    {"btrfs", 0x10040, "_BHRfS_M", 8, UUID_BINARY, 0x10020, 0x1012b, 256},
    {"ext", 1024 + 56, "\x53\xef", 2, UUID_BINARY, 1024 + 104, 1024 + 120, 16},
    {"erofs", 1024, "\xe2\xe1\xf5\xe0", 4, UUID_BINARY, 1024 + 48, 1024 + 64, 16},
    {"f2fs", 1024, "\x10\x20\xf5\xf2", 4, UUID_BINARY, 1024 + 108, 0, 0},
    {"squashfs", 0, "hsqs", 4, UUID_NONE, 0, 0, 0},
    {"ntfs", 3, "NTFS    ", 8, UUID_NONE, 0, 0, 0},
    {"exfat", 3, "EXFAT   ", 8, UUID_FAT, 100, 0, 0},
    {"vfat", 82, "FAT32   ", 8, UUID_FAT, 67, 71, 11},
    {"vfat", 54, "FAT16   ", 8, UUID_FAT, 39, 43, 11},
    {"vfat", 54, "FAT12   ", 8, UUID_FAT, 39, 43, 11},
    {"swap", 4086, "SWAPSPACE2", 10, UUID_BINARY, 1036, 1052, 16},
    {"iso9660", 0x8001, "CD001", 5, UUID_NONE, 0, 0, 0},
};

static const char *const container_types[] = {"LVM2_member", "crypto_LUKS", "linux_raid_member",
                                              "BitLocker",   "LDM",         "disklabel"};
static const char *const root_types[] = {"xfs", "btrfs", "f2fs", "ntfs", "squashfs", "erofs"};

static bool in_list(const char *type, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(type, list[i]) == 0)
            return true;
    return false;
}

bool volume_is_container(const struct volume *volume)
{
    return in_list(volume->type, container_types, ARRAY_SIZE(container_types));
}

bool volume_may_hold_root(const struct volume *volume)
{
    return volume_is_container(volume) || in_list(volume->type, root_types, ARRAY_SIZE(root_types));
}

void volume_set_uuid(struct volume *volume, const uint8_t uuid[static 16])
{
    uuid_format(uuid, volume->uuid);
}

/* Reads what the signature says about identity. */
static int identify(struct block *block, const struct signature *signature, struct volume *volume,
                    struct error **err)
{
    uint8_t raw[40];
    size_t needs = signature->uuid_form == UUID_TEXT     ? 36
                   : signature->uuid_form == UUID_BINARY ? 16
                   : signature->uuid_form == UUID_FAT    ? 4
                                                         : 0;
    if (needs && range_within(signature->uuid_offset, needs, volume->length)) {
        int r = block_pread(block, raw, needs, volume->offset + signature->uuid_offset, err);
        if (r < 0)
            return r;
        if (signature->uuid_form == UUID_BINARY)
            uuid_format(raw, volume->uuid);
        else if (signature->uuid_form == UUID_FAT)
            snprintf(volume->uuid, sizeof(volume->uuid), "%02X%02X-%02X%02X", raw[3], raw[2],
                     raw[1], raw[0]);
        else
            snprintf(volume->uuid, sizeof(volume->uuid), "%.36s", (const char *)raw);
    }
    if (!signature->label_offset ||
        !range_within(signature->label_offset, signature->label_length, volume->length))
        return 0;
    int r = block_pread(block, volume->label, signature->label_length,
                        volume->offset + signature->label_offset, err);
    volume->label[signature->label_length] = '\0';
    /* FAT pads with spaces. */
    for (size_t end = strlen(volume->label); end > 0 && volume->label[end - 1] == ' '; end--)
        volume->label[end - 1] = '\0';
    return r;
}

static int read_ext_state(struct block *block, struct volume *volume, struct error **err)
{
    le16_t state;
    if (!range_within(EXT_STATE_OFFSET, sizeof(state), volume->length))
        return 0;
    int r = block_pread(block, &state, sizeof(state), volume->offset + EXT_STATE_OFFSET, err);
    if (r == 0)
        volume->ext_state = le16_get(state);
    return r;
}

static int probe(struct block *block, struct volume *volume, struct error **err)
{
    volume->type = "";
    for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
        const struct signature *signature = &signatures[i];
        uint8_t found[16];
        if (!range_within(signature->offset, signature->length, volume->length))
            continue;
        int r =
            block_pread(block, found, signature->length, volume->offset + signature->offset, err);
        if (r < 0)
            return r;
        if (memcmp(found, signature->magic, signature->length) != 0)
            continue;
        volume->type = signature->type;
        r = identify(block, signature, volume, err);
        return r == 0 && strcmp(volume->type, "ext") == 0 ? read_ext_state(block, volume, err) : r;
    }
    return 0;
}

static bool is_extended(const struct partition *partition)
{
    return partition->mbr_type == 0x05 || partition->mbr_type == 0x0f ||
           partition->mbr_type == 0x85;
}

/* Partitions that the Logical Disk Manager of Windows composes volumes of. */
static bool is_dynamic(const struct partition *partition)
{
    return partition->mbr_type == 0x42 ||
           strcmp(partition->type_guid, "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3") == 0 ||
           strcmp(partition->type_guid, "af9b60a0-1431-4f62-bc68-3311714a69ad") == 0;
}

/* Slices of the BSDs, Solaris and Minix: what lies within has a table of its own. */
static bool is_sliced(const struct partition *partition)
{
    static const uint8_t types[] = {0x81, 0xa5, 0xa6, 0xa9, 0xbf};
    return memchr(types, partition->mbr_type, sizeof(types));
}

static struct volume *add_volume(struct volumes *volumes, const struct volume *volume,
                                 struct error **err)
{
    struct volume *items =
        reallocarray(volumes->items, volumes->count + 1, sizeof(*volumes->items));
    if (!items) {
        error_oom(err);
        return NULL;
    }
    volumes->items = items;
    items[volumes->count] = *volume;
    return &items[volumes->count++];
}

static int set_device(struct volume *volume, const char *device, struct error **err)
{
    if (strlen(device) >= sizeof(volume->device))
        return error_set(err, ENAMETOOLONG, "the device's name is longer than %zu bytes",
                         sizeof(volume->device) - 1);
    strcpy(volume->device, device);
    return 0;
}

static int add_partition(struct volumes *volumes, struct block *block, unsigned disk,
                         const char *device, const struct partition *partition, struct error **err)
{
    struct volume volume = {
        .disk = disk,
        .number = partition->number,
        .offset = partition->start,
        .length = partition->length,
    };
    bool digit = isdigit((unsigned char)device[strlen(device) - 1]);
    _cleanup_free_ char *name =
        str_printf(err, "%s%s%u", device, digit ? "p" : "", partition->number);
    int r = name ? set_device(&volume, name, err) : -ENOMEM;
    if (r < 0)
        return r;
    memcpy(volume.part_uuid, partition->uuid, sizeof(volume.part_uuid));
    memcpy(volume.part_label, partition->label, sizeof(partition->label));
    memcpy(volume.part_type, partition->type_guid, sizeof(volume.part_type));
    volume.part_attributes = partition->attributes;
    struct volume *added = add_volume(volumes, &volume, err);
    if (!added)
        return -ENOMEM;
    added->type = is_dynamic(partition) ? "LDM" : is_sliced(partition) ? "disklabel" : "";
    return *added->type ? 0 : probe(block, added, err);
}

static int add_whole(struct volumes *volumes, struct block *block, unsigned disk,
                     const char *device, struct error **err)
{
    struct volume volume = {.disk = disk, .length = block->size};
    int r = set_device(&volume, device, err);
    if (r < 0)
        return r;
    struct volume *added = add_volume(volumes, &volume, err);
    return added ? probe(block, added, err) : -ENOMEM;
}

int volumes_add_disk(struct volumes *volumes, struct block *block, unsigned disk,
                     const char *device, struct error **err)
{
    _cleanup_partition_table_ struct partition_table table = {0};
    int r = partition_table_read(block, &table, err);
    /* Boot code before a file system has the signature of an MBR, with no partition in it. */
    if (r == 0 && table.count == 0)
        r = add_whole(volumes, block, disk, device, err);
    for (size_t i = 0; r == 0 && i < table.count; i++)
        if (!is_extended(&table.items[i]))
            r = add_partition(volumes, block, disk, device, &table.items[i], err);
    return r;
}

int volumes_add_device(struct volumes *volumes, struct block *block, const char *device,
                       struct error **err)
{
    return add_whole(volumes, block, VOLUME_NO_DISK, device, err);
}

int volumes_scan(struct block *block, struct volumes *ret, struct error **err)
{
    struct volumes volumes = {0};
    int r = volumes_add_disk(&volumes, block, 0, "/dev/sda", err);
    if (r < 0) {
        volumes_free(&volumes);
        return r;
    }
    *ret = volumes;
    return 0;
}

void volumes_free(struct volumes *volumes)
{
    free(volumes->items);
    *volumes = (struct volumes){0};
}
