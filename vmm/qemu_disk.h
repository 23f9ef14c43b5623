/* Disks of a QEMU machine: images that are only read, and the throw-away overlays that take the
 * guest's writes. Private to vmm/. */
#pragma once

#include "base/str.h"
#include "vmm/qemu_command.h"
#include "vmm/runner.h"

/* Opens and locks the image, and adds the options that attach it as the guest's next virtio disk.
 * `bootable`: firmware starts from this one. -EBUSY when somebody writes to the image. */
int qemu_disk_add(struct qemu_command *command, const struct vm_disk *disk, bool bootable,
                  struct error **err);
