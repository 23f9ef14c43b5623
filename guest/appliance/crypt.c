/* The appliance engine's encrypted devices: opening them before the guest is looked for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/appliance/appliance.h"
#include "guest/keys.h"

/* LUKS on LVM on LUKS is as deep as anybody goes. */
enum { layers_max = 4 };

/* What was tried on one device. */
struct attempt {
    const char *device;
    char *uuid; /* libguestfs's; "" where there is none */
    bool tried;
    bool opened;
    bool no_memory; /* the appliance has too little for the header's key derivation */
};

/* Under the name that most distributions give it, their fstab may say. */
static int try_key(struct appliance *appliance, struct attempt *attempt, const char *passphrase,
                   struct error **err)
{
    guestfs_h *g = appliance->handle;
    _cleanup_free_ char *name = str_printf(err, "luks-%s", attempt->uuid);
    if (!name)
        return -ENOMEM;
    attempt->tried = true;
    if (guestfs_cryptsetup_open(g, attempt->device, passphrase, name, -1) == 0) {
        attempt->opened = true;
        return 0;
    }
    const char *text = guestfs_last_error(g);
    attempt->no_memory = attempt->no_memory || (text && strcasestr(text, "memory"));
    return 0;
}

static int ask_key(struct appliance *appliance, const struct guest_keys *keys,
                   struct attempt *attempt, struct error **err)
{
    _cleanup_passphrase_ char *passphrase = NULL;
    if (!keys->ask)
        return 0;
    int r = keys->ask(keys->ask_context, attempt->device, &passphrase, err);
    return r < 0 || !passphrase ? r : try_key(appliance, attempt, passphrase, err);
}

static int refuse(const struct attempt *attempt, struct error **err)
{
    error_set(err, EKEYREJECTED, "%s (LUKS, UUID %s): none of the keys that were given opens it",
              attempt->device, attempt->uuid);
    if (attempt->no_memory)
        return error_hint(err, "its key takes more memory than the appliance has: --memsize 2048");
    return error_hint(err,
                      "see that --key %s:file:FILENAME names a file with the right passphrase "
                      "in its first line",
                      attempt->device);
}

static int open_one(struct appliance *appliance, const struct guest_keys *keys, const char *device,
                    bool *ret_opened, struct error **err)
{
    _cleanup_free_ char *uuid = guestfs_luks_uuid(appliance->handle, device);
    struct attempt attempt = {.device = device, .uuid = uuid ? uuid : (char *)""};
    int r = 0;
    for (size_t i = 0; r == 0 && !attempt.opened && i < keys->count; i++)
        if (guest_key_fits(&keys->items[i], device, uuid))
            r = try_key(appliance, &attempt, keys->items[i].passphrase, err);
    if (r == 0 && !attempt.tried)
        r = ask_key(appliance, keys, &attempt, err);
    if (r < 0)
        return r;
    if (attempt.tried && !attempt.opened)
        return refuse(&attempt, err);
    *ret_opened = attempt.opened;
    if (attempt.opened)
        return 0;
    report(appliance->reporter, REPORT_DEBUG, "%s is encrypted, and no key was given for it",
           device);
    return appliance->locked ? 0 : str_replace(&appliance->locked, device, err);
}

/* Opens those of the devices that are encrypted and were not seen before. NULL: none. */
static int open_among(struct appliance *appliance, const struct guest_keys *keys, char **devices,
                      struct strv *seen, bool *ret_opened, struct error **err)
{
    for (size_t i = 0; devices && devices[i]; i++) {
        bool opened = false;
        if (strv_contains(seen, devices[i]))
            continue;
        _cleanup_free_ char *type = guestfs_vfs_type(appliance->handle, devices[i]);
        if (!type || strcmp(type, "crypto_LUKS") != 0)
            continue;
        int r = strv_add(seen, devices[i], err);
        if (r == 0)
            r = open_one(appliance, keys, devices[i], &opened, err);
        if (r < 0)
            return r;
        *ret_opened = *ret_opened || opened;
    }
    return 0;
}

/* libguestfs's list of file systems leaves encrypted devices out: they are looked for wherever they
 * can be. */
static int open_layer(struct appliance *appliance, const struct guest_keys *keys, bool lvm,
                      struct strv *seen, bool *ret_opened, struct error **err)
{
    guestfs_h *g = appliance->handle;
    _cleanup_list_ char **partitions = guestfs_list_partitions(g);
    _cleanup_list_ char **disks = guestfs_list_devices(g);
    _cleanup_list_ char **volumes = lvm ? guestfs_lvs(g) : NULL;
    if (!partitions || !disks)
        return appliance_fail(appliance, err);
    *ret_opened = false;
    int r = open_among(appliance, keys, partitions, seen, ret_opened, err);
    if (r == 0)
        r = open_among(appliance, keys, disks, seen, ret_opened, err);
    return r < 0 ? r : open_among(appliance, keys, volumes, seen, ret_opened, err);
}

int appliance_unlock(struct appliance *appliance, const struct guest_keys *keys, struct error **err)
{
    static const struct guest_keys none = {0};
    const char *feature[] = {"lvm2", NULL};
    guestfs_h *g = appliance->handle;
    bool lvm = guestfs_feature_available(g, (char **)feature) > 0;
    _cleanup_strv_ struct strv seen = {0};
    bool opened = true;
    int r = 0;
    for (unsigned layer = 0; r == 0 && opened && layer < layers_max; layer++) {
        r = open_layer(appliance, keys ? keys : &none, lvm, &seen, &opened, err);
        /* Volume groups may lie within what was opened, and encrypted devices within those. */
        if (r == 0 && opened && lvm && guestfs_lvm_scan(g, 1) < 0)
            r = appliance_fail(appliance, err);
    }
    return r;
}
