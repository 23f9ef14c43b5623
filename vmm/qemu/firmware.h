/* UEFI firmware for QEMU (OVMF), wherever distributions put it. */
#pragma once

#include "base/error.h"

struct firmware {
    char *code; /* path of the read-only part */
    char *vars; /* path of the template for the variables */
};

/* -ENOENT, with the packages to install as hint, when there is none. KILN_OVMF_DIR names a
 * directory that holds OVMF_CODE.fd and OVMF_VARS.fd, to be used instead of the usual places. */
int firmware_find(struct firmware *ret, struct error **err);
void firmware_free(struct firmware *firmware);
#define _cleanup_firmware_ _cleanup_(firmware_free)
