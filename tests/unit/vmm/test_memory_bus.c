/* The memory of a guest behind its gate, and the buses. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "vmm/pc/bus.h"
#include "vmm/pc/guest_memory.h"

static const uint64_t page = 4096;

static void test_small_memory(void **state)
{
    (void)state;
    _cleanup_guest_memory_ struct guest_memory memory = {0};
    assert_int_equal(guest_memory_map(16 * page, false, &memory, NULL), 0);
    assert_int_equal(memory.count, 1);
    uint8_t *first = guest_memory_at(&memory, 0, 1);
    assert_non_null(first);
    assert_int_equal(*first, 0);
    assert_ptr_equal(guest_memory_at(&memory, 15 * page, page), first + 15 * page);
}

static void test_the_gate_refuses(void **state)
{
    (void)state;
    _cleanup_guest_memory_ struct guest_memory memory = {0};
    assert_int_equal(guest_memory_map(16 * page, false, &memory, NULL), 0);
    static const struct {
        uint64_t address, length;
    } outside[] = {
        {0, 0},
        {16 * 4096, 1},
        {16 * 4096 - 1, 2},
        {0, 16 * 4096 + 1},
        {UINT64_MAX, 1},
        {UINT64_MAX, UINT64_MAX},
        {1, UINT64_MAX},
        {GUEST_PCI_HOLE, 1},
        {UINT64_C(1) << 32, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(outside); i++)
        assert_null(guest_memory_at(&memory, outside[i].address, outside[i].length));
}

static void test_memory_around_the_hole(void **state)
{
    (void)state;
    _cleanup_guest_memory_ struct guest_memory memory = {0};
    assert_int_equal(guest_memory_map(GUEST_PCI_HOLE + 4 * page, false, &memory, NULL), 0);
    assert_int_equal(memory.count, 2);
    uint64_t above = UINT64_C(1) << 32;
    assert_non_null(guest_memory_at(&memory, GUEST_PCI_HOLE - page, page));
    assert_null(guest_memory_at(&memory, GUEST_PCI_HOLE - page, page + 1));
    assert_null(guest_memory_at(&memory, GUEST_PCI_HOLE, 1));
    assert_null(guest_memory_at(&memory, above - 1, 2));
    assert_non_null(guest_memory_at(&memory, above, 4 * page));
    assert_null(guest_memory_at(&memory, above, 4 * page + 1));
    /* Nothing reaches from one region into the other, wherever the host has them. */
    assert_null(guest_memory_at(&memory, 0, above + page));
}

static void test_memory_is_cleared(void **state)
{
    (void)state;
    _cleanup_guest_memory_ struct guest_memory memory = {0};
    assert_int_equal(guest_memory_map(4 * page, false, &memory, NULL), 0);
    memset(guest_memory_at(&memory, 0, 4 * page), 0xaa, 4 * page);
    guest_memory_clear(&memory);
    assert_int_equal(*(uint8_t *)guest_memory_at(&memory, page, 1), 0);
}

/* As huge pages do before Linux 5.18, locked pages refuse MADV_DONTNEED. */
static void test_memory_that_cannot_be_given_back_is_cleared(void **state)
{
    (void)state;
    _cleanup_guest_memory_ struct guest_memory memory = {0};
    assert_int_equal(guest_memory_map(4 * page, false, &memory, NULL), 0);
    uint8_t *bytes = guest_memory_at(&memory, 0, 4 * page);
    memset(bytes, 0xaa, 4 * page);
    /* AddressSanitizer has an mlock() of its own, which does nothing. */
    assert_int_equal(syscall(SYS_mlock, bytes + page, page), 0);
    assert_int_equal(madvise(bytes, 4 * page, MADV_DONTNEED), -1);
    memset(bytes, 0xaa, 4 * page);
    guest_memory_clear(&memory);
    for (size_t i = 0; i < 4 * page; i++)
        assert_int_equal(bytes[i], 0);
}

static void test_impossible_sizes(void **state)
{
    (void)state;
    struct guest_memory memory = {0};
    struct error *err = NULL;
    assert_int_equal(guest_memory_map(0, false, &memory, &err), -EINVAL);
    error_clear(&err);
    assert_int_equal(guest_memory_map(UINT64_MAX, false, &memory, &err), -EINVAL);
    error_clear(&err);
    assert_int_equal(memory.count, 0);
    /* More huge pages than any test machine has in its pool. */
    assert_int_equal(guest_memory_map(UINT64_C(1) << 40, true, &memory, &err), -ENOMEM);
    assert_non_null(strstr(error_remedy(err), "vm.nr_hugepages"));
    error_free(err);
}

static bool kept_from_dumps(const void *address)
{
    char line[512], wanted[64];
    unsigned long start, end;
    bool inside = false, kept = false;
    FILE *maps = fopen("/proc/self/smaps", "re");
    assert_non_null(maps);
    snprintf(wanted, sizeof(wanted), "%lx", (unsigned long)address);
    while (fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            inside = (unsigned long)address >= start && (unsigned long)address < end;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            kept = strstr(line, " dd") != NULL;
    }
    fclose(maps);
    return kept;
}

