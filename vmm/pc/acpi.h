/*
 * The ACPI tables of a machine (ACPI 6.4; MCFG: PCI Firmware 3.2): hardware-reduced, with its
 * processors, its PCI bus, a serial port and a clock. Private to vmm/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vmm/pc/guest_memory.h"

struct acpi_config {
    unsigned cpus;       /* with the APIC ids 0 to cpus - 1 */
    bool pci;            /* there is a bus, at machine_layout.h's addresses */
    uint64_t pci_window; /* 64-bit memory of PCI devices; 0: none */
    uint64_t pci_window_size;
};

/* Writes all tables to LAYOUT_ACPI. The root pointer (RSDP) is at that address. */
int acpi_write(const struct guest_memory *memory, const struct acpi_config *config,
               struct error **err);
