/* The SMBIOS tables of a machine (DMTF DSP0134 3.4): manufacturer, serial number, and OEM strings.
 * Private to vmm/. */
#pragma once

#include "base/error.h"
#include "vmm/identity.h"
#include "vmm/pc/guest_memory.h"

/* Writes the tables to LAYOUT_SMBIOS, the entry point first. -EINVAL for a text that the tables
 * cannot hold. */
int smbios_write(const struct guest_memory *memory, const struct vm_identity *identity,
                 struct error **err);
