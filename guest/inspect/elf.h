/* The machine that an ELF file is for (System V ABI, edition 4.1 and its processor supplements). */
#pragma once

#include <stddef.h>

#define ELF_HEADER_SIZE 20 /* bytes that elf_machine() looks at */

/* "x86_64", "aarch64", ... as uname(1) prints them; NULL: no ELF file, or a machine not known. */
const char *elf_machine(const void *header, size_t size);
