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
