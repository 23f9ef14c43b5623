/* The appliance engine's file systems: finding the guest, mounting, new identities, trimming. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "guest/appliance/appliance.h"

int appliance_find_root(struct appliance *appliance, struct error **err)
{
    _cleanup_list_ char **roots = guestfs_inspect_os(appliance->handle);
    if (!roots)
        return appliance_fail(appliance, err);
    if (!roots[0] && appliance->locked) {
        error_set(err, ENOKEY, "no operating system was found, and %s is encrypted",
                  appliance->locked);
        return error_hint(err, "name its key: --key %s:file:FILENAME", appliance->locked);
    }
    if (!roots[0])
        return error_set(err, ENOENT, "no operating system was found");
    if (roots[1])
        return error_set(err, EMLINK, "several operating systems were found: on %s and %s",
                         roots[0], roots[1]);
    appliance->root = strdup(roots[0]);
    return appliance->root ? 0 : error_oom(err);
}

struct mount_point {
    char *dir, *device;
};

static int by_depth(const void *a, const void *b)
{
    const struct mount_point *x = a, *y = b;
    size_t m = strlen(x->dir), n = strlen(y->dir);
    return (m > n) - (m < n);
}

/* The part of "/:noatime;/var:nodev" that is about a directory; "" for none. */
static char *options_for(const struct appliance *appliance, const char *dir, struct error **err)
{
    size_t length = strlen(dir);
    for (const char *part = appliance->mount_options; part && *part;) {
        size_t whole = strcspn(part, ";");
        if (whole > length && strncmp(part, dir, length) == 0 && part[length] == ':')
            return str_printf(err, "%.*s", (int)(whole - length - 1), part + length + 1);
        part += whole + (part[whole] == ';');
    }
    return str_printf(err, "%s", "");
}

static int mount_one(struct appliance *appliance, const struct mount_point *point,
                     struct error **err)
{
    struct error *error = NULL;
    _cleanup_free_ char *given = options_for(appliance, point->dir, &error);
    const char *ro = appliance->guest.writable ? "" : "ro";
    _cleanup_free_ char *options =
        given ? str_printf(&error, "%s%s%s", ro, *ro && *given ? "," : "", given) : NULL;
    if (!options)
        return error_move(err, error);
    int r = guestfs_mount_options(appliance->handle, options, point->device, point->dir);
    if (r == 0)
        return 0;
    if (strcmp(point->dir, "/") == 0 || *given) {
        appliance_fail(appliance, err);
        return error_wrap(err, "%s cannot be mounted on %s", point->device, point->dir);
    }
    report(appliance->reporter, REPORT_WARNING, "%s: cannot be mounted on %s in the guest: %s",
           point->device, point->dir, guestfs_last_error(appliance->handle));
    return 0;
}

