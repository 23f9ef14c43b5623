/*
 * Batch files that a Windows guest runs when it boots for the first time. They are where
 * virt-customize and virt-v2v put them, C:\Program Files\Guestfs\Firstboot\scripts, and a service
 * of the same name runs them, so that either tool adds to what the other one left. A batch file
 * cannot be a Windows service: rhsrvany.exe or pvvxsvc.exe runs it, a program that the host has in
 * $VIRT_TOOLS_DATA_DIR or /usr/share/virt-tools.
 */
#pragma once

#include "base/error.h"
#include "customize/operation.h"

/* -ENOENT: the host has no such program. -EOPNOTSUPP: the guest's registry cannot be read. */
int firstboot_windows_require(const struct guest_info *info, struct error **err);

/* See firstboot_add(). The text gets the line ends of Windows. */
int firstboot_windows_add(struct customize_context *context, const char *name, const char *text,
                          size_t size, struct error **err);
