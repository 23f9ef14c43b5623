/* A virtio disk, driven as a guest drives it: through PCI, rings in plain memory and interrupts. */

#include <stdatomic.h>
#include <stdio.h>

#include "base/checked.h"
#include "base/clock.h"
#include "tests/unit/vmm/virtio_driver.h"
#include "vmm/virtio/blk.h"

enum {
    DISK_SIZE = 1 << 20,
    SECTOR = 512,
    HEADER = DRIVER_BUFFERS,
    STATUS = DRIVER_BUFFERS + 0x100,
    DATA = DRIVER_BUFFERS + 0x10000,
    READ = 0,
    WRITE = 1,
    FLUSH = 4,
    GET_ID = 8,
    DISCARD = 11,
    WRITE_ZEROES = 13,
    OK = 0,
    IOERR = 1,
    UNSUPPORTED = 2,
    FEATURE_RO = 1 << 5,
    FEATURE_FLUSH = 1 << 9,
    FEATURE_DISCARD = 1 << 13,
};

/* A disk in memory that fails when it is told to. */
struct fake_disk {
    struct block block;
    uint8_t bytes[DISK_SIZE];
    atomic_int fail; /* errno of everything to come */
    atomic_uint flushes, discards;
    atomic_int slow_ms;
    atomic_bool hangs;   /* until it is told otherwise */
    atomic_bool reached; /* a request has come so far */
    bool closed;
};

static struct fake_disk disk;

static int disk_gate(struct error **err)
{
    atomic_store(&disk.reached, true);
    while (atomic_load(&disk.hangs))
        poll(NULL, 0, 1);
    if (atomic_load(&disk.slow_ms))
        poll(NULL, 0, atomic_load(&disk.slow_ms));
    int errnum = atomic_load(&disk.fail);
    return errnum ? error_sys(err, errnum, "the disk") : 0;
}

static int disk_pread(struct block *block, void *buf, size_t count, uint64_t offset,
                      struct error **err)
{
    (void)block;
    memcpy(buf, disk.bytes + offset, count);
    return disk_gate(err);
}

static int disk_pwrite(struct block *block, const void *buf, size_t count, uint64_t offset,
                       struct error **err)
{
    (void)block;
    memcpy(disk.bytes + offset, buf, count);
    return disk_gate(err);
}

static int disk_flush(struct block *block, struct error **err)
{
    (void)block;
    atomic_fetch_add(&disk.flushes, 1);
    return disk_gate(err);
}

static int disk_discard(struct block *block, uint64_t offset, uint64_t length, struct error **err)
{
    (void)block;
    atomic_fetch_add(&disk.discards, 1);
    memset(disk.bytes + offset, 0, length);
    return disk_gate(err);
}

static void disk_close(struct block *block)
{
    (void)block;
    disk.closed = true;
}

static const struct block_ops disk_ops = {
    .name = "fake",
    .pread = disk_pread,
    .pwrite = disk_pwrite,
    .flush = disk_flush,
    .discard = disk_discard,
    .close = disk_close,
};

/* The gate frees a block when it is closed: this one stands for the disk above. */
static struct block *new_block(bool writable)
{
    struct block *block = calloc(1, sizeof(*block));
    *block = (struct block){
        .ops = &disk_ops, .name = strdup("fake.img"), .size = DISK_SIZE, .writable = writable};
    memset(&disk, 0, sizeof(disk));
    for (size_t i = 0; i < DISK_SIZE; i++)
        disk.bytes[i] = (uint8_t)(i / SECTOR + i);
    return block;
}

struct fixture {
    struct fake_machine machine;
    struct driver driver;
    atomic_uint failures;
    char message[128];
};

static void note_failure(void *context, const struct error *error)
{
    struct fixture *f = context;
    snprintf(f->message, sizeof(f->message), "%s", error_message(error));
    atomic_fetch_add(&f->failures, 1);
}

