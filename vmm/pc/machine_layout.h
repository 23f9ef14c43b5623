/* Where things are in the address space of a machine of ours. Private to vmm/. */
#pragma once

#include <stdint.h>

#include "vmm/pc/guest_memory.h"

enum {
    LAYOUT_GDT = 0x500,
    LAYOUT_START_INFO = 0x6000, /* PVH; a page */
    LAYOUT_ZERO_PAGE = 0x7000,  /* Linux */
    LAYOUT_PAGE_TABLES = 0x9000,
    LAYOUT_COMMAND_LINE = 0x20000,
    LAYOUT_COMMAND_LINE_MAX = 0x10000,
    LAYOUT_LOW_END = 0x9fc00,  /* what a PC has below its video memory */
    LAYOUT_ACPI = 0xe0000,     /* where systems look for the root pointer by themselves */
    LAYOUT_ACPI_MAX = 0x10000, /* bytes */
    LAYOUT_SMBIOS = 0xf0000,   /* likewise */
    LAYOUT_SMBIOS_MAX = 0xfff0,
    LAYOUT_RESET_CODE = 0xffff0, /* where a PC's firmware begins */
    LAYOUT_HIGH = 0x100000,      /* kernels go here and above */
    LAYOUT_PM_PORT = 0x600,
    LAYOUT_SERIAL_PORT = 0x3f8,
    LAYOUT_SERIAL_IRQ = 4,
    LAYOUT_POWER_IRQ = 5,
};

#define LAYOUT_MEMORY32      UINT32_C(0xc0000000) /* memory of PCI devices */
#define LAYOUT_MEMORY32_SIZE UINT32_C(0x20000000)
#define LAYOUT_ECAM          UINT32_C(0xe0000000)
#define LAYOUT_ECAM_SIZE     UINT32_C(0x00100000) /* bus 0 alone */
#define LAYOUT_IO_APIC       UINT32_C(0xfec00000)
#define LAYOUT_LOCAL_APIC    UINT32_C(0xfee00000)
#define LAYOUT_IDENTITY_MAP  UINT32_C(0xfffbc000) /* KVM's own pages, on Intel */
#define LAYOUT_TSS           UINT32_C(0xfffbd000)

_Static_assert(LAYOUT_MEMORY32 == GUEST_PCI_HOLE, "devices begin where memory ends");
