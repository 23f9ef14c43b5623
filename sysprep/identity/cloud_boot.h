/* What a guest's configuration of cloud-init says about its next boot. */
#pragma once

#include "base/error.h"
#include "guest/guest.h"

enum cloud_stop {
    CLOUD_RUNS,
    CLOUD_WITHOUT_NETWORK, /* it runs, and leaves the network as it is */
    CLOUD_WITHOUT_SOURCE,  /* it runs, and takes no settings from outside */
    CLOUD_STOPPED,
};

/*
 * Whether cloud-init, which the guest must have, will set up a new machine; the worst that was
 * found. *ret_why: what is in the way and where, for people; NULL with CLOUD_RUNS. Caller frees.
 */
int cloud_boot_check(struct guest *guest, enum cloud_stop *ret, char **ret_why, struct error **err);
