/* Windows guests: what operations on them share. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "customize/operation.h"

/* That the registry of the Windows guest could be read: -EOPNOTSUPP says why not. */
int windows_require(const struct guest_info *info, struct error **err);

/* Adds what to do where the guest's file system turned out to be read-only. Returns r. */
int windows_explain(int r, struct error **err);

/* Files of virtio-win.iso, which have for each driver, or for each release of Windows, one
 * directory for each processor. The path is relative to its root; case does not count. */

/* A driver, or what belongs to one, for this guest. */
bool windows_driver_fits(const struct guest_info *info, const char *path);
/* The installer of the QEMU guest agent. */
bool windows_agent_fits(const struct guest_info *info, const char *path);
/* The balloon service. */
bool windows_balloon_fits(const struct guest_info *info, const char *path);

/* "Windows 6.1 Client (x86_64)", for messages. Caller frees; NULL: out of memory. */
char *windows_description(const struct guest_info *info, struct error **err);
