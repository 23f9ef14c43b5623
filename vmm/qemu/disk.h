/* Disks of a QEMU machine: images that are only read, and the throw-away overlays that take the
 * guest's writes. Private to vmm/. */
#pragma once

#include "base/str.h"
#include "vmm/qemu/command.h"
#include "vmm/runner.h"

struct qemu_disk_options {
    bool bootable; /* firmware starts from this one */
    bool persist;  /* the guest writes into the image itself */
    const struct image_trust *trust;
};

/* Opens and locks the image, and adds the options that attach it as the guest's next virtio disk.
 * -EBUSY when somebody writes to the image; -EPERM when the guest is to write to a sealed one. */
int qemu_disk_add(struct qemu_command *command, const struct vm_disk *disk,
                  const struct qemu_disk_options *options, struct error **err);
