/* Which file system of the disk is the guest's root. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/inspect/fstab.h"
#include "guest/inspect/part_role.h"
#include "guest/inspect/root.h"
#include "guest/native/native.h"
#include "guest/root_choice.h"

/* What the search for the root has seen. */
struct search {
    const struct volume **volumes; /* those that hold a root */
    struct strv roots;             /* for guest_choose_root() */
    bool *named;                   /* by an fstab, for each volume */
    bool names_unknown;            /* an fstab names what may lie within LVM or RAID */
    struct error *unreadable;      /* the first ext file system that could not be opened */
};

static void search_free(struct search *search)
{
    free(search->volumes);
    free(search->named);
    strv_free(&search->roots);
    error_free(search->unreadable);
}

/* What the fstab of the mounted root names belongs to that system. */
static int mark_named(struct native *native, struct search *search, struct error **err)
{
    _cleanup_fstab_ struct fstab fstab = {0};
    struct error *error = NULL;
    int r = native_read_fstab(native, &fstab, &error);
    if (r == -ENOMEM)
        return error_move(err, error);
    error_free(error);
    for (size_t i = 0; i < fstab.count; i++) {
        const char *spec = fstab.items[i].spec;
        const struct volume *volume = volumes_find(&native->volumes, spec);
        if (volume)
            search->named[volume - native->volumes.items] = true;
        else if (strchr(spec, '=') || *spec == '/')
            search->names_unknown = true;
    }
    return 0;
}

static int take_root(struct native *native, const struct volume *volume, struct search *search,
                     struct error **err)
{
    _cleanup_free_ char *product = NULL;
    int r = guest_product_name(&native->guest, &product, err);
    if (r == 0)
        r = mark_named(native, search, err);
    if (r < 0)
        return r;
    search->volumes[search->roots.count / 2] = volume;
    return guest_found_root(&search->roots, volume->device, product, err);
}

static int look_at(struct native *native, const struct volume *volume, struct search *search,
                   struct error **err)
{
    struct error *error = NULL;
    int r = native_mount_volume(native, volume, "/", (struct node){0}, false, &error);
    if (r == -ENOMEM)
        return error_move(err, error);
    if (r < 0) {
        if (search->unreadable)
            error_free(error);
        else
            search->unreadable = error;
        return 0;
    }
    if (guest_looks_like_root(&native->guest))
        r = take_root(native, volume, search, err);
    native_drop_mounts(native);
    return r;
}

/* No root was found: reports what there is instead, and whether another engine may find one. */
static int explain_absence(struct native *native, struct search *search, struct error **err)
{
    for (size_t i = 0; i < native->volumes.count; i++) {
        const struct volume *volume = &native->volumes.items[i];
        if (volume_may_hold_root(volume))
            return native_set_lack(native, err, "%s holds %s", volume->device, volume->type);
    }
    if (search->unreadable)
        return native_not_mounted(native, TAKE_PTR(search->unreadable), err);
    _cleanup_str_ struct str seen = {0};
    for (size_t i = 0; i < native->volumes.count; i++) {
        const struct volume *volume = &native->volumes.items[i];
        str_appendf(&seen, "%s%s (%s)", i ? ", " : "", volume->device,
                    *volume->type ? volume->type : "nothing that kiln recognises");
    }
    _cleanup_free_ char *list = str_take(&seen, err);
    if (!list)
        return -ENOMEM;
    error_set(err, ENOENT, "%s: no operating system was found on it", native->guest.path);
    return error_hint(err, "seen: %s", *list ? list : "no partitions");
}

/* Whether the volume may hold a system that only another engine sees. Parts of one, by fstab or by
 * the type of their partition, do not; encrypted ones stay closed without a key. */
static bool may_hold_another(const struct native *native, const struct search *search,
                             const struct volume *volume)
{
    const struct part_type *type = part_type_find(volume->part_type);
    if (search->named[volume - native->volumes.items] || !volume_may_hold_root(volume) ||
        (type && type->role != ROLE_ROOT))
        return false;
    if (strcmp(volume->type, "crypto_LUKS") == 0 || strcmp(volume->type, "BitLocker") == 0)
        return false;
    return !volume_is_container(volume) || !search->names_unknown;
}

static int check_others(struct native *native, const struct search *search, struct error **err)
{
    for (size_t i = 0; i < native->volumes.count; i++) {
        const struct volume *volume = &native->volumes.items[i];
        if (may_hold_another(native, search, volume))
            return native_set_lack(native, err, "%s (%s) may hold another system", volume->device,
                                   volume->type);
    }
    return 0;
}

static int search_all(struct native *native, struct search *search, struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < native->volumes.count; i++)
        if (strcmp(native->volumes.items[i].type, "ext") == 0)
            r = look_at(native, &native->volumes.items[i], search, err);
    if (r == 0 && search->roots.count == 0)
        return explain_absence(native, search, err);
    return r < 0 ? r : check_others(native, search, err);
}

/* The one that was named; what else is on the disk does not matter then. */
static int search_device(struct native *native, const char *device, struct search *search,
                         struct error **err)
{
    const struct volume *volume = volumes_find(&native->volumes, device);
    if (!volume)
        return native_set_lack(native, err, "%s is asked for, which is no partition with ext",
                               device);
    if (strcmp(volume->type, "ext") != 0)
        return native_set_lack(native, err, "%s is asked for, which is %s", device,
                               *volume->type ? volume->type : "of an unknown type");
    int r = look_at(native, volume, search, err);
    if (r == 0 && search->unreadable)
        return native_not_mounted(native, TAKE_PTR(search->unreadable), err);
    if (r == 0 && search->roots.count == 0)
        r = error_set(err, ENOENT, "%s: no operating system was found on %s", native->guest.path,
                      device);
    return r;
}

int native_find_root(struct native *native, const struct guest_root_choice *choice,
                     const struct volume **ret, struct error **err)
{
    _cleanup_(search_free) struct search search = {
        .volumes = calloc(native->volumes.count + 1, sizeof(struct volume *)),
        .named = calloc(native->volumes.count + 1, sizeof(bool)),
    };
    if (!search.volumes || !search.named)
        return error_oom(err);
    const char *device = guest_root_wanted(choice);
    int r = device ? search_device(native, device, &search, err) : search_all(native, &search, err);
    if (r < 0 || native->lack)
        return r;
    size_t chosen = 0;
    if (!device)
        r = guest_choose_root(choice, &search.roots, &chosen, err);
    if (r < 0)
        return error_wrap(err, "%s", native->guest.path);
    *ret = search.volumes[chosen];
    return 0;
}
