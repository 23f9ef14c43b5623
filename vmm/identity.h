/* What a machine's firmware tables describe to its guest (SMBIOS, DMTF DSP0134 3.4). */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* Texts without control characters, UTF-8. */
struct vm_identity {
    const char *serial; /* of the system (type 1), where cloud-init looks for "ds=nocloud;..."; NULL
                           or "": none */
    const char *const *strings; /* type 11, "OEM strings": systemd's credentials, for one */
    size_t string_count;        /* at most 255 */
};

/* -EINVAL for texts that an SMBIOS table cannot hold, or for too many of them. */
int vm_identity_check(const struct vm_identity *identity, struct error **err);
