/* What the appliance engine mounts below the guest's root: its /etc/fstab, with the names that
 * /etc/crypttab gives to encrypted devices. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "guest/appliance/appliance.h"
#include "guest/inspect/fstab.h"

#define TABLE_MAX ((size_t)256 << 10)

/* The text of a table of the guest's; NULL where it has none. */
static int read_table(struct appliance *appliance, const char *path, char **ret, struct error **err)
{
    *ret = NULL;
    struct error *error = NULL;
    int r = guest_read(&appliance->guest, path, TABLE_MAX, ret, NULL, &error);
    if (r == -ENOMEM)
        return error_move(err, error);
    error_free(error);
    return r == 0 || r == -ENOENT ? 0
                                  : appliance_set_doubt(appliance, err, "%s cannot be read", path);
}

/* The second field of crypttab's line for the name; NULL where there is none. Changes the text. */
static char *find_source(char *crypttab, const char *name)
{
    char *next = crypttab;
    for (char *line = strsep(&next, "\n"); line; line = strsep(&next, "\n")) {
        char *state, *mapped = strtok_r(line, " \t\r", &state);
        char *source = mapped ? strtok_r(NULL, " \t\r", &state) : NULL;
        if (source && strcmp(mapped, name) == 0)
            return source;
    }
    return NULL;
}

/* Devices are opened under the UUID of their header; fstab may have crypttab's name. */
static int find_mapped(struct appliance *appliance, const char *name, const struct volume **ret,
                       struct error **err)
{
    _cleanup_free_ char *text = NULL;
    int r = read_table(appliance, "/etc/crypttab", &text, err);
    const char *source = r == 0 && text ? find_source(text, name) : NULL;
    const struct volume *outer = source ? volumes_find(&appliance->volumes, source) : NULL;
    if (!outer || strcmp(outer->type, "crypto_LUKS") != 0)
        return r;
    _cleanup_free_ char *inner = str_printf(err, "/dev/mapper/luks-%s", outer->uuid);
    if (!inner)
        return -ENOMEM;
    *ret = volumes_find(&appliance->volumes, inner);
    return 0;
}

/* libguestfs's answer for file systems whose tags are not read here. */
static int find_tagged(struct appliance *appliance, const char *spec, char **ret)
{
    guestfs_h *g = appliance->handle;
    const char *value = strchr(spec, '=');
    if (!appliance_has_type(appliance, "") && !appliance_has_type(appliance, "ntfs") &&
        !appliance_has_type(appliance, "iso9660"))
        return 0;
    if (str_starts(spec, "UUID="))
        *ret = guestfs_findfs_uuid(g, value + 1);
    else if (str_starts(spec, "LABEL="))
        *ret = guestfs_findfs_label(g, value + 1);
    return 0;
}

/* Names that the guest's disks would have where they are not among those of this guest. */
static bool is_plain_disk(const char *spec)
{
    static const char *const kinds[] = {"/dev/sd",      "/dev/vd",     "/dev/hd",    "/dev/xvd",
                                        "/dev/nvme",    "/dev/mmcblk", "/dev/cciss", "/dev/fd",
                                        "/dev/mapper/", "/dev/cdrom",  "/dev/sr"};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (str_starts(spec, kinds[i]))
            return true;
    return false;
}

/* The device that the entry means, in fresh memory; NULL in *ret where it is not there. */
static int resolve(struct appliance *appliance, const struct fstab_entry *entry, char **ret,
                   struct error **err)
{
    static const char mapper[] = "/dev/mapper/";
    const struct volume *volume = volumes_find(&appliance->volumes, entry->spec);
    int r = 0;
    if (!volume && str_starts(entry->spec, mapper))
        r = find_mapped(appliance, entry->spec + strlen(mapper), &volume, err);
    if (r < 0)
        return r;
    if (volume) {
        *ret = strdup(volume->device);
        return *ret ? 0 : error_oom(err);
    }
    if (!str_starts(entry->spec, "/dev/"))
        return find_tagged(appliance, entry->spec, ret);
    if (is_plain_disk(entry->spec) || str_starts(entry->spec, "/dev/disk/by-"))
        return 0;
    return appliance_set_doubt(appliance, err, "/etc/fstab names %s", entry->spec);
}

static int plan_entry(struct appliance *appliance, const struct fstab_entry *entry,
                      struct error **err)
{
    _cleanup_free_ char *device = NULL;
    if (!fstab_is_mounted(entry) || strcmp(entry->dir, "/") == 0)
        return 0;
    int r = resolve(appliance, entry, &device, err);
    if (r < 0)
        return r;
    if (!device) {
        report(appliance->reporter, REPORT_DEBUG, "%s: %s is not among the guest's disks",
               entry->dir, entry->spec);
        return 0;
    }
    bool btrfs = strcmp(entry->type, "btrfs") == 0;
    _cleanup_free_ char *options = btrfs ? fstab_subvolume(entry, err) : str_printf(err, "%s", "");
    return options ? appliance_add_mount(appliance, entry->dir, device, options, err) : -ENOMEM;
}

/* What is mounted within something else has the longer path. */
static int by_depth(const void *a, const void *b)
{
    const struct fstab_entry *x = a, *y = b;
    size_t m = strlen(x->dir), n = strlen(y->dir);
    return (m > n) - (m < n);
}

int appliance_read_fstab(struct appliance *appliance, struct fstab *ret, struct error **err)
{
    _cleanup_free_ char *text = NULL;
    int r = read_table(appliance, "/etc/fstab", &text, err);
    return r < 0 || !text ? r : fstab_parse(text, ret, err);
}

int appliance_plan_mounts(struct appliance *appliance, struct error **err)
{
    _cleanup_fstab_ struct fstab fstab = {0};
    int r = appliance_read_fstab(appliance, &fstab, err);
    if (r == 0 && fstab.count > 0)
        qsort(fstab.items, fstab.count, sizeof(*fstab.items), by_depth);
    for (size_t i = 0; r == 0 && i < fstab.count; i++)
        r = plan_entry(appliance, &fstab.items[i], err);
    return r;
}
