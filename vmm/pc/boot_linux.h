/* Linux's 64-bit boot protocol (Documentation/arch/x86/boot.rst). Private to vmm/. */
#pragma once

#include "vmm/pc/boot_load.h"

int boot_linux_load(const struct boot_file *kernel, const struct guest_memory *memory,
                    const struct boot_request *request, struct boot_entry *ret, struct error **err);
