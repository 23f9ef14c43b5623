#include "vmm/kvm/resident.h"

#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"

/* Segments that are not writable are as in the file, whatever was done to the others. */
static int trim_object(struct dl_phdr_info *object, size_t size, void *data)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    (void)size, (void)data;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || header->p_flags & PF_W)
            continue;
        uintptr_t start = round_down(object->dlpi_addr + header->p_vaddr, page);
        uintptr_t end = object->dlpi_addr + header->p_vaddr + header->p_memsz;
        (void)madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void resident_trim(void)
{
    (void)malloc_trim(0);
    (void)dl_iterate_phdr(trim_object, NULL);
}
