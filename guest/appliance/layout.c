/* What the appliance engine mounts beside fstab: guest/inspect/layout.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "guest/appliance/appliance.h"
#include "guest/ext_state.h"
#include "guest/inspect/fstab.h"
#include "guest/inspect/layout.h"

const struct volume *appliance_volume_of(const struct appliance *appliance, const char *root)
{
    static const char subvolume[] = "btrfsvol:";
    if (str_starts(root, subvolume))
        root += strlen(subvolume);
    for (size_t i = 0; i < appliance->volumes.count; i++) {
        const struct volume *volume = &appliance->volumes.items[i];
        size_t length = strlen(volume->device);
        if (strncmp(root, volume->device, length) == 0 &&
            (root[length] == '\0' || root[length] == '/'))
            return volume;
    }
    return NULL;
}

static int set_unserved(struct appliance *appliance, const char *dir, const char *why,
                        struct error **err)
{
    report(appliance->reporter, REPORT_DEBUG, "%s: %s", dir, why);
    return appliance_set_unserved(appliance, dir, why, err);
}

static bool is_mounted(const struct appliance *appliance, const char *device)
{
    for (size_t i = 0; i < appliance->mount_count; i++)
        if (strcmp(appliance->mounts[i].device, device) == 0)
            return true;
    return false;
}

static int mount_found(void *context, const struct layout_mount *found, struct error **err)
{
    struct appliance *appliance = context;
    const struct volume *volume =
        found->spec ? volumes_find(&appliance->volumes, found->spec) : NULL;
    if (!found->spec)
        return set_unserved(appliance, found->dir, found->why, err);
    if (!volume) {
        _cleanup_free_ char *why =
            str_printf(err, "%s is not among the guest's disks", found->spec);
        return why ? set_unserved(appliance, found->dir, why, err) : -ENOMEM;
    }
    if (is_mounted(appliance, volume->device) || !guest_is_dir(&appliance->guest, found->dir))
        return 0;
    report(appliance->reporter, REPORT_DEBUG, "%s: %s, %s", found->dir, volume->device, found->why);
    int r =
        appliance_add_mount(appliance, found->dir, volume->device, found->verity ? "ro" : "", err);
    if (r == 0)
        r = appliance_mount_one(appliance, &appliance->mounts[appliance->mount_count - 1], err);
    return r < 0 || !found->verity
               ? r
               : appliance_set_unserved(appliance, found->dir, LAYOUT_VERITY_REASON, err);
}

int appliance_mount_layout(struct appliance *appliance, struct error **err)
{
    _cleanup_fstab_ struct fstab fstab = {0};
    struct layout layout = {
        .guest = &appliance->guest,
        .volumes = &appliance->volumes,
        .root = appliance_volume_of(appliance, appliance->root),
        .fstab = &fstab,
        .mount = mount_found,
        .context = appliance,
    };
    if (!layout.root || !guest_is_dir(&appliance->guest, "/etc"))
        return 0;
    int r = appliance_read_fstab(appliance, &fstab, err);
    if (r == 0)
        r = layout_mount_all(&layout, err);
    if (r == 0 && layout_has_verity(&appliance->volumes, layout.root))
        r = appliance_set_unserved(appliance, "/", LAYOUT_VERITY_REASON, err);
    return r;
}

/* What the volume's own bytes do not tell here. */
static int describe(struct appliance *appliance, const struct volume *volume, char **ret_type,
                    char **ret_label, struct error **err)
{
    bool asks = *volume->type == '\0' || strcmp(volume->type, "ext") == 0;
    _cleanup_free_ char *type = asks ? guestfs_vfs_type(appliance->handle, volume->device) : NULL;
    _cleanup_free_ char *label =
        *volume->label ? NULL : guestfs_vfs_label(appliance->handle, volume->device);
    int r = str_replace(ret_type, type ? type : volume->type, err);
    return r < 0 ? r : str_replace(ret_label, label ? label : volume->label, err);
}

/* Whether the mount's device is the volume, or a subvolume of it. */
static bool lies_on(const struct appliance *appliance, const struct appliance_mount *mount,
                    const struct volume *volume)
{
    return appliance_volume_of(appliance, mount->device) == volume;
}

int appliance_file_systems(struct guest *guest, struct guest_file_systems *ret, struct error **err)
{
    struct appliance *appliance = appliance_of(guest);
    int r = 0;
    for (size_t i = 0; r == 0 && i < appliance->volumes.count; i++) {
        struct volume *volume = &appliance->volumes.items[i];
        _cleanup_free_ char *type = NULL, *label = NULL;
        int64_t size = volume->number > 0
                           ? (int64_t)volume->length
                           : guestfs_blockdev_getsize64(appliance->handle, volume->device);
        r = describe(appliance, volume, &type, &label, err);
        if (r < 0)
            return r;
        const struct guest_file_system item = {.device = volume->device,
                                               .type = type,
                                               .label = label,
                                               .uuid = volume->uuid,
                                               .size = size > 0 ? (uint64_t)size : 0};
        struct guest_file_system *added = guest_file_systems_add(ret, &item, err);
        r = added ? 0 : -ENOMEM;
        for (size_t j = 0; r == 0 && j < appliance->mount_count; j++)
            if (lies_on(appliance, &appliance->mounts[j], volume))
                r = strv_add(&added->mount_points, appliance->mounts[j].dir, err);
    }
    return r;
}
