/*
 * MSI-X, PCI Local Bus 3.0 §6.8.2: a table of messages in the memory of a device, an eventfd for
 * each of them, and their masks. Private to vmm/.
 *
 * Table and control belong to the thread that holds the machine's lock; any thread may signal.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "vmm/pc/machine_hooks.h"

enum {
    MSIX_VECTORS_MAX = 64,
    MSIX_PBA = 0x800,          /* of the pending bits, behind the table */
    MSIX_REGION_SIZE = 0x1000, /* of the memory that holds both */
    MSIX_ENTRY_SIZE = 16,
};

/* Bits of the capability's message control. */
enum { MSIX_ENABLE = 0x8000, MSIX_FUNCTION_MASK = 0x4000 };

struct msix;

int msix_new(struct machine_hooks *hooks, unsigned vectors, struct msix **ret, struct error **err);
/* Accepts NULL. */
void msix_free(struct msix *msix);

unsigned msix_vectors(const struct msix *msix);
void msix_set_control(struct msix *msix, uint16_t control);
/* Accesses to the region; as in struct bus_ops. */
uint64_t msix_read(struct msix *msix, uint64_t offset, unsigned size);
void msix_write(struct msix *msix, uint64_t offset, unsigned size, uint64_t value);
void msix_reset(struct msix *msix);

/* Raises the interrupt, or notes that it is pending while it is masked. A vector that does not
 * exist is nothing. */
void msix_signal(struct msix *msix, unsigned vector);
