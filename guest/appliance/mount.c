/* The appliance engine's file systems: mounting, new identities, trimming. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "guest/appliance/appliance.h"

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

/* Options that are not empty, with commas between. */
static char *join_options(const char *const *parts, size_t count, struct error **err)
{
    _cleanup_str_ struct str text = {0};
    for (size_t i = 0; i < count; i++)
        if (*parts[i])
            str_appendf(&text, "%s%s", text.length ? "," : "", parts[i]);
    return str_take(&text, err);
}

int appliance_set_unserved(struct appliance *appliance, const char *dir, const char *why,
                           struct error **err)
{
    _cleanup_free_ char *resolved = NULL;
    int r = guest_resolve(&appliance->guest, dir, true, &resolved, err);
    if (r == 0)
        r = strv_add(&appliance->guest.unserved, resolved, err);
    return r < 0 ? r : strv_add(&appliance->guest.unserved, why, err);
}

/* What cannot be mounted as asked for is mounted for reading, where that is possible; in no case is
 * anything written there, where the guest would not see it. */
static int fall_back(struct appliance *appliance, const struct appliance_mount *mount,
                     struct error **err)
{
    const char *parts[] = {"ro", mount->options};
    _cleanup_free_ char *why = str_printf(err, "%s cannot be mounted there: %s", mount->device,
                                          guestfs_last_error(appliance->handle));
    _cleanup_free_ char *options = why ? join_options(parts, ARRAY_SIZE(parts), err) : NULL;
    if (!options)
        return -ENOMEM;
    if (appliance->guest.writable &&
        guestfs_mount_options(appliance->handle, options, mount->device, mount->dir) == 0) {
        free(why);
        why = str_printf(err, "%s can be mounted for reading only", mount->device);
        if (!why)
            return -ENOMEM;
    }
    report(appliance->reporter, REPORT_WARNING, "%s in the guest: %s", mount->dir, why);
    if (!guest_is_dir(&appliance->guest, mount->dir))
        return 0;
    return appliance_set_unserved(appliance, mount->dir, why, err);
}

int appliance_mount_one(struct appliance *appliance, const struct appliance_mount *mount,
                        struct error **err)
{
    struct error *error = NULL;
    _cleanup_free_ char *given = options_for(appliance, mount->dir, &error);
    if (!given)
        return error_move(err, error);
    const char *parts[] = {appliance->guest.writable ? "" : "ro", mount->options, given};
    _cleanup_free_ char *options = join_options(parts, ARRAY_SIZE(parts), err);
    if (!options)
        return -ENOMEM;
    int r = guestfs_mount_options(appliance->handle, options, mount->device, mount->dir);
    if (r == 0)
        return 0;
    if (strcmp(mount->dir, "/") == 0 || *given) {
        appliance_fail(appliance, err);
        return error_wrap(err, "%s cannot be mounted on %s", mount->device, mount->dir);
    }
    return fall_back(appliance, mount, err);
}

/* Whether the root, mounted read-only for a look, could be made what is asked for: that takes one
 * program, where unmounting and mounting takes three. */
static bool reuse_root(struct appliance *appliance)
{
    if (!appliance->root_mounted || appliance->mount_options)
        return false;
    if (!appliance->guest.writable)
        return true;
    return appliance->root_remounts &&
           guestfs_remount(appliance->handle, "/", GUESTFS_REMOUNT_RW, 1, -1) == 0;
}

int appliance_mount_all(struct appliance *appliance, struct error **err)
{
    bool reused = reuse_root(appliance);
    if (appliance->root_mounted && !reused) {
        int r = appliance_unmount_all(appliance, err);
        if (r < 0)
            return r;
    }
    appliance->root_mounted = false;
    for (size_t i = reused; i < appliance->mount_count; i++) {
        int r = appliance_mount_one(appliance, &appliance->mounts[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* New identities. */

/* Types that cannot have one here: what libguestfs does not support, and what contains others. */
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
    int r = appliance_unmount_all(appliance, err);
    if (r < 0)
        return r;
    r = what == GUEST_LVM_UUIDS ? renew_lvm(appliance, err) : renew_file_systems(appliance, err);
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
