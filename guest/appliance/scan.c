/*
 * The appliance engine's view of the disks, by guest/inspect/volume.h. Each call that takes a
 * device waits for udev, and most run further programs in the appliance (blkid, parted, sfdisk,
 * lvm), which without KVM takes a good part of a second each: a volume is read once here, and told
 * by what is at its start.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/str.h"
#include "guest/appliance/appliance.h"
#include "image/block.h"

/* Read at once: the signatures of all types and a partition table are in it. */
#define CHUNK ((size_t)72 << 10)

/* A device of the appliance as a block source. */
struct device {
    struct block block;
    struct appliance *appliance;
    char *chunk; /* what was read last; NULL: nothing yet */
    uint64_t chunk_at;
    size_t chunk_size;
};

static int load_chunk(struct device *device, uint64_t offset, struct error **err)
{
    free(TAKE_PTR(device->chunk));
    device->chunk = guestfs_pread_device(device->appliance->handle, device->block.name, CHUNK,
                                         (int64_t)offset, &device->chunk_size);
    device->chunk_at = offset;
    return device->chunk ? 0 : appliance_fail(device->appliance, err);
}

static int device_pread(struct block *block, void *buf, size_t count, uint64_t offset,
                        struct error **err)
{
    struct device *device = (struct device *)block;
    char *out = buf;
    while (count > 0) {
        bool held =
            device->chunk && offset >= device->chunk_at && offset - device->chunk_at < CHUNK;
        int r = held ? 0 : load_chunk(device, offset, err);
        if (r < 0)
            return r;
        size_t skip = (size_t)(offset - device->chunk_at);
        size_t n = (size_t)min_u64(count, CHUNK - skip);
        size_t got = device->chunk_size > skip ? (size_t)min_u64(n, device->chunk_size - skip) : 0;
        memcpy(out, device->chunk + skip, got);
        memset(out + got, 0, n - got); /* beyond the device's end */
        out += n;
        offset += n;
        count -= n;
    }
    return 0;
}

static void device_close(struct block *block)
{
    free(((struct device *)block)->chunk);
}

static const struct block_ops device_ops = {
    .name = "appliance", .pread = device_pread, .close = device_close};

/* To ask for the size would run a program: the device counts as very large, and what is beyond its
 * end reads as zeroes. */
static int open_device(struct appliance *appliance, const char *name, struct block **ret,
                       struct error **err)
{
    struct device *device = calloc(1, sizeof(*device));
    if (!device)
        return error_oom(err);
    device->appliance = appliance;
    device->block = (struct block){.ops = &device_ops, .name = strdup(name), .size = INT64_MAX / 2};
    if (!device->block.name) {
        block_close(&device->block);
        return error_oom(err);
    }
    *ret = &device->block;
    return 0;
}

int appliance_set_doubt(struct appliance *appliance, struct error **err, const char *fmt, ...)
{
    if (appliance->doubt)
        return 0;
    va_list args;
    va_start(args, fmt);
    int length = vasprintf(&appliance->doubt, fmt, args);
    va_end(args);
    if (length >= 0)
        return 0;
    appliance->doubt = NULL;
    return error_oom(err);
}

bool appliance_has_type(const struct appliance *appliance, const char *type)
{
    for (size_t i = 0; i < appliance->volumes.count; i++)
        if (strcmp(appliance->volumes.items[i].type, type) == 0)
            return true;
    return false;
}

static bool is_known(const struct appliance *appliance, const char *device)
{
    for (size_t i = 0; i < appliance->volumes.count; i++)
        if (strcmp(appliance->volumes.items[i].device, device) == 0)
            return true;
    return false;
}

int appliance_add_volume(struct appliance *appliance, const char *device, struct error **err)
{
    _cleanup_block_ struct block *block = NULL;
    if (is_known(appliance, device))
        return 0;
    int r = open_device(appliance, device, &block, err);
    return r < 0 ? r : volumes_add_device(&appliance->volumes, block, device, err);
}

static int add_all(struct appliance *appliance, char **devices, struct error **err)
{
    int r = 0;
    if (!devices)
        return appliance_fail(appliance, err);
    for (size_t i = 0; r == 0 && devices[i]; i++)
        r = appliance_add_volume(appliance, devices[i], err);
    return r;
}

int appliance_add_lvm(struct appliance *appliance, struct error **err)
{
    const char *feature[] = {"lvm2", NULL};
    if (!appliance_has_type(appliance, "LVM2_member") ||
        guestfs_feature_available(appliance->handle, (char **)feature) <= 0)
        return 0;
    _cleanup_list_ char **volumes = guestfs_lvs(appliance->handle);
    return add_all(appliance, volumes, err);
}

static int add_raid(struct appliance *appliance, struct error **err)
{
    if (!appliance_has_type(appliance, "linux_raid_member"))
        return 0;
    _cleanup_list_ char **arrays = guestfs_list_md_devices(appliance->handle);
    return add_all(appliance, arrays, err);
}

/* A table that cannot be read, or is read in another way than by the kernel, is libguestfs's. */
static int add_disk(struct appliance *appliance, unsigned disk, const char *device,
                    struct error **err)
{
    struct error *error = NULL;
    _cleanup_block_ struct block *block = NULL;
    int r = open_device(appliance, device, &block, err);
    if (r < 0)
        return r;
    r = volumes_add_disk(&appliance->volumes, block, disk, device, &error);
    if (r == -EINVAL)
        r = appliance_set_doubt(appliance, &error, "%s: %s", device, error_message(error));
    if (r < 0)
        return error_move(err, error);
    error_free(error);
    return 0;
}

/* libguestfs gives disks these names in the order in which they were added; to ask for the list
 * would run programs. Fresh memory. */
static char *disk_name(unsigned disk, struct error **err)
{
    char letters[8], *at = letters + sizeof(letters) - 1;
    *at = '\0';
    for (unsigned left = disk + 1; left > 0; left = (left - 1) / 26)
        *--at = (char)('a' + (left - 1) % 26);
    return str_printf(err, "/dev/sd%s", at);
}

/* What is attached comes behind the guest's disks, and is no part of it. */
int appliance_scan(struct appliance *appliance, struct error **err)
{
    int r = 0;
    for (unsigned i = 0; r == 0 && i < appliance->drive_count; i++) {
        _cleanup_free_ char *name = disk_name(i, err);
        r = name ? add_disk(appliance, i, name, err) : -ENOMEM;
    }
    if (r == 0)
        r = add_raid(appliance, err);
    return r < 0 ? r : appliance_add_lvm(appliance, err);
}