static void plug_in(struct fixture *f, bool writable, unsigned queues)
{
    const struct virtio_blk_config config = {.serial = "kiln-0123456789abcdefgh",
                                             .queues = queues,
                                             .failed = note_failure,
                                             .context = f};
    struct virtio_device *blk = NULL;
    assert_int_equal(virtio_blk_new(new_block(writable), &config, &blk, NULL), 0);
    assert_int_equal(virtio_pci_add(f->machine.pci, blk, NULL), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    fake_machine_init(&f->machine);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    fake_machine_free(&f->machine);
    assert_true(disk.closed);
    free(f);
    return 0;
}

static void put_header(struct fixture *f, uint64_t at, uint32_t type, uint64_t sector)
{
    uint8_t *header = driver_memory(&f->driver, at, 16);
    type = htole32(type);
    sector = htole64(sector);
    memset(header, 0, 16);
    memcpy(header, &type, 4);
    memcpy(header + 8, &sector, 8);
}

/* One request with `count` bytes of data; returns its status. */
static uint8_t request(struct fixture *f, unsigned queue, uint32_t type, uint64_t sector,
                       uint32_t count)
{
    bool in = type == READ || type == GET_ID;
    const struct driver_part parts[] = {{HEADER, 16, false}, {DATA, count, in}, {STATUS, 1, true}};
    const struct driver_part without[] = {parts[0], parts[2]};
    uint8_t *status = driver_memory(&f->driver, STATUS, 1);
    *status = 0xee;
    put_header(f, HEADER, type, sector);
    uint32_t written = count > 0 ? driver_request(&f->driver, queue, parts, 3)
                                 : driver_request(&f->driver, queue, without, 2);
    if (type == READ && *status == OK)
        assert_int_equal(written, count + 1);
    return *status;
}

static uint8_t *data(struct fixture *f)
{
    return driver_memory(&f->driver, DATA, 0x10000);
}

static void reads_and_writes(void **state)
{
    struct fixture *f = *state;
    plug_in(f, true, 1);
    driver_start(&f->driver, &f->machine, 1, UINT64_MAX);
    assert_int_equal(driver_read(&f->driver, f->driver.config, 8), DISK_SIZE / SECTOR);
    assert_int_equal(driver_read(&f->driver, f->driver.config + 20, 4), 512);
    assert_int_equal(request(f, 0, READ, 3, 4096), OK);
    assert_memory_equal(data(f), disk.bytes + 3 * SECTOR, 4096);
    memset(data(f), 0x5a, 1024);
    assert_int_equal(request(f, 0, WRITE, 7, 1024), OK);
    assert_int_equal(disk.bytes[7 * SECTOR], 0x5a);
    assert_int_equal(disk.bytes[9 * SECTOR - 1], 0x5a);
    assert_int_not_equal(disk.bytes[9 * SECTOR], 0x5a);
    assert_int_equal(request(f, 0, READ, DISK_SIZE / SECTOR - 1, SECTOR), OK);
    assert_int_equal(disk.flushes, 0);
    assert_int_equal(request(f, 0, FLUSH, 0, 0), OK);
    assert_int_equal(disk.flushes, 1);
    assert_int_equal(request(f, 0, GET_ID, 0, 20), OK);
    assert_memory_equal(data(f), "kiln-0123456789abcde", 20);
    assert_int_equal(f->failures, 0);
}

static void scatters_and_gathers(void **state)
{
    struct fixture *f = *state;
    const struct driver_part parts[] = {{HEADER, 10, false},        {HEADER + 0x20, 6, false},
                                        {DATA, 300, true},          {DATA + 0x1000, 200, true},
                                        {DATA + 0x2000, 524, true}, {STATUS, 1, true}};
    plug_in(f, true, 1);
    driver_start(&f->driver, &f->machine, 1, UINT64_MAX);
    put_header(f, HEADER, READ, 11);
    memcpy(driver_memory(&f->driver, HEADER + 0x20, 6), driver_memory(&f->driver, HEADER + 10, 6),
           6);
    assert_int_equal(driver_request(&f->driver, 0, parts, ARRAY_SIZE(parts)), 1025);
    assert_memory_equal(data(f), disk.bytes + 11 * SECTOR, 300);
    assert_memory_equal(data(f) + 0x1000, disk.bytes + 11 * SECTOR + 300, 200);
    assert_memory_equal(data(f) + 0x2000, disk.bytes + 11 * SECTOR + 500, 524);
}

static void refuses_what_is_not_on_the_disk(void **state)
{
    struct fixture *f = *state;
    plug_in(f, true, 1);
    driver_start(&f->driver, &f->machine, 1, UINT64_MAX);
    const uint64_t end = DISK_SIZE / SECTOR;
    assert_int_equal(request(f, 0, READ, end, SECTOR), IOERR);
    assert_int_equal(request(f, 0, READ, end - 1, 2 * SECTOR), IOERR);
    assert_int_equal(request(f, 0, READ, UINT64_MAX, SECTOR), IOERR);
    assert_int_equal(request(f, 0, READ, UINT64_MAX / SECTOR + 1, SECTOR), IOERR);
    assert_int_equal(request(f, 0, READ, 0, 100), IOERR);
    assert_int_equal(request(f, 0, WRITE, end - 1, 2 * SECTOR), IOERR);
    assert_int_equal(request(f, 0, 77, 0, 0), UNSUPPORTED);
    /* A header that is cut short; nothing but a status; no status at all. */
    const struct driver_part shorter[] = {{HEADER, 15, false}, {STATUS, 1, true}};
    assert_int_equal(driver_request(&f->driver, 0, shorter, 2), 1);
    assert_int_equal(*(uint8_t *)driver_memory(&f->driver, STATUS, 1), IOERR);
    assert_int_equal(driver_request(&f->driver, 0, shorter + 1, 1), 1);
    assert_int_equal(driver_request(&f->driver, 0, shorter, 1), 0);
    /* All that is the guest's fault, not the host's. */
    assert_int_equal(f->failures, 0);
    assert_int_equal(driver_status(&f->driver) & VIRTIO_STATUS_NEEDS_RESET, 0);
}

static void tells_of_errors(void **state)
{
    struct fixture *f = *state;
    plug_in(f, true, 1);
    driver_start(&f->driver, &f->machine, 1, UINT64_MAX);
    disk.fail = ENOSPC;
    assert_int_equal(request(f, 0, WRITE, 0, SECTOR), IOERR);
    disk.fail = EIO;
    assert_int_equal(request(f, 0, READ, 0, SECTOR), IOERR);
    assert_int_equal(request(f, 0, FLUSH, 0, 0), IOERR);
    disk.fail = 0;
    assert_int_equal(request(f, 0, READ, 0, SECTOR), OK);
    assert_int_equal(f->failures, 1);
    assert_string_equal(f->message, "the disk: No space left on device");
}

static void put_range(struct fixture *f, size_t index, uint64_t sector, uint32_t count,
                      uint32_t flags)
{
    uint8_t *range = data(f) + 16 * index;
    sector = htole64(sector);
    count = htole32(count);
    flags = htole32(flags);
    memcpy(range, &sector, 8);
    memcpy(range + 8, &count, 4);
    memcpy(range + 12, &flags, 4);
}

static void discards_and_zeroes(void **state)
{
    struct fixture *f = *state;
    plug_in(f, true, 1);
    driver_start(&f->driver, &f->machine, 1, UINT64_MAX);
    put_range(f, 0, 8, 8, 0);
    put_range(f, 1, 32, 1, 0);
    assert_int_equal(request(f, 0, DISCARD, 0, 32), OK);
    assert_int_equal(disk.bytes[8 * SECTOR], 0);
    assert_int_equal(disk.bytes[16 * SECTOR - 1], 0);
    assert_int_equal(disk.bytes[33 * SECTOR - 1], 0);
    assert_int_not_equal(disk.bytes[16 * SECTOR], 0);
    assert_int_equal(disk.discards, 2);
    put_range(f, 0, 64, 8, 1);
    assert_int_equal(request(f, 0, WRITE_ZEROES, 0, 16), OK);
    assert_int_equal(disk.bytes[64 * SECTOR + 7], 0);
    put_range(f, 0, 100, 8, 1);
    assert_int_equal(request(f, 0, DISCARD, 0, 16), UNSUPPORTED); /* that flag is not for it */
    put_range(f, 0, DISK_SIZE / SECTOR - 1, 2, 0);
    assert_int_equal(request(f, 0, DISCARD, 0, 16), IOERR);
    put_range(f, 0, UINT64_MAX, 8, 0);
    assert_int_equal(request(f, 0, DISCARD, 0, 16), IOERR);
    put_range(f, 0, 0, UINT32_MAX, 0);
    assert_int_equal(request(f, 0, DISCARD, 0, 16), IOERR);
    assert_int_equal(request(f, 0, DISCARD, 0, 15), IOERR);
    assert_int_equal(request(f, 0, DISCARD, 0, 17 * 16), IOERR);
    assert_int_equal(disk.discards, 3);
}

static void protects_what_is_read_only(void **state)
{
    struct fixture *f = *state;
    plug_in(f, false, 1);
    driver_find(&f->driver, &f->machine, 1);
    assert_int_equal(driver_offered(&f->driver) & (FEATURE_RO | FEATURE_DISCARD), FEATURE_RO);
    driver_start(&f->driver, &f->machine, 1, UINT64_MAX & ~(uint64_t)FEATURE_RO);
    assert_int_equal(request(f, 0, READ, 0, SECTOR), OK);
    memset(data(f), 0x77, SECTOR);
    assert_int_equal(request(f, 0, WRITE, 0, SECTOR), IOERR);
    put_range(f, 0, 0, 8, 0);
    assert_int_equal(request(f, 0, DISCARD, 0, 16), IOERR);
    assert_int_equal(request(f, 0, WRITE_ZEROES, 0, 16), IOERR);
    assert_int_equal(disk.bytes[1], 1);
    assert_int_equal(f->failures, 0);
}

static void writes_through_for_those_who_do_not_flush(void **state)
{
    struct fixture *f = *state;
    plug_in(f, true, 1);
    driver_start(&f->driver, &f->machine, 1, ~(uint64_t)FEATURE_FLUSH);
    assert_int_equal(request(f, 0, WRITE, 0, SECTOR), OK);
    assert_int_equal(disk.flushes, 1);
}

static void serves_several_queues(void **state)
{
    struct fixture *f = *state;
    plug_in(f, true, 4);
    driver_start(&f->driver, &f->machine, 1, UINT64_MAX);
    assert_int_equal(f->driver.queue_count, 4);
    assert_int_equal(driver_read(&f->driver, f->driver.config + 34, 2), 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(request(f, i, READ, i, SECTOR), OK);
        assert_memory_equal(data(f), disk.bytes + i * SECTOR, SECTOR);
    }
}

/* Many requests under way at once; the wish for interrupts as drivers keep it. */
static void keeps_up_with_many_requests(void **state)
{
    struct fixture *f = *state;
    enum { rounds = 300, depth = DRIVER_QUEUE_SIZE / 3 };
    plug_in(f, true, 2);
    driver_start(&f->driver, &f->machine, 1, UINT64_MAX);
    for (unsigned i = 0; i < depth; i++)
        put_header(f, HEADER + 0x1000 + 16 * i, READ, i);
    for (unsigned round = 0; round < rounds; round++) {
        unsigned queue = round % 2;
        for (unsigned i = 0; i < depth; i++) {
            const struct driver_part parts[] = {{HEADER + 0x1000 + 16 * i, 16, false},
                                                {DATA + 0x1000 * i, SECTOR, true},
                                                {STATUS + i, 1, true}};
            memset(driver_memory(&f->driver, DATA + 0x1000 * i, SECTOR), 0xcc, SECTOR);
            driver_add(&f->driver, queue, parts, 3);
        }
        driver_kick(&f->driver, queue);
        for (unsigned i = 0; i < depth; i++) {
            uint32_t head = UINT32_MAX, length = 0;
            assert_true(driver_wait(&f->driver, queue, &head, &length));
            assert_int_equal(length, SECTOR + 1);
        }
        for (unsigned i = 0; i < depth; i++)
            assert_memory_equal(driver_memory(&f->driver, DATA + 0x1000 * i, SECTOR),
                                disk.bytes + i * SECTOR, SECTOR);
    }
}

/* A guest that resets the device, and a machine that ends, in the middle of slow requests. */
static void survives_a_reset_under_load(void **state)
{
    struct fixture *f = *state;
    const struct driver_part parts[] = {
        {HEADER, 16, false}, {DATA, SECTOR, true}, {STATUS, 1, true}};
    plug_in(f, true, 1);
    disk.slow_ms = 20;
    for (unsigned i = 0; i < 3; i++) {
        driver_start(&f->driver, &f->machine, 1, UINT64_MAX);
        put_header(f, HEADER, READ, 0);
        for (unsigned j = 0; j < 4; j++)
            driver_add(&f->driver, 0, parts, 3);
        driver_kick(&f->driver, 0);
        poll(NULL, 0, 5);
    }
    /* Nothing is touched after a reset. */
    driver_write(&f->driver, f->driver.common + 20, 1, 0);
    memset(driver_memory(&f->driver, DRIVER_RINGS, 0x100000 - DRIVER_RINGS), 0x11,
           0x100000 - DRIVER_RINGS);
    poll(NULL, 0, 50);
    const uint8_t *rings = driver_memory(&f->driver, DRIVER_RINGS, 0x100000 - DRIVER_RINGS);
    for (size_t i = 0; i < 0x100000 - DRIVER_RINGS; i++)
        assert_int_equal(rings[i], 0x11);
    driver_start(&f->driver, &f->machine, 1, UINT64_MAX);
    put_header(f, HEADER, READ, 0);
    driver_add(&f->driver, 0, parts, 3);
    driver_kick(&f->driver, 0);
}

/* A disk that does not answer: nobody waits for it longer than until the deadline. */
static void waits_in_vain_for_a_disk_that_hangs(void **state)
{
    struct fixture *f = *state;
    const struct driver_part parts[] = {
        {HEADER, 16, false}, {DATA, SECTOR, true}, {STATUS, 1, true}};
    plug_in(f, true, 1);
    assert_true(pci_bus_settle(f->machine.pci, false, deadline_after(60000)));
    driver_start(&f->driver, &f->machine, 1, UINT64_MAX);
    disk.hangs = true;
    put_header(f, HEADER, READ, 0);
    driver_add(&f->driver, 0, parts, 3);
    driver_kick(&f->driver, 0);
    while (!atomic_load(&disk.reached))
        poll(NULL, 0, 1);
    assert_false(pci_bus_settle(f->machine.pci, false, deadline_after(20)));
    assert_false(pci_bus_settle(f->machine.pci, true, deadline_after(20)));
    assert_false(disk.closed);
    disk.hangs = false;
    assert_true(pci_bus_settle(f->machine.pci, true, deadline_after(60000)));
    assert_true(pci_bus_settle(f->machine.pci, true, 0));
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(reads_and_writes),
        test(scatters_and_gathers),
        test(refuses_what_is_not_on_the_disk),
        test(tells_of_errors),
        test(discards_and_zeroes),
        test(protects_what_is_read_only),
        test(writes_through_for_those_who_do_not_flush),
        test(serves_several_queues),
        test(keeps_up_with_many_requests),
        test(survives_a_reset_under_load),
        test(waits_in_vain_for_a_disk_that_hangs),
    };
    return cmocka_run_group_tests_name("virtio-blk", tests, NULL, NULL);
}
