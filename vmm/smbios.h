/* The SMBIOS tables of a machine (DMTF DSP0134 3.4): who made it, its serial number and identity,
 * and strings for whoever looks for them inside. Private to vmm/. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vmm/guest_memory.h"

struct smbios_config {
    const char *serial; /* of the system (type 1), where cloud-init looks for "ds=nocloud;..."; NULL
                           or "": none */
    uint8_t uuid[16];   /* of the system, as RFC 4122 writes it; all zeros: none */
    const char *const *strings; /* type 11 */
    size_t string_count;
};

/* Writes the tables to LAYOUT_SMBIOS, the entry point first. -EINVAL for a text that the tables
 * cannot hold. */
int smbios_write(const struct guest_memory *memory, const struct smbios_config *config,
                 struct error **err);
