/*
 * Puts a kernel, its initrd and command line into a machine's memory as the kernel's boot protocol
 * wants them: Linux's 64-bit boot protocol for a bzImage, Xen's PVH for an ELF file. Private to
 * vmm/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vmm/pc/guest_memory.h"

struct boot_request {
    int kernel_fd; /* the caller's, as is the next */
    int initrd_fd; /* -1: none */
    const char *command_line;
    uint64_t rsdp;              /* of the ACPI tables */
    uint64_t pci_configuration; /* address of the configuration space; 0: there is no bus */
};

/* What the first processor begins with. */
struct boot_entry {
    bool long_mode; /* 64 bits with LAYOUT_PAGE_TABLES, else 32 bits without paging */
    uint64_t address;
    uint64_t argument; /* for rsi in long mode, else ebx */
};

/* -ENOEXEC: this is no kernel that can be booted so; -ENOSPC: the machine has too little memory. */
int boot_load(const struct guest_memory *memory, const struct boot_request *request,
              struct boot_entry *ret, struct error **err);

/* The parts that the protocols share. */

struct boot_file {
    int fd;
    const char *name; /* "kernel", "initrd", for messages */
    uint64_t size;
};

int boot_file_open(int fd, const char *name, struct boot_file *ret, struct error **err);

/* Reads a part of the file straight into the machine. A file that ends before it is -ENOEXEC, an
 * address where the machine has no memory -ENOSPC. */
int boot_file_load(const struct boot_file *file, uint64_t offset, uint64_t length,
                   const struct guest_memory *memory, uint64_t address, struct error **err);

/* Loads the initrd, where there is one, as high as it fits between `floor` and `ceiling`. */
int boot_load_initrd(const struct guest_memory *memory, const struct boot_request *request,
                     uint64_t floor, uint64_t ceiling, uint64_t *ret_address, uint64_t *ret_size,
                     struct error **err);

/* To LAYOUT_COMMAND_LINE; `max`: the longest that the kernel takes. */
int boot_load_command_line(const struct guest_memory *memory, const char *text, uint64_t max,
                           struct error **err);

/* Types as e820 has them, and PVH too. */
enum { BOOT_MEMORY_RAM = 1, BOOT_MEMORY_RESERVED = 2 };

struct boot_range {
    uint64_t address, size;
    uint32_t type;
};
enum { BOOT_RANGES_MAX = 8 };

/* What is where, for the guest. Returns how many. */
size_t boot_memory_map(const struct guest_memory *memory, const struct boot_request *request,
                       struct boot_range ranges[static BOOT_RANGES_MAX]);
