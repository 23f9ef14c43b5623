/*
 * A PCI bus (PCI Local Bus 3.0 and, for the memory-mapped configuration space, PCI Express 3.0
 * §7.2.2) with a host bridge in slot 0 and up to 31 devices of one function behind it. Interrupts
 * are message-signalled only: no device has an interrupt pin.
 *
 * Like the buses of the machine that it is plugged into, it belongs to the thread that holds the
 * machine's lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "vmm/pc/machine_hooks.h"

struct pci_window {
    uint64_t address, size;
};

/* Where a machine has its bus. Memory of devices is found nowhere else than in the two windows,
 * whatever the guest asks for; both must lie where no memory of the guest is. */
struct pci_layout {
    struct pci_window ecam; /* configuration space of bus 0: PCI_ECAM_SIZE bytes; size 0: none */
    struct pci_window
        memory32; /* below 4 GiB; devices are found here before the guest moves them */
    struct pci_window memory64; /* above; size 0: none */
    bool ports; /* configuration through the ports 0xcf8 to 0xcff as well: Linux prefers them where
                   they are, at twice the exits */
};

#define PCI_ECAM_SIZE (UINT64_C(1) << 20)

struct pci_bus;

/* Maps the bus into hooks->ports and hooks->mmio. `hooks` must outlive it. */
int pci_bus_new(struct machine_hooks *hooks, const struct pci_layout *layout, struct pci_bus **ret,
                struct error **err);

struct pci_device;

/* Plugs the device into the next free slot: guests find devices in the order of these calls. The
 * bus then owns it (frees it on failure too). -ENOSPC when all slots are taken, or a window is
 * full. For a virtio device, virtio_pci_add() does it. */
int pci_bus_add(struct pci_bus *bus, struct pci_device *device, struct error **err);

/* For the time when no processor runs: waits until no device is at work any more. With `end`, the
 * threads of all are ended. False: the deadline came first, as one of them hangs in the host. The
 * bus must then not be reset or freed. */
bool pci_bus_settle(struct pci_bus *bus, bool end, uint64_t deadline);

/* What a reset of the machine does: every device is as it was before the guest ran. */
void pci_bus_reset(struct pci_bus *bus);

/* Ends the threads of all devices, unmaps everything and frees. No processor may run any more.
 * Accepts NULL. */
void pci_bus_free(struct pci_bus *bus);

DEFINE_CLEANUP(struct pci_bus *, pci_bus_free);
#define _cleanup_pci_bus_ _cleanup_(pci_bus_freep)
