/* What processors say about themselves. */

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "vmm/kvm/cpuid.h"

enum { max_entries = 16 };

/* What a host with everything may offer. */
static struct kvm_cpuid2 *offer(void)
{
    static const struct kvm_cpuid_entry2 entries[] = {
        {.function = 0, .eax = 0x1f},
        {.function = 1, .ebx = 0x07400800, .ecx = 1 << 3 | 1 << 5 | 1 << 15 | 1 << 21, .edx = 1},
        {.function = 4, .index = 0, .flags = 1, .eax = 0xfc004121},
        {.function = 4, .index = 3, .flags = 1, .eax = 0xfc004163},
        {.function = 4, .index = 4, .flags = 1},
        {.function = 7, .index = 0, .flags = 1, .ebx = 1 << 2 | 1 << 25 | 1 << 5},
        {.function = 0xa, .eax = 0x08300805},
        {.function = 0xb, .index = 0, .flags = 1, .eax = 7, .ebx = 99, .edx = 77},
        {.function = 0xb, .index = 1, .flags = 1, .eax = 7, .ebx = 99, .edx = 77},
        {.function = 0x40000001, .eax = 0x1000001},
        {.function = 0x80000001, .ecx = 1 << 2 | 1 << 23 | 1 << 24 | 1 << 5},
        {.function = 0x80000008, .eax = 0x3030, .ecx = 0x703f},
        {.function = 0x8000000a, .eax = 1, .ebx = 8},
        {.function = 0x8000001e, .eax = 3, .ebx = 0x101, .ecx = 0x300},
    };
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + sizeof(entries));
    assert_non_null(cpuid);
    cpuid->nent = ARRAY_SIZE(entries);
    memcpy(cpuid->entries, entries, sizeof(entries));
    return cpuid;
}

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid2 *cpuid, uint32_t function,
                                           uint32_t index)
{
    for (uint32_t i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == function && cpuid->entries[i].index == index)
            return &cpuid->entries[i];
    fail_msg("no leaf %x.%x", function, index);
    return NULL;
}

static struct kvm_cpuid2 *make(unsigned cpu, unsigned cpus)
{
    struct kvm_cpuid2 *supported = offer();
    const struct kvm_cpuid_place place = {.cpu = cpu, .cpus = cpus, .tsc_deadline = true};
    struct kvm_cpuid2 *cpuid = kvm_cpuid_make(supported, &place);
    assert_non_null(cpuid);
    free(supported);
    return cpuid;
}

static void test_a_place_in_the_package(void **state)
{
    (void)state;
    struct kvm_cpuid2 *cpuid = make(2, 3);
    assert_int_equal(find(cpuid, 1, 0)->ebx, 0x02030800);
    assert_true(find(cpuid, 1, 0)->edx & 1 << 28);
    assert_int_equal(find(cpuid, 0xb, 0)->edx, 2);
    assert_int_equal(find(cpuid, 0xb, 0)->ebx, 1);
    assert_int_equal(find(cpuid, 0xb, 1)->eax, 2);
    assert_int_equal(find(cpuid, 0xb, 1)->ebx, 3);
    assert_int_equal(find(cpuid, 0xb, 1)->ecx, 0x201);
    assert_int_equal(find(cpuid, 0xb, 2)->ebx, 0);
    /* Level 1 is its own, level 3 all share. */
    assert_int_equal(find(cpuid, 4, 0)->eax, 0x08000121);
    assert_int_equal(find(cpuid, 4, 3)->eax, 0x08008163);
    assert_int_equal(find(cpuid, 4, 4)->eax, 0);
    assert_int_equal(find(cpuid, 0x80000008, 0)->ecx, 0x2002);
    assert_int_equal(find(cpuid, 0x8000001e, 0)->eax, 2);
    assert_int_equal(find(cpuid, 0x8000001e, 0)->ebx, 2);
    free(cpuid);
}

static void test_one_processor(void **state)
{
    (void)state;
    struct kvm_cpuid2 *cpuid = make(0, 1);
    assert_int_equal(find(cpuid, 1, 0)->ebx, 0x00010800);
    assert_false(find(cpuid, 1, 0)->edx & 1 << 28);
    assert_int_equal(find(cpuid, 0xb, 1)->eax, 0);
    assert_int_equal(find(cpuid, 0x80000008, 0)->ecx, 0);
    free(cpuid);
}

static void test_what_guests_do_not_get(void **state)
{
    (void)state;
    struct kvm_cpuid2 *cpuid = make(0, 2);
    /* MONITOR, VMX and PDCM go; x2APIC stays; the timer and the hypervisor's sign come. */
    assert_int_equal(find(cpuid, 1, 0)->ecx, UINT32_C(1) << 31 | 1 << 24 | 1 << 21);
    assert_int_equal(find(cpuid, 7, 0)->ebx, 1 << 5);
    assert_int_equal(find(cpuid, 0xa, 0)->eax, 0);
    assert_int_equal(find(cpuid, 0x80000001, 0)->ecx, 1 << 5);
    assert_int_equal(find(cpuid, 0x8000000a, 0)->eax, 0);
    assert_int_equal(find(cpuid, 0x40000001, 0)->eax, 0x1000001);
    free(cpuid);
}

static void test_address_bits(void **state)
{
    (void)state;
    struct kvm_cpuid2 *cpuid = offer();
    struct kvm_cpuid_entry2 *sizes = NULL;
    for (uint32_t i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == 0x80000008)
            sizes = &cpuid->entries[i];
    assert_non_null(sizes);
    assert_int_equal(kvm_cpuid_address_bits(cpuid), 48);
    sizes->eax = 0x303034; /* what a guest may use is less than what the host has */
    assert_int_equal(kvm_cpuid_address_bits(cpuid), 48);
    sizes->eax = 0xff;
    assert_int_equal(kvm_cpuid_address_bits(cpuid), 52);
    sizes->eax = 0;
    assert_int_equal(kvm_cpuid_address_bits(cpuid), 32);
    cpuid->nent = 1;
    assert_int_equal(kvm_cpuid_address_bits(cpuid), 36);
    free(cpuid);
}

static void test_extended_state(void **state)
{
    (void)state;
    struct kvm_cpuid2 *cpuid = offer();
    for (uint32_t i = 0; i < cpuid->nent; i++)
        assert_int_not_equal(cpuid->entries[i].function, 0xd);
    assert_int_equal(kvm_cpuid_extended_state(cpuid), 0);
    /* Without the tiles of AMX. Another index says something else. */
    cpuid->entries[0] = (struct kvm_cpuid_entry2){.function = 0xd, .index = 1, .eax = 0xff};
    cpuid->entries[1] = (struct kvm_cpuid_entry2){.function = 0xd, .eax = 0x602e7, .edx = 1};
    assert_int_equal(kvm_cpuid_extended_state(cpuid), UINT64_C(0x1000002e7));
    free(cpuid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_place_in_the_package), cmocka_unit_test(test_one_processor),
        cmocka_unit_test(test_what_guests_do_not_get), cmocka_unit_test(test_address_bits),
        cmocka_unit_test(test_extended_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
