/*
 * A function on the PCI bus: its configuration space, and the memory that it shows to the guest
 * through one 64-bit memory BAR. Private to vmm/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vmm/pc/machine_hooks.h"
#include "vmm/pc/pci.h"

enum { PCI_CONFIG_SIZE = 256 };

struct pci_device_ops {
    /* Accesses to the BAR; as in struct bus_ops. */
    uint64_t (*read)(struct pci_device *device, uint64_t offset, unsigned size);
    void (*write)(struct pci_device *device, uint64_t offset, unsigned size, uint64_t value);
    /* The BAR appeared at device->mapped_at, or vanished from there and device->mapped is false.
     * May be NULL, as the others below. */
    void (*moved)(struct pci_device *device);
    /* Before a read and after a write of `size` bytes of the configuration space. */
    void (*config_read)(struct pci_device *device, unsigned offset, unsigned size);
    void (*config_written)(struct pci_device *device, unsigned offset, unsigned size);
    void (*reset)(struct pci_device *device);
    /* True once nothing that the device does for the guest is under way, or (`end`) ever will be;
     * false where the deadline came first. */
    bool (*settle)(struct pci_device *device, bool end, uint64_t deadline);
    /* Frees the device as well. */
    void (*free)(struct pci_device *device);
};

/* Kinds allocate themselves on the heap and embed this as their first member. */
struct pci_device {
    const struct pci_device_ops *ops;
    struct machine_hooks *hooks;       /* set when it is plugged in */
    const struct pci_layout *layout;   /* likewise */
    uint8_t config[PCI_CONFIG_SIZE];   /* as the guest reads it */
    uint8_t writable[PCI_CONFIG_SIZE]; /* the bits that it can change */
    unsigned config_end;               /* where the next capability goes */
    uint64_t bar_size;                 /* a power of two; 0: no BAR */
    uint64_t bar_home;                 /* where it is found at first */
    bool mapped;
    uint64_t mapped_at;
};

struct pci_id {
    uint16_t vendor, device;
    uint8_t revision;
    uint8_t class, subclass;
    uint16_t subsystem_vendor, subsystem;
};

void pci_device_init(struct pci_device *device, const struct pci_device_ops *ops,
                     const struct pci_id *id, uint64_t bar_size);

/* Adds a capability whose bytes behind the two of the header are `body`, with the bits that the
 * guest can change in `writable` (NULL: none). Returns where its header is. There must be room. */
unsigned pci_device_add_capability(struct pci_device *device, uint8_t id, const void *body,
                                   const void *writable, size_t size);

struct machine_hooks *pci_bus_hooks(const struct pci_bus *bus);

/* For the bus. The range lies within PCI_CONFIG_SIZE. */
uint64_t pci_device_config_read(struct pci_device *device, unsigned offset, unsigned size);
void pci_device_config_write(struct pci_device *device, unsigned offset, unsigned size,
                             uint64_t value);
/* Tells where the BAR is found at first: in the window, aligned to its size. */
void pci_device_place(struct pci_device *device, uint64_t address);
void pci_device_reset(struct pci_device *device);
/* Unmaps and frees. Accepts NULL. */
void pci_device_free(struct pci_device *device);
