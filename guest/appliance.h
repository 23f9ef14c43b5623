/* The appliance engine's inside: what its files share. */
#pragma once

#include <guestfs.h>

#include "guest/engine.h"

#define APPLIANCE_LINES 8 /* of what the appliance said last that are kept */

struct appliance {
    struct guest guest;
    guestfs_h *handle;
    char *root;                   /* device of the root file system */
    char *lines[APPLIANCE_LINES]; /* oldest first, NULL beyond the last */
};

extern const struct guest_ops appliance_ops;

/* Describes the failure of the last call. Returns the negative errno. */
int appliance_fail(struct appliance *appliance, struct error **err);
