/* VMDK descriptors. Internal to image/. */
#pragma once

#include "base/error.h"

/*
 * A VMDK names other files: those that hold its data, and the parent of a snapshot. QEMU opens
 * whatever they name. This refuses an image whose data lies anywhere but beside it (-EINVAL), and
 * one that has a parent (-ENOTSUP).
 */
int vmdk_check(int fd, const char *name, struct error **err);
