#include "vmm/kvm/cpuid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { max_entries = 512, topology_levels = 3 };

/* Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E. */
enum {
    leaf_features = 0x1,
    leaf_caches = 0x4,
    leaf_extended = 0x7,
    leaf_counters = 0xa,
    leaf_topology = 0xb,
    leaf_extended_state = 0xd,
    leaf_enclaves = 0x12,
    leaf_tracing = 0x14,
    leaf_topology2 = 0x1f,
};
#define LEAF_AMD_FEATURES UINT32_C(0x80000001)
#define LEAF_AMD_SIZES    UINT32_C(0x80000008)
#define LEAF_AMD_SVM      UINT32_C(0x8000000a)
#define LEAF_AMD_CACHES   UINT32_C(0x8000001d)
#define LEAF_AMD_TOPOLOGY UINT32_C(0x8000001e)
#define LEAF_AMD_COUNTERS UINT32_C(0x80000022)

/* Intel SDM volume 1, §13.1: state that takes kilobytes, which guests have to ask for. */
#define STATE_TILES (UINT64_C(3) << 17)

#define BIT(n) (UINT32_C(1) << (n))

struct kvm_cpuid2 *kvm_cpuid_supported(int device, struct error **err)
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + max_entries * sizeof(cpuid->entries[0]));
    if (!cpuid) {
        error_oom(err);
        return NULL;
    }
    cpuid->nent = max_entries;
    if (ioctl(device, KVM_GET_SUPPORTED_CPUID, cpuid) < 0) {
        error_sys(err, errno, "KVM_GET_SUPPORTED_CPUID failed");
        free(cpuid);
        return NULL;
    }
    return cpuid;
}

/* As many bits as tell the processors apart. */
static unsigned id_bits(unsigned cpus)
{
    unsigned bits = 0;
    while (UINT32_C(1) << bits < cpus)
        bits++;
    return bits;
}

static void set_field(uint32_t *word, unsigned low, unsigned width, uint32_t value)
{
    uint32_t mask = (BIT(width) - 1) << low;
    *word = (*word & ~mask) | (value << low & mask);
}

static void set_bit(uint32_t *word, unsigned bit, bool value)
{
    set_field(word, bit, 1, value);
}

static void clear(struct kvm_cpuid_entry2 *entry)
{
    entry->eax = entry->ebx = entry->ecx = entry->edx = 0;
}

static void set_features(struct kvm_cpuid_entry2 *entry, const struct kvm_cpuid_place *place)
{
    set_field(&entry->ebx, 16, 8, place->cpus);
    set_field(&entry->ebx, 24, 8, place->cpu);
    set_bit(&entry->edx, 28, place->cpus > 1); /* HTT: the number above counts */
    set_bit(&entry->ecx, 3, false);            /* MONITOR */
    set_bit(&entry->ecx, 5, false);            /* VMX */
    set_bit(&entry->ecx, 15, false);           /* PDCM */
    set_bit(&entry->ecx, 24, place->tsc_deadline);
    set_bit(&entry->ecx, 31, true); /* a hypervisor is there */
}

/* Each processor has its own caches, but for those of level 3. */
static void set_sharing(struct kvm_cpuid_entry2 *entry, const struct kvm_cpuid_place *place)
{
    unsigned level = entry->eax >> 5 & 7;
    if ((entry->eax & 0x1f) != 0)
        set_field(&entry->eax, 14, 12, level >= 3 ? place->cpus - 1 : 0);
}

static void adjust(struct kvm_cpuid_entry2 *entry, const struct kvm_cpuid_place *place)
{
    switch (entry->function) {
    case leaf_features:
        set_features(entry, place);
        break;
    case leaf_caches:
        set_sharing(entry, place);
        if ((entry->eax & 0x1f) != 0)
            set_field(&entry->eax, 26, 6, place->cpus > 64 ? 63 : place->cpus - 1);
        break;
    case leaf_extended:
        if (entry->index == 0) {
            set_bit(&entry->ebx, 2, false);  /* SGX */
            set_bit(&entry->ebx, 25, false); /* processor trace */
        }
        break;
    case leaf_counters:
    case leaf_enclaves:
    case leaf_tracing:
    case LEAF_AMD_SVM:
    case LEAF_AMD_COUNTERS:
        clear(entry);
        break;
    case LEAF_AMD_FEATURES:
        set_bit(&entry->ecx, 2, false);  /* SVM */
        set_bit(&entry->ecx, 23, false); /* core performance counters */
        set_bit(&entry->ecx, 24, false); /* northbridge performance counters */
        break;
    case LEAF_AMD_SIZES:
        set_field(&entry->ecx, 0, 8, place->cpus - 1);
        set_field(&entry->ecx, 12, 4, id_bits(place->cpus));
        break;
    case LEAF_AMD_CACHES:
        set_sharing(entry, place);
        break;
    case LEAF_AMD_TOPOLOGY:
        entry->eax = place->cpu;
        entry->ebx = place->cpu & 0xff;
        entry->ecx = entry->edx = 0;
        break;
    }
}

/* Level 0: threads of a core; level 1: cores of the package; then nothing. */
static struct kvm_cpuid_entry2 topology_entry(uint32_t leaf, uint32_t level,
                                              const struct kvm_cpuid_place *place)
{
    struct kvm_cpuid_entry2 entry = {.function = leaf,
                                     .index = level,
                                     .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
                                     .ecx = level,
                                     .edx = place->cpu};
    if (level == 0) {
        entry.ebx = 1;
        entry.ecx |= 1 << 8;
    } else if (level == 1) {
        entry.eax = id_bits(place->cpus);
        entry.ebx = place->cpus;
        entry.ecx |= 2 << 8;
    }
    return entry;
}

struct kvm_cpuid2 *kvm_cpuid_make(const struct kvm_cpuid2 *supported,
                                  const struct kvm_cpuid_place *place)
{
    size_t most = supported->nent + 2 * topology_levels;
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + most * sizeof(cpuid->entries[0]));
    if (!cpuid)
        return NULL;
    for (uint32_t i = 0; i < supported->nent; i++) {
        struct kvm_cpuid_entry2 entry = supported->entries[i];
        bool topology = entry.function == leaf_topology || entry.function == leaf_topology2;
        if (topology && entry.index == 0)
            for (uint32_t level = 0; level < topology_levels; level++)
                cpuid->entries[cpuid->nent++] = topology_entry(entry.function, level, place);
        if (topology)
            continue;
        adjust(&entry, place);
        cpuid->entries[cpuid->nent++] = entry;
    }
    return cpuid;
}

unsigned kvm_cpuid_address_bits(const struct kvm_cpuid2 *supported)
{
    unsigned bits = 36;
    for (uint32_t i = 0; i < supported->nent; i++) {
        if (supported->entries[i].function != LEAF_AMD_SIZES)
            continue;
        unsigned host = supported->entries[i].eax & 0xff;
        unsigned guest = supported->entries[i].eax >> 16 & 0xff;
        bits = guest >= 32 && guest < host ? guest : host;
    }
    return bits < 32 ? 32 : bits > 52 ? 52 : bits;
}

uint64_t kvm_cpuid_extended_state(const struct kvm_cpuid2 *supported)
{
    for (uint32_t i = 0; i < supported->nent; i++) {
        const struct kvm_cpuid_entry2 *entry = &supported->entries[i];
        if (entry->function == leaf_extended_state && entry->index == 0)
            return ((uint64_t)entry->edx << 32 | entry->eax) & ~STATE_TILES;
    }
    return 0;
}
