/* What devices need of the machine that they are in. A vtable, so that devices can be tried on
 * plain memory, without KVM. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "vmm/pc/bus.h"
#include "vmm/pc/guest_memory.h"

struct machine_hooks {
    struct guest_memory *memory;
    struct bus *ports;
    struct bus *mmio;
    /* A guest's write of any size to this address signals the eventfd, and no bus sees it. */
    int (*doorbell_add)(struct machine_hooks *hooks, uint64_t address, int eventfd,
                        struct error **err);
    void (*doorbell_remove)(struct machine_hooks *hooks, uint64_t address, int eventfd);
    /* Signalling the eventfd then raises the message-signalled interrupt; a second call changes it.
     */
    int (*msi_set)(struct machine_hooks *hooks, int eventfd, uint64_t address, uint32_t data,
                   struct error **err);
    void (*msi_clear)(struct machine_hooks *hooks, int eventfd);
};
