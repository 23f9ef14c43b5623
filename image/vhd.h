/*
 * VHD images (Virtual Hard Disk Image Format Specification 1.0), which QEMU calls vpc. Those that
 * grow have a copy of their footer at the beginning. Those of a fixed size are the disk itself with
 * a footer behind it, which is no part of the disk: they are read here, QEMU reads the others.
 * Internal to image/.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Whether the regular file ends with a footer. False for anything else. */
int vhd_has_footer(int fd, const char *name, bool *ret, struct error **err);

/*
 * *ret_size: bytes of the disk at the beginning of an image of a fixed size; 0 for one that grows.
 * -EUNTRUSTED: the image holds only what differs from a parent. -EINVAL: no footer, or a damaged
 * one.
 */
int vhd_check(int fd, const char *name, uint64_t *ret_size, struct error **err);
