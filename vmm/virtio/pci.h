/* Virtio devices on a PCI bus: VIRTIO 1.2 §4.1, without the legacy interface. */
#pragma once

#include "vmm/pc/pci.h"
#include "vmm/virtio/device.h"

/* Plugs the device in and starts its thread, which blocks all signals. The bus then owns the device
 * (frees it on failure too). */
int virtio_pci_add(struct pci_bus *bus, struct virtio_device *device, struct error **err);
