/* What a command gives the engines to work with, the same for every guest that it opens. Filled
 * once, by cli/, and passed down as it is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "image/image.h"

enum guest_engine { GUEST_ENGINE_AUTO, GUEST_ENGINE_NATIVE, GUEST_ENGINE_APPLIANCE };

const char *guest_engine_name(enum guest_engine engine); /* "auto", "native", "appliance" */
int guest_engine_parse(const char *name, enum guest_engine *ret, struct error **err);

struct guest_drive {
    const char *path;
    enum image_format format;
};

struct guest_keys;
struct guest_root_choice;

/* Zero-initialised: the cheapest engine, at its defaults, without KVM. */
struct guest_resources {
    enum guest_engine engine;
    bool kvm_healthy; /* the appliance may use KVM: it was seen to work */
    uint64_t memory;  /* bytes of the appliance; 0: its default */
    unsigned cpus;    /* of the appliance; 0: its default */
    /* Disks that are no part of the guest, for its programs to mount: read-only, behind all others,
     * and added only where programs can run. */
    const struct guest_drive *attached;
    size_t attached_count;
    /* For encrypted devices (guest/keys.h); only the appliance opens them. NULL: none. */
    const struct guest_keys *keys;
    const struct guest_root_choice
        *root;                       /* of several systems (guest/root_choice.h); NULL: single */
    const struct image_trust *trust; /* which backing files may be used; see image/trust.h */
};