static void test_core_dumps_lack_it(void **state)
{
    (void)state;
    _cleanup_guest_memory_ struct guest_memory memory = {0};
    assert_int_equal(guest_memory_map(16 * page, false, &memory, NULL), 0);
    assert_true(kept_from_dumps(memory.regions[0].host));
}

struct recorder {
    uint64_t offset, value;
    unsigned size, reads, writes;
};

static uint64_t record_read(void *device, uint64_t offset, unsigned size)
{
    struct recorder *recorder = device;
    recorder->offset = offset;
    recorder->size = size;
    recorder->reads++;
    return UINT64_C(0x1122334455667788);
}

static void record_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct recorder *recorder = device;
    recorder->offset = offset;
    recorder->size = size;
    recorder->value = value;
    recorder->writes++;
}

static const struct bus_ops recorder_ops = {.read = record_read, .write = record_write};

static void test_bus_finds_devices(void **state)
{
    (void)state;
    struct bus bus = {0};
    struct recorder a = {0}, b = {0};
    assert_int_equal(bus_map(&bus, 0x3f8, 8, &recorder_ops, &b, NULL), 0);
    assert_int_equal(bus_map(&bus, 0x60, 1, &recorder_ops, &a, NULL), 0);
    assert_int_equal(bus_read(&bus, 0x3fd, 1), 0x88);
    assert_int_equal(b.offset, 5);
    assert_int_equal(bus_read(&bus, 0x3fc, 4), 0x55667788);
    bus_write(&bus, 0x60, 1, 0xffffff12);
    assert_int_equal(a.value, 0x12);
    assert_int_equal(a.offset, 0);
    bus_free(&bus);
}

static void test_bus_gives_ones_where_nothing_is(void **state)
{
    (void)state;
    struct bus bus = {0};
    struct recorder a = {0};
    assert_int_equal(bus_read(&bus, 0, 8), UINT64_MAX);
    assert_int_equal(bus_map(&bus, 0x100, 4, &recorder_ops, &a, NULL), 0);
    assert_int_equal(bus_read(&bus, 0xff, 1), 0xff);
    assert_int_equal(bus_read(&bus, 0x104, 2), 0xffff);
    /* Half in, half out: on either side. */
    assert_int_equal(bus_read(&bus, 0x102, 4), 0xffffffff);
    assert_int_equal(bus_read(&bus, 0xfe, 4), 0xffffffff);
    bus_write(&bus, 0x103, 2, 1);
    bus_write(&bus, UINT64_MAX, 8, 1);
    assert_int_equal(a.reads + a.writes, 0);
    bus_free(&bus);
}

static void test_bus_refuses_overlaps(void **state)
{
    (void)state;
    struct bus bus = {0};
    struct recorder a = {0};
    static const struct {
        uint64_t address, size;
    } bad[] = {{0x1000, 0x1000}, {0xfff, 2}, {0x1fff, 1}, {0, 0x10000}, {0x1800, 8}};
    assert_int_equal(bus_map(&bus, 0x1000, 0x1000, &recorder_ops, &a, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(bus_map(&bus, bad[i].address, bad[i].size, &recorder_ops, &a, NULL),
                         -EEXIST);
    assert_int_equal(bus_map(&bus, 0x2000, 1, &recorder_ops, &a, NULL), 0);
    assert_int_equal(bus_map(&bus, 0xfff, 1, &recorder_ops, &a, NULL), 0);
    /* The end of the address space is reachable; behind it there is nothing. */
    assert_int_equal(bus_map(&bus, UINT64_MAX, 1, &recorder_ops, &a, NULL), 0);
    assert_int_equal(bus_map(&bus, UINT64_MAX - 1, 3, &recorder_ops, &a, NULL), -EINVAL);
    assert_int_equal(bus_map(&bus, 5, 0, &recorder_ops, &a, NULL), -EINVAL);
    bus_unmap(&bus, 0x1000);
    bus_unmap(&bus, 0x1001);
    assert_int_equal(bus.count, 3);
    assert_int_equal(bus_map(&bus, 0x1000, 0x1000, &recorder_ops, &a, NULL), 0);
    bus_free(&bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_memory),
        cmocka_unit_test(test_the_gate_refuses),
        cmocka_unit_test(test_memory_around_the_hole),
        cmocka_unit_test(test_memory_is_cleared),
        cmocka_unit_test(test_memory_that_cannot_be_given_back_is_cleared),
        cmocka_unit_test(test_impossible_sizes),
        cmocka_unit_test(test_core_dumps_lack_it),
        cmocka_unit_test(test_bus_finds_devices),
        cmocka_unit_test(test_bus_gives_ones_where_nothing_is),
        cmocka_unit_test(test_bus_refuses_overlaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
