/* Keys of encrypted devices (LUKS): what people name them by, and which are tried on which. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/secret.h"

#define _cleanup_passphrase_ _cleanup_secret_

struct guest_key {
    char *device;     /* "/dev/sda2", "/dev/vg/root", the UUID of a LUKS header, or "all" */
    char *passphrase; /* wiped when it is freed */
};

/* Zero-initialise. */
struct guest_keys {
    struct guest_key *items;
    size_t count;
    /* Prompts for the key of a device that none of the items is for; the library wipes and frees
     * it. *ret NULL: there is none. A NULL function: nobody can be asked. */
    int (*ask)(void *context, const char *device, char **ret, struct error **err);
    void *ask_context;
};

/*
 * Adds the value of --key: "DEVICE:key:PASSPHRASE" or "DEVICE:file:FILENAME", of which the first
 * line is taken, without its newline. -EINVAL for any other text, of which the message quotes the
 * device alone.
 */
int guest_keys_add(struct guest_keys *keys, const char *selector, struct error **err);

/* Whether the name is one of the device: "/dev/mapper/vg-root" is one of /dev/vg/root. */
bool guest_same_device(const char *name, const char *device);

/* Whether the key is for the device of that name and UUID (may be NULL). */
bool guest_key_fits(const struct guest_key *key, const char *device, const char *uuid);

/* Wipes all keys. */
void guest_keys_free(struct guest_keys *keys);
