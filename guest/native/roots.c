/* Which file system of the disk is the guest's root. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/inspect/root.h"
#include "guest/native/native.h"

/* What the search for the root has seen. */
struct search {
    const struct volume *root;
    struct strv roots;
    struct error *unreadable; /* the first ext file system that could not be opened */
};

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
    bool found = guest_looks_like_root(&native->guest);
    native_drop_mounts(native);
    if (!found)
        return 0;
    search->root = volume;
    return strv_add(&search->roots, volume->device, err);
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

static int explain_several(const struct native *native, const struct strv *roots,
                           struct error **err)
{
    _cleanup_str_ struct str text = {0};
    for (size_t i = 0; i < roots->count; i++)
        str_appendf(&text, "%s%s", i ? ", " : "", roots->items[i]);
    _cleanup_free_ char *list = str_take(&text, err);
    if (!list)
        return -ENOMEM;
    return error_set(err, EMLINK, "%s: holds several operating systems: on %s", native->guest.path,
                     list);
}

int native_find_root(struct native *native, const struct volume **ret, struct error **err)
{
    struct search search = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < native->volumes.count; i++)
        if (strcmp(native->volumes.items[i].type, "ext") == 0)
            r = look_at(native, &native->volumes.items[i], &search, err);
    if (r == 0 && search.roots.count == 0)
        r = explain_absence(native, &search, err);
    if (r == 0 && search.roots.count > 1)
        r = explain_several(native, &search.roots, err);
    if (r == 0)
        *ret = search.root;
    strv_free(&search.roots);
    error_free(search.unreadable);
    return r;
}