int appliance_mount_all(struct appliance *appliance, struct error **err)
{
    _cleanup_list_ char **table =
        guestfs_inspect_get_mountpoints(appliance->handle, appliance->root);
    if (!table)
        return appliance_fail(appliance, err);
    size_t count = 0;
    while (table[2 * count])
        count++;
    struct mount_point *points = (struct mount_point *)table;
    _Static_assert(sizeof(*points) == 2 * sizeof(*table), "pairs of strings");
    qsort(points, count, sizeof(*points), by_depth);
    for (size_t i = 0; i < count; i++) {
        int r = mount_one(appliance, &points[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* New identities. */

/* Types that cannot have one here: what libguestfs has no means for, and what hides others. */
static bool keeps_identity(const char *device, const char *type)
{
    static const char *const types[] = {"unknown",  "vfat",        "exfat",     "iso9660",
                                        "squashfs", "crypto_LUKS", "BitLocker", "ntfs"};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    /* A subvolume; the volume as a whole is listed as well. */
    return str_starts(device, "btrfsvol:");
}

/* tune2fs writes all checksums of an ext4 anew only where e2fsck has just been. */
static int renew_one(guestfs_h *g, const char *device, const char *type)
{
    int r = guestfs_set_uuid_random(g, device);
    if (r == 0 || !str_starts(type, "ext"))
        return r;
    r = guestfs_e2fsck(g, device, GUESTFS_E2FSCK_CORRECT, 1, -1);
    return r < 0 ? r : guestfs_set_uuid_random(g, device);
}

static int renew_file_systems(struct appliance *appliance, struct error **err)
{
    guestfs_h *g = appliance->handle;
    _cleanup_list_ char **table = guestfs_list_filesystems(g);
    if (!table)
        return appliance_fail(appliance, err);
    for (size_t i = 0; table[i]; i += 2) {
        if (keeps_identity(table[i], table[i + 1]) || renew_one(g, table[i], table[i + 1]) == 0)
            continue;
        if (guestfs_last_errno(g) != ENOTSUP) {
            appliance_fail(appliance, err);
            return error_wrap(err, "%s cannot get a new UUID", table[i]);
        }
        report(appliance->reporter, REPORT_WARNING, "%s: %s cannot get a new UUID", table[i],
               table[i + 1]);
    }
    return 0;
}

static bool is_empty(char **list)
{
    return !list || !list[0];
}

static int renew_lvm(struct appliance *appliance, struct error **err)
{
    guestfs_h *g = appliance->handle;
    const char *feature[] = {"lvm2", NULL};
    if (guestfs_feature_available(g, (char **)feature) <= 0)
        return 0;
    _cleanup_list_ char **volumes = guestfs_pvs(g), **groups = guestfs_vgs(g);
    if (!volumes || !groups)
        return appliance_fail(appliance, err);
    if (is_empty(volumes) && is_empty(groups))
        return 0;
    int r = guestfs_vg_activate_all(g, 0);
    if (r == 0 && !is_empty(volumes))
        r = guestfs_pvchange_uuid_all(g);
    if (r == 0 && !is_empty(groups))
        r = guestfs_vgchange_uuid_all(g);
    if (r < 0) {
        appliance_fail(appliance, err);
        guestfs_vg_activate_all(g, 1);
        return error_wrap(err, "the LVM volumes cannot get new UUIDs");
    }
    r = guestfs_vg_activate_all(g, 1);
    return r < 0 ? appliance_fail(appliance, err) : 0;
}

/* Only what is not mounted can change its identity. */
int appliance_renew(struct guest *guest, enum guest_identity what, struct error **err)
{
    struct appliance *appliance = appliance_of(guest);
    if (guestfs_umount_all(appliance->handle) < 0)
        return appliance_fail(appliance, err);
    int r =
        what == GUEST_LVM_UUIDS ? renew_lvm(appliance, err) : renew_file_systems(appliance, err);
    struct error *after = NULL;
    int mounted = appliance_mount_all(appliance, &after);
    if (r == 0)
        return error_move(err, after);
    error_free(after);
    return mounted < 0 ? error_wrap(err, "and cannot be mounted again") : r;
}

/* Trimming. */

/* Bytes that the images take on the host. */
static uint64_t allocated(const struct appliance *appliance)
{
    uint64_t bytes = 0;
    struct stat st;
    for (size_t i = 0; i < appliance->drive_count; i++) {
        const struct appliance_drive *drive = &appliance->drives[i];
        int r = drive->overlay_fd >= 0 ? fstat(drive->overlay_fd, &st) : stat(drive->path, &st);
        if (r == 0)
            bytes += (uint64_t)st.st_blocks * 512;
    }
    return bytes;
}

static int trim_one(struct appliance *appliance, const char *dir, struct error **err)
{
    guestfs_h *g = appliance->handle;
    if (guestfs_fstrim(g, dir, -1) == 0)
        return 0;
    /* Not every file system knows how to. */
    report(appliance->reporter, REPORT_DEBUG, "%s: %s; its free space is overwritten", dir,
           guestfs_last_error(g));
    if (guestfs_zero_free_space(g, dir) == 0)
        return 0;
    appliance_fail(appliance, err);
    return error_wrap(err, "the free space of %s cannot be given back", dir);
}

int appliance_trim(struct guest *guest, uint64_t *ret_freed, struct error **err)
{
    struct appliance *appliance = appliance_of(guest);
    guestfs_h *g = appliance->handle;
    uint64_t before = allocated(appliance);
    _cleanup_list_ char **table = guestfs_mountpoints(g);
    if (!table || guestfs_sync(g) < 0)
        return appliance_fail(appliance, err);
    for (size_t i = 0; table[i]; i += 2) {
        int r = trim_one(appliance, table[i + 1], err);
        if (r < 0)
            return r;
    }
    uint64_t after = allocated(appliance);
    *ret_freed = before > after ? before - after : 0;
    return 0;
}
