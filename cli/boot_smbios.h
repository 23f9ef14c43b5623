/* --smbios of kiln boot, spelled as QEMU's -smbios. */
#pragma once

#include "base/str.h"
#include "vmm/identity.h"

/* Zero-initialise. */
struct boot_smbios {
    char *serial;
    struct strv strings;
};

/* Items like "type=1,serial=TEXT" and "type=11,value=TEXT,value=TEXT"; two commas are one of the
 * text. What cannot be parsed is wrong usage. */
int boot_smbios_parse(const struct strv *items, struct boot_smbios *ret, struct error **err);
/* Borrows the texts. */
struct vm_identity boot_smbios_identity(const struct boot_smbios *smbios);
void boot_smbios_free(struct boot_smbios *smbios);
