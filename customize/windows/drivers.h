/* Drivers put into a Windows guest, so that it boots from virtio disks and finds the others by
 * itself. */
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "customize/operation.h"

/* Copies all drivers that fit the guest from the source (see source.h) into
 * Windows\Drivers\VirtIO, and has Windows start the one for disks. -ENOENT: none fits. */
int windows_drivers_inject(struct customize_context *context, const char *source,
                           struct error **err);

/*
 * The edits of registry hives, on their own. `driver` is the name of a driver for virtio's block
 * device, as in "viostor"; Windows starts it when it boots, before it looks for devices.
 */
struct registry;
int windows_drivers_register(struct registry *system, const char *control_set, const char *driver,
                             struct error **err);
/* Makes Windows look for drivers in Windows\Drivers\VirtIO as well. */
int windows_drivers_add_path(struct registry *software, struct error **err);
