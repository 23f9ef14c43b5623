#include "guest/inspect/volume.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/checked.h"
#include "base/endian.h"
#include "base/str.h"

/*
 * How contents are told. The formats: ext (Linux Documentation/filesystems/ext4, super block), XFS
 * (XFS Algorithms & Data Structures, 3rd ed., superblocks), btrfs (on-disk format, superblock), FAT
 * (Microsoft FAT specification 1.03), LUKS (on-disk format 1.2.3 and 2), LVM2, md (Linux
 * md_p.h), swap (Linux swap.h).
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
    {"BitLocker", 3, "-FVE-FS-", 8, UUID_NONE, 0, 0, 0},
    {"xfs", 0, "XFSB", 4, UUID_BINARY, 32, 108, 12},
    {"btrfs", 0x10040, "_BHRfS_M", 8, UUID_BINARY, 0x10020, 0x1012b, 256},
    {"ext", 1024 + 56, "\x53\xef", 2, UUID_BINARY, 1024 + 104, 1024 + 120, 16},
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
                                              "BitLocker"};
static const char *const root_types[] = {"xfs", "btrfs", "f2fs", "ntfs", "squashfs"};

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

static void format_uuid(const uint8_t raw[static 16], char text[static 37])
{
    char hex[33];
    hex_encode(raw, 16, hex);
    snprintf(text, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

void volume_set_uuid(struct volume *volume, const uint8_t uuid[static 16])
{
    format_uuid(uuid, volume->uuid);
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
            format_uuid(raw, volume->uuid);
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
        return identify(block, signature, volume, err);
    }
    return 0;
}

static bool is_extended(const struct partition *partition)
{
    return partition->mbr_type == 0x05 || partition->mbr_type == 0x0f ||
           partition->mbr_type == 0x85;
}

int volumes_scan(struct block *block, struct volumes *ret, struct error **err)
{
    _cleanup_partition_table_ struct partition_table table = {0};
    int r = partition_table_read(block, &table, err);
    if (r < 0)
        return r;
    struct volumes volumes = {.items = calloc(table.count + 1, sizeof(struct volume))};
    if (!volumes.items)
        return error_oom(err);
    for (size_t i = 0; r == 0 && i < table.count; i++) {
        const struct partition *partition = &table.items[i];
        if (is_extended(partition))
            continue;
        struct volume *volume = &volumes.items[volumes.count++];
        volume->number = partition->number;
        volume->offset = partition->start;
        volume->length = partition->length;
        snprintf(volume->device, sizeof(volume->device), "/dev/sda%u", partition->number);
        memcpy(volume->part_uuid, partition->uuid, sizeof(volume->part_uuid));
        memcpy(volume->part_label, partition->label, sizeof(volume->part_label));
        r = probe(block, volume, err);
    }
    if (r == 0 && table.scheme == PARTITION_NONE) {
        struct volume *volume = &volumes.items[volumes.count++];
        volume->length = block->size;
        snprintf(volume->device, sizeof(volume->device), "/dev/sda");
        r = probe(block, volume, err);
    }
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

/* The partition number of a device name of the first disk; -1 when it is another one's. */
static int number_of(const char *device)
{
    static const char *const disks[] = {"sda", "vda", "hda", "xvda", "nvme0n1p", "mmcblk0p"};
    for (size_t i = 0; i < ARRAY_SIZE(disks); i++) {
        if (!str_starts(device, disks[i]))
            continue;
        const char *digits = device + strlen(disks[i]);
        uint64_t number = 0;
        if (*digits == '\0')
            return 0;
        if (parse_u64(digits, "partition", &number, NULL) == 0 && number >= 1 && number <= 1000)
            return (int)number;
    }
    return strcmp(device, "nvme0n1") == 0 || strcmp(device, "mmcblk0") == 0 ? 0 : -1;
}

static const struct volume *find_number(const struct volumes *volumes, int number)
{
    for (size_t i = 0; number >= 0 && i < volumes->count; i++)
        if (volumes->items[i].number == (unsigned)number)
            return &volumes->items[i];
    return NULL;
}

enum tag { TAG_UUID, TAG_LABEL, TAG_PART_UUID, TAG_PART_LABEL };

static const struct volume *find_tag(const struct volumes *volumes, enum tag tag, const char *value)
{
    if (*value == '\0')
        return NULL;
    for (size_t i = 0; i < volumes->count; i++) {
        const struct volume *volume = &volumes->items[i];
        if ((tag == TAG_UUID && strcasecmp(volume->uuid, value) == 0) ||
            (tag == TAG_LABEL && strcmp(volume->label, value) == 0) ||
            (tag == TAG_PART_UUID && strcasecmp(volume->part_uuid, value) == 0) ||
            (tag == TAG_PART_LABEL && strcmp(volume->part_label, value) == 0))
            return volume;
    }
    return NULL;
}

/* udev writes characters that do not fit into a name as \xNN. In place. */
static void undo_udev_escapes(char *text)
{
    char *out = text;
    for (const char *in = text; *in; out++) {
        unsigned value;
        if (in[0] == '\\' && in[1] == 'x' && isxdigit((unsigned char)in[2]) &&
            isxdigit((unsigned char)in[3]) && sscanf(in + 2, "%2x", &value) == 1 && value != 0) {
            *out = (char)value;
            in += 4;
        } else {
            *out = *in++;
        }
    }
    *out = '\0';
}

static const struct volume *find_path(const struct volumes *volumes, char *path)
{
    static const struct {
        const char *prefix;
        enum tag tag;
    } links[] = {
        {"disk/by-uuid/", TAG_UUID},
        {"disk/by-label/", TAG_LABEL},
        {"disk/by-partuuid/", TAG_PART_UUID},
        {"disk/by-partlabel/", TAG_PART_LABEL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        if (str_starts(path, links[i].prefix)) {
            path += strlen(links[i].prefix);
            undo_udev_escapes(path);
            return find_tag(volumes, links[i].tag, path);
        }
    /* by-id and by-path name the disk by what it is attached to: only its partition can be told. */
    if (str_starts(path, "disk/by-id/") || str_starts(path, "disk/by-path/")) {
        const char *part = strrchr(path, '-');
        uint64_t number;
        if (part && str_starts(part, "-part") &&
            parse_u64(part + 5, "partition", &number, NULL) == 0 && number <= 1000)
            return find_number(volumes, (int)number);
        return NULL;
    }
    return find_number(volumes, number_of(path));
}

const struct volume *volumes_find(const struct volumes *volumes, const char *spec)
{
    static const struct {
        const char *prefix;
        enum tag tag;
    } tags[] = {
        {"UUID=", TAG_UUID},
        {"LABEL=", TAG_LABEL},
        {"PARTUUID=", TAG_PART_UUID},
        {"PARTLABEL=", TAG_PART_LABEL},
    };
    _cleanup_free_ char *copy = strdup(spec);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
        if (str_starts(copy, tags[i].prefix)) {
            char *value = copy + strlen(tags[i].prefix);
            size_t length = strlen(value);
            if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
                value[length - 1] = '\0';
                value++;
            }
            return find_tag(volumes, tags[i].tag, value);
        }
    return str_starts(copy, "/dev/") ? find_path(volumes, copy + strlen("/dev/")) : NULL;
}
