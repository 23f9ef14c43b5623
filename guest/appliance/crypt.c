/* The appliance engine's encrypted devices: opening them before the guest is looked for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/appliance/appliance.h"
#include "guest/keys.h"

/* LUKS on LVM on LUKS is the deepest nesting in use. */
enum { layers_max = 4 };

/* What was tried on one device. */
struct attempt {
    const char *device;
    const char *uuid;
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

static int open_one(struct appliance *appliance, const struct guest_keys *keys,
                    const struct volume *volume, bool *ret_opened, struct error **err)
{
    const char *device = volume->device, *uuid = volume->uuid;
    struct attempt attempt = {.device = device, .uuid = uuid};
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

/* Opens those of the known devices that are encrypted and were not seen before. What is within
 * comes behind them. */
static int open_layer(struct appliance *appliance, const struct guest_keys *keys, struct strv *seen,
                      bool *ret_opened, struct error **err)
{
    int r = 0;
    *ret_opened = false;
    for (size_t i = 0, count = appliance->volumes.count; r == 0 && i < count; i++) {
        /* The table moves when it grows. */
        const struct volume volume = appliance->volumes.items[i];
        bool opened = false;
        if (strcmp(volume.type, "crypto_LUKS") != 0 || strv_contains(seen, volume.device))
            continue;
        r = strv_add(seen, volume.device, err);
        if (r == 0)
            r = open_one(appliance, keys, &volume, &opened, err);
        if (r < 0 || !opened)
            continue;
        _cleanup_free_ char *inner = str_printf(err, "/dev/mapper/luks-%s", volume.uuid);
        r = inner ? appliance_add_volume(appliance, inner, err) : -ENOMEM;
        *ret_opened = true;
    }
    return r;
}

int appliance_unlock(struct appliance *appliance, const struct guest_keys *keys, struct error **err)
{
    static const struct guest_keys none = {0};
    _cleanup_strv_ struct strv seen = {0};
    bool opened = true;
    int r = 0;
    for (unsigned layer = 0; r == 0 && opened && layer < layers_max; layer++) {
        r = open_layer(appliance, keys ? keys : &none, &seen, &opened, err);
        /* Volume groups may lie within what was opened, and encrypted devices within those. */
        bool lvm = r == 0 && opened && appliance_has_type(appliance, "LVM2_member");
        if (lvm && guestfs_lvm_scan(appliance->handle, 1) < 0)
            r = appliance_fail(appliance, err);
        if (r == 0 && lvm)
            r = appliance_add_lvm(appliance, err);
    }
    return r;
}
