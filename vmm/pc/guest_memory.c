#include "vmm/pc/guest_memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "base/str.h"

static const uint64_t page_size = 4096;
static const uint64_t huge_page_size = 2u << 20;
static const uint64_t above_hole = UINT64_C(1) << 32;

static int explain_mmap(int errnum, uint64_t size, bool hugepages, struct error **err)
{
    char text[16];
    error_sys(err, errnum, "cannot map %s of memory for the machine", format_size(size, text));
    if (hugepages)
        return error_hint(err,
                          "give the host at least %llu huge pages (sysctl vm.nr_hugepages), or "
                          "leave --hugepages out",
                          (unsigned long long)(round_up(size, huge_page_size) / huge_page_size));
    return error_hint(err, "give the machine less --memory");
}

/* Without MAP_NORESERVE, huge pages are set aside at once: a pool that is too small shows here and
 * not by a signal in the middle of the run. */
static int map_region(uint64_t address, uint64_t size, bool hugepages,
                      struct guest_memory_region *ret, struct error **err)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    flags |= hugepages ? MAP_HUGETLB | (21 << MAP_HUGE_SHIFT) : MAP_NORESERVE;
    void *host = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (host == MAP_FAILED)
        return explain_mmap(errno, size, hugepages, err);
    if (madvise(host, size, MADV_DONTDUMP) < 0) {
        int errnum = errno;
        munmap(host, size);
        return error_sys(err, errnum, "cannot keep the machine's memory out of core dumps");
    }
    /* Saves most of the page faults; optional, since not every host has huge pages. */
    if (!hugepages)
        (void)madvise(host, size, MADV_HUGEPAGE);
    *ret = (struct guest_memory_region){.address = address, .size = size, .host = host};
    return 0;
}

int guest_memory_map(uint64_t size, bool hugepages, struct guest_memory *ret, struct error **err)
{
    _cleanup_guest_memory_ struct guest_memory memory = {0};
    uint64_t align = hugepages ? huge_page_size : page_size;
    if (size == 0 || size > UINT64_C(1) << 46)
        return error_set(err, EINVAL, "a machine cannot have %llu bytes of memory",
                         (unsigned long long)size);
    size = round_up(size, align);
    uint64_t below = min_u64(size, GUEST_PCI_HOLE);
    int r = map_region(0, below, hugepages, &memory.regions[0], err);
    if (r < 0)
        return r;
    memory.count = 1;
    if (size > below) {
        r = map_region(above_hole, size - below, hugepages, &memory.regions[1], err);
        if (r < 0)
            return r;
        memory.count = 2;
    }
    *ret = memory;
    memory = (struct guest_memory){0};
    return 0;
}

void guest_memory_unmap(struct guest_memory *memory)
{
    for (size_t i = 0; i < memory->count; i++)
        munmap(memory->regions[i].host, memory->regions[i].size);
    *memory = (struct guest_memory){0};
}

/* Pages that are given back read as zeroes. Linux before 5.18 gives no huge pages back (EINVAL),
 * and no version those that are locked in memory: these are overwritten. */
void guest_memory_clear(struct guest_memory *memory)
{
    for (size_t i = 0; i < memory->count; i++) {
        const struct guest_memory_region *region = &memory->regions[i];
        if (madvise(region->host, region->size, MADV_DONTNEED) < 0)
            memset(region->host, 0, region->size);
    }
}

void *guest_memory_at(const struct guest_memory *memory, uint64_t address, uint64_t length)
{
    if (length == 0)
        return NULL;
    for (size_t i = 0; i < memory->count; i++) {
        const struct guest_memory_region *region = &memory->regions[i];
        if (address >= region->address &&
            range_within(address - region->address, length, region->size))
            return region->host + (address - region->address);
    }
    return NULL;
}
