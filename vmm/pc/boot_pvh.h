/* Xen's PVH entry (xen/docs/misc/pvh.pandoc, xen/include/public/arch-x86/hvm/start_info.h) for
 * kernels that are 64-bit ELF files. Private to vmm/. */
#pragma once

#include "vmm/pc/boot_load.h"

int boot_pvh_load(const struct boot_file *kernel, const struct guest_memory *memory,
                  const struct boot_request *request, struct boot_entry *ret, struct error **err);
