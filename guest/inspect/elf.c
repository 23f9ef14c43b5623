#include "guest/inspect/elf.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/endian.h"

static const struct {
    uint16_t machine;
    bool wide; /* 64-bit class */
    bool big;  /* big endian */
    const char *name;
} machines[] = {
    {EM_X86_64, true, false, "x86_64"},   {EM_386, false, false, "i386"},
    {EM_AARCH64, true, false, "aarch64"}, {EM_ARM, false, false, "arm"},
    {EM_PPC64, true, false, "ppc64le"},   {EM_PPC64, true, true, "ppc64"},
    {EM_PPC, false, true, "ppc"},         {EM_S390, true, true, "s390x"},
    {EM_RISCV, true, false, "riscv64"},   {EM_IA_64, true, false, "ia64"},
    {EM_SPARCV9, true, true, "sparc64"},  {EM_MIPS, true, false, "mips64el"},
    {EM_MIPS, false, false, "mipsel"},    {258, true, false, "loongarch64"},
};

const char *elf_machine(const void *header, size_t size)
{
    const uint8_t *bytes = header;
    if (size < ELF_HEADER_SIZE || memcmp(bytes, ELFMAG, SELFMAG) != 0)
        return NULL;
    bool wide = bytes[EI_CLASS] == ELFCLASS64, big = bytes[EI_DATA] == ELFDATA2MSB;
    le16_t little;
    be16_t large;
    memcpy(&little, bytes + 18, sizeof(little));
    memcpy(&large, bytes + 18, sizeof(large));
    uint16_t machine = big ? be16_get(large) : le16_get(little);
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
        if (machines[i].machine == machine && machines[i].wide == wide && machines[i].big == big)
            return machines[i].name;
    return NULL;
}
