/*
 * The memory of a guest. Addresses that come from the guest reach the host's memory through
 * guest_memory_at() alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct guest_memory_region {
    uint64_t address; /* in the guest */
    uint64_t size;    /* bytes */
    uint8_t *host;
};

struct guest_memory {
    struct guest_memory_region regions[2]; /* below and above the PCI hole */
    size_t count;
};

/* The hole below 4 GiB where PCI devices and the interrupt controllers live. */
#define GUEST_PCI_HOLE UINT64_C(0xc0000000)

/* Maps `size` bytes for a guest, out of core dumps. Costs nothing until it is touched. `hugepages`:
 * from the host's pool of 2 MiB pages; -ENOMEM with the remedy when that has not enough. */
int guest_memory_map(uint64_t size, bool hugepages, struct guest_memory *ret, struct error **err);
void guest_memory_unmap(struct guest_memory *memory);
#define _cleanup_guest_memory_ _cleanup_(guest_memory_unmap)

/* All zeros again, as after guest_memory_map(). */
void guest_memory_clear(struct guest_memory *memory);

/* The gate: where [address, address + length) is in the host's memory. NULL when any of it lies
 * outside of one region, or length is 0. The guest may change what is there at any time: copy
 * before checking. */
void *guest_memory_at(const struct guest_memory *memory, uint64_t address, uint64_t length);
