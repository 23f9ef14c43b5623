/* Console ports: how a guest learns of them, and what it writes into them. */

#include <stdatomic.h>
#include <stdlib.h>

#include "tests/unit/vmm/virtio_driver.h"
#include "vmm/virtio/console.h"

enum {
    CONTROL_IN = 2,
    CONTROL_OUT = 3,
    DEVICE_READY = 0,
    DEVICE_ADD = 1,
    PORT_READY = 3,
    CONSOLE_PORT = 4,
    PORT_OPEN = 6,
    PORT_NAME = 7,
    MULTIPORT = 2,
    ROOM = DRIVER_BUFFERS + 0x1000, /* what control messages come into, 128 bytes each */
    ROOMS = 8,
};

struct output {
    atomic_size_t count;
    size_t largest;
    char bytes[64];
};

static void take(void *context, const void *bytes, size_t count)
{
    struct output *output = context;
    size_t before = atomic_load(&output->count);
    if (before + count <= sizeof(output->bytes))
        memcpy(output->bytes + before, bytes, count);
    if (count > output->largest)
        output->largest = count;
    atomic_fetch_add(&output->count, count);
}

struct fixture {
    struct fake_machine machine;
    struct driver driver;
    struct output console, results;
    uint16_t heads[ROOMS];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct virtio_console_port ports[] = {
        {.name = "", .output = take, .context = &f->console},
        {.name = "org.kiln.results", .output = take, .context = &f->results},
    };
    struct virtio_device *console = NULL;
    fake_machine_init(&f->machine);
    assert_int_equal(virtio_console_new(ports, 2, &console, NULL), 0);
    assert_int_equal(virtio_pci_add(f->machine.pci, console, NULL), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    fake_machine_free(&f->machine);
    free(f);
    return 0;
}

static void start(struct fixture *f, uint64_t features)
{
    driver_start(&f->driver, &f->machine, 1, features);
}

static void add_room(struct fixture *f, unsigned rooms)
{
    for (unsigned i = 0; i < rooms; i++) {
        const struct driver_part part = {ROOM + 128 * i, 128, true};
        f->heads[i] = driver_add(&f->driver, CONTROL_IN, &part, 1);
    }
    driver_kick(&f->driver, CONTROL_IN);
}

static void put16(uint8_t *at, uint16_t value)
{
    value = htole16(value);
    memcpy(at, &value, 2);
}

static void say(struct fixture *f, uint16_t port, uint16_t event, uint16_t value)
{
    const struct driver_part part = {DRIVER_BUFFERS, 8, false};
    uint8_t *message = driver_memory(&f->driver, DRIVER_BUFFERS, 8);
    memset(message, 0, 8);
    put16(message, port);
    put16(message + 4, event);
    put16(message + 6, value);
    driver_request(&f->driver, CONTROL_OUT, &part, 1);
}

static void hear(struct fixture *f, uint16_t port, uint16_t event, const char *text)
{
    uint32_t head = UINT32_MAX, length = 0;
    uint8_t expected[8] = {0};
    assert_true(driver_wait(&f->driver, CONTROL_IN, &head, &length));
    unsigned room = 0;
    while (room < ROOMS && f->heads[room] != head)
        room++;
    assert_true(room < ROOMS);
    const uint8_t *message = driver_memory(&f->driver, ROOM + 128 * room, 128);
    put16(expected, port);
    put16(expected + 4, event);
    put16(expected + 6, 1);
    assert_memory_equal(message, expected, 8);
    assert_int_equal(length, 8 + strlen(text));
    assert_memory_equal(message + 8, text, strlen(text));
}

static uint32_t put(struct fixture *f, unsigned queue, const void *bytes, uint32_t count)
{
    const struct driver_part part = {DRIVER_BUFFERS, count, false};
    memcpy(driver_memory(&f->driver, DRIVER_BUFFERS, count), bytes, count);
    return driver_request(&f->driver, queue, &part, 1);
}

static void tells_of_its_ports(void **state)
{
    struct fixture *f = *state;
    start(f, UINT64_MAX);
    assert_int_equal(f->driver.queue_count, 6);
    assert_int_equal(driver_read(&f->driver, f->driver.config + 4, 4), 2);
    add_room(f, ROOMS);
    say(f, 0, DEVICE_READY, 1);
    hear(f, 0, DEVICE_ADD, "");
    hear(f, 1, DEVICE_ADD, "");
    say(f, 0, PORT_READY, 1);
    hear(f, 0, CONSOLE_PORT, "");
    hear(f, 0, PORT_OPEN, "");
    say(f, 1, PORT_READY, 1);
    hear(f, 1, PORT_OPEN, "");
    hear(f, 1, PORT_NAME, "org.kiln.results");
    say(f, 1, PORT_OPEN, 1);
    assert_int_equal(put(f, 5, "passed\n", 7), 0);
    assert_int_equal(put(f, 1, "hello", 5), 0);
    assert_int_equal(f->results.count, 7);
    assert_memory_equal(f->results.bytes, "passed\n", 7);
    assert_int_equal(f->console.count, 5);
}

static void waits_for_room(void **state)
{
    struct fixture *f = *state;
    start(f, UINT64_MAX);
    say(f, 0, DEVICE_READY, 1);
    say(f, 0, DEVICE_READY, 1); /* asked twice, told once */
    add_room(f, 1);
    hear(f, 0, DEVICE_ADD, "");
    add_room(f, 1);
    hear(f, 1, DEVICE_ADD, "");
    say(f, 1, PORT_READY, 1);
    add_room(f, 2);
    hear(f, 1, PORT_OPEN, "");
    hear(f, 1, PORT_NAME, "org.kiln.results");
    assert_int_equal(driver_status(&f->driver) & VIRTIO_STATUS_NEEDS_RESET, 0);
}

static void serves_a_driver_of_one_port(void **state)
{
    struct fixture *f = *state;
    start(f, ~(uint64_t)MULTIPORT);
    assert_int_equal(put(f, 1, "alone", 5), 0);
    assert_int_equal(f->console.count, 5);
}

static void takes_nonsense_for_nothing(void **state)
{
    struct fixture *f = *state;
    const struct driver_part part = {DRIVER_BUFFERS, 3, false}, wrong = {DRIVER_BUFFERS, 8, true};
    start(f, UINT64_MAX);
    add_room(f, ROOMS);
    say(f, 2, PORT_READY, 1);
    say(f, 0xffff, PORT_READY, 1);
    say(f, 0, 0xffff, 1);
    say(f, 0, PORT_READY, 7);
    driver_request(&f->driver, CONTROL_OUT, &part, 1);
    driver_request(&f->driver, CONTROL_OUT, &wrong, 1);
    driver_request(&f->driver, 5, &wrong, 1);
    assert_int_equal(*driver_ring(&f->driver, f->driver.queues[CONTROL_IN].used, 2), 0);
    assert_int_equal(f->results.count, 0);
    say(f, 0, DEVICE_READY, 1);
    hear(f, 0, DEVICE_ADD, "");
}

/* However much a guest writes, it comes in small portions, and the guest waits for each. */
static void bounds_a_flood(void **state)
{
    struct fixture *f = *state;
    const struct driver_part part = {DRIVER_BUFFERS, 1 << 20, false};
    start(f, UINT64_MAX);
    for (unsigned i = 0; i < 64; i++)
        driver_request(&f->driver, 5, &part, 1);
    assert_int_equal(f->results.count, 64 << 20);
    assert_in_range(f->results.largest, 1, 4096);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(tells_of_its_ports),         test(waits_for_room), test(serves_a_driver_of_one_port),
        test(takes_nonsense_for_nothing), test(bounds_a_flood),
    };
    return cmocka_run_group_tests_name("virtio-console", tests, NULL, NULL);
}
