/* The PCI bus as a guest sees it: configuration by both ways, BARs, MSI-X, and virtio's transport
 * on top, on a machine without processors. */

#include "tests/unit/vmm/virtio_driver.h"
#include "vmm/virtio/rng.h"

enum { BAR = 0x10, BAR_HIGH = 0x14, COMMAND = 0x04, MEMORY_ENABLE = 2, SIZE = 0x4000 };

static int setup(void **state)
{
    struct fake_machine *m = calloc(1, sizeof(*m));
    fake_machine_init(m);
    for (int i = 0; i < 2; i++) {
        struct virtio_device *rng = NULL;
        assert_int_equal(virtio_rng_new(&rng, NULL), 0);
        assert_int_equal(virtio_pci_add(m->pci, rng, NULL), 0);
    }
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    fake_machine_free(*state);
    free(*state);
    return 0;
}

static uint32_t port_read(struct fake_machine *m, uint32_t address, unsigned offset, unsigned size)
{
    bus_write(&m->ports, 0xcf8, 4, address);
    return (uint32_t)bus_read(&m->ports, 0xcfc + offset, size);
}

static void finds_devices_both_ways(void **state)
{
    struct fake_machine *m = *state;
    assert_int_equal(fake_config_read(m, 0, 0x0a, 2), 0x0600); /* the host bridge */
    assert_int_equal(fake_config_read(m, 1, 0, 4), 0x10441af4);
    assert_int_equal(fake_config_read(m, 2, 0, 8), UINT64_C(0x0010000010441af4));
    assert_int_equal(fake_config_read(m, 3, 0, 4), 0xffffffff);
    assert_int_equal(fake_config_read(m, 1, 0x3d, 1), 0); /* no interrupt pin */
    assert_int_equal(port_read(m, 0x80000800, 0, 4), 0x10441af4);
    assert_int_equal(port_read(m, 0x80000800, 2, 2), 0x1044);
    assert_int_equal(bus_read(&m->ports, 0xcf8, 4), 0x80000800);
    assert_int_equal(port_read(m, 0x00000800, 0, 4), 0xffffffff); /* not enabled */
    assert_int_equal(port_read(m, 0x80010800, 0, 4), 0xffffffff); /* another bus */
    assert_int_equal(port_read(m, 0x80000900, 0, 4), 0xffffffff); /* another function */
    /* Nothing behind the 256 bytes of a conventional device, nor across functions. */
    assert_int_equal(fake_config_read(m, 1, 0x100, 4), 0);
    assert_int_equal(fake_config_read(m, 1, 0xfff, 2), 0xffff);
    assert_int_equal(fake_config_read(m, 1, 0xfe, 4), 0);
}

static void tells_the_size_of_bars(void **state)
{
    struct fake_machine *m = *state;
    uint64_t before = fake_config_read(m, 1, BAR, 8);
    assert_int_equal(before & 0xf, 4); /* 64 bits, not prefetchable */
    fake_config_write(m, 1, BAR, 4, 0xffffffff);
    fake_config_write(m, 1, BAR_HIGH, 4, 0xffffffff);
    assert_int_equal(fake_config_read(m, 1, BAR, 4), 0xffffc004);
    assert_int_equal(fake_config_read(m, 1, BAR_HIGH, 4), 0xffffffff);
    fake_config_write(m, 1, BAR, 4, (uint32_t)before);
    fake_config_write(m, 1, BAR_HIGH, 4, before >> 32);
    assert_int_equal(fake_config_read(m, 1, BAR, 8), before);
    fake_config_write(m, 1, 0x18, 4, 0xffffffff);
    assert_int_equal(fake_config_read(m, 1, 0x18, 4), 0); /* there is no other BAR */
}

/* The first device answers at this address: its queue count is 1. */
static bool answers_at(struct fake_machine *m, uint64_t address)
{
    return bus_read(&m->mmio, address + 18, 2) == 1;
}

static void move(struct fake_machine *m, uint64_t address)
{
    fake_config_write(m, 1, BAR, 4, (uint32_t)address);
    fake_config_write(m, 1, BAR_HIGH, 4, address >> 32);
}

static void maps_bars_within_the_windows_only(void **state)
{
    struct fake_machine *m = *state;
    uint64_t home = fake_config_read(m, 1, BAR, 8) & ~UINT64_C(0xf);
    uint64_t neighbour = fake_config_read(m, 2, BAR, 8) & ~UINT64_C(0xf);
    assert_false(answers_at(m, home)); /* not enabled */
    fake_config_write(m, 1, COMMAND, 2, MEMORY_ENABLE);
    fake_config_write(m, 2, COMMAND, 2, MEMORY_ENABLE);
    assert_true(answers_at(m, home));

    const uint64_t good[] = {FAKE_WINDOW32 + FAKE_WINDOW_SIZE - SIZE, FAKE_WINDOW64,
                             FAKE_WINDOW64 + FAKE_WINDOW_SIZE - SIZE};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        move(m, good[i]);
        assert_true(answers_at(m, good[i]));
        assert_false(answers_at(m, home));
    }
    const uint64_t bad[] = {0,
                            0x100000,
                            FAKE_ECAM,
                            0xfee00000,
                            FAKE_WINDOW64 - SIZE,
                            FAKE_WINDOW32 + FAKE_WINDOW_SIZE,
                            UINT64_MAX - SIZE + 1};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        move(m, bad[i]);
        assert_false(answers_at(m, bad[i]));
    }
    /* Over its neighbour it is not seen, and the neighbour stays. */
    move(m, neighbour);
    assert_true(answers_at(m, neighbour));
    move(m, home);
    assert_true(answers_at(m, neighbour));
    assert_true(answers_at(m, home));
    fake_config_write(m, 1, COMMAND, 2, 0);
    assert_false(answers_at(m, home));
}

static void keeps_read_only_bits(void **state)
{
    struct fake_machine *m = *state;
    uint8_t before[256];
    for (unsigned i = 0; i < sizeof(before); i++)
        before[i] = (uint8_t)fake_config_read(m, 0, i, 1);
    for (unsigned i = 0; i < sizeof(before); i++)
        fake_config_write(m, 0, i, 1, 0xff);
    assert_int_equal(fake_config_read(m, 0, COMMAND, 2), 0x406);
    fake_config_write(m, 0, COMMAND, 2, 0);
    fake_config_write(m, 0, 0x0c, 1, 0);
    fake_config_write(m, 0, 0x3c, 1, 0);
    for (unsigned i = 0; i < sizeof(before); i++)
        assert_int_equal(fake_config_read(m, 0, i, 1), before[i]);
}

static uint32_t table_of(const struct driver *d)
{
    return (uint32_t)fake_config_read(d->machine, d->slot, d->msix + 4, 4);
}

/* A buffer that the device fills: its interrupt is what these tests look for. */
static void ask(struct driver *d)
{
    const struct driver_part part = {DRIVER_BUFFERS, 64, true};
    uint32_t head = UINT32_MAX, length = 0;
    driver_add(d, 0, &part, 1);
    driver_kick(d, 0);
    const uint16_t *index = driver_ring(d, d->queues[0].used, 2);
    for (int i = 0; i < 60000 && __atomic_load_n(index, __ATOMIC_ACQUIRE) == d->queues[0].taken;
         i++)
        poll(NULL, 0, 1);
    assert_true(driver_wait(d, 0, &head, &length));
    /* Its interrupt follows the index: here is how to know that it has been raised, or not. */
    driver_read(d, d->common + 20, 1);
}

static void masks_interrupts(void **state)
{
    struct fake_machine *m = *state;
    struct driver d;
    driver_start(&d, m, 1, VIRTIO_F_VERSION_1);
    uint32_t entry = table_of(&d) + 16, pending = table_of(&d) + 0x800;
    ask(&d);
    assert_true(fake_interrupted(m, DRIVER_MESSAGE + 1, 60000));

    driver_write(&d, entry + 12, 4, 1); /* this vector */
    ask(&d);
    assert_false(fake_interrupted(m, DRIVER_MESSAGE + 1, 0));
    assert_int_equal(driver_read(&d, pending, 8), 2);
    driver_write(&d, entry + 12, 4, 0);
    assert_true(fake_interrupted(m, DRIVER_MESSAGE + 1, 0));
    assert_int_equal(driver_read(&d, pending, 4), 0);

    fake_config_write(m, 1, d.msix + 2, 2, 0xc000); /* all of the function */
    ask(&d);
    assert_false(fake_interrupted(m, DRIVER_MESSAGE + 1, 0));
    fake_config_write(m, 1, d.msix + 2, 2, 0x8000);
    assert_true(fake_interrupted(m, DRIVER_MESSAGE + 1, 0));

    /* The guest moves the interrupt to another processor. */
    unsigned calls = m->message_calls;
    driver_write(&d, entry + 12, 4, 1);
    driver_write(&d, entry, 4, 0xfee01000);
    driver_write(&d, entry + 8, 4, 0x4999);
    assert_int_equal(m->message_calls, calls); /* nothing while it is masked */
    driver_write(&d, entry + 12, 4, 0);
    assert_int_equal(m->message_calls, calls + 1);
    ask(&d);
    assert_true(fake_interrupted(m, 0x4999, 60000));

    /* Words only; the table has two entries. */
    assert_int_equal(driver_read(&d, entry, 4), 0xfee01000);
    assert_int_equal(driver_read(&d, entry + 1, 2), 0xffff);
    driver_write(&d, entry, 1, 0);
    assert_int_equal(driver_read(&d, entry, 8), 0xfee01000);
    driver_write(&d, table_of(&d) + 32, 4, 0x1234);
    assert_int_equal(driver_read(&d, table_of(&d) + 32, 4), 0);
}

static void insists_on_version_1(void **state)
{
    struct fake_machine *m = *state;
    struct driver d;
    driver_find(&d, m, 1);
    assert_int_equal(driver_offered(&d),
                     VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC);
    assert_false(driver_negotiate(&d, 0));
    assert_false(driver_negotiate(&d, VIRTIO_F_VERSION_1 | 1)); /* what was not offered */
    assert_true(driver_negotiate(&d, VIRTIO_F_VERSION_1));
    driver_write(&d, d.common + 8, 4, 0);
    driver_write(&d, d.common + 12, 4, 0xffffffff); /* too late */
    assert_int_equal(driver_read(&d, d.common + 12, 4), 0);
}

static void asks_for_a_reset_when_a_ring_is_broken(void **state)
{
    struct fake_machine *m = *state;
    struct driver d;
    const struct driver_part outside = {UINT64_C(0xfffff000), 64, true},
                             inside = {DRIVER_BUFFERS, 64, true};
    driver_start(&d, m, 1, UINT64_MAX);
    driver_add(&d, 0, &outside, 1);
    driver_kick(&d, 0);
    assert_true(fake_interrupted(m, DRIVER_MESSAGE, 60000)); /* of a configuration change */
    assert_int_equal(driver_status(&d) & VIRTIO_STATUS_NEEDS_RESET, VIRTIO_STATUS_NEEDS_RESET);
    driver_write(&d, d.common + 20, 1, 15); /* this does not mend it */
    assert_int_equal(driver_status(&d) & VIRTIO_STATUS_NEEDS_RESET, VIRTIO_STATUS_NEEDS_RESET);
    driver_start(&d, m, 1, UINT64_MAX);
    assert_int_equal(driver_request(&d, 0, &inside, 1), 64);
}

static void reads_back_what_was_set(void **state)
{
    struct fake_machine *m = *state;
    struct driver d;
    driver_start(&d, m, 1, UINT64_MAX);
    assert_int_equal(driver_read(&d, d.common + 24, 2), DRIVER_QUEUE_SIZE);
    assert_int_equal(driver_read(&d, d.common + 28, 2), 1);
    assert_int_equal(driver_read(&d, d.common + 32, 8), d.queues[0].descriptors);
    assert_int_equal(driver_read(&d, d.common + 44, 4), 0);
    driver_write(&d, d.common + 24, 2, 4); /* not while it is in use */
    assert_int_equal(driver_read(&d, d.common + 24, 2), DRIVER_QUEUE_SIZE);
    driver_write(&d, d.common + 26, 2, 7); /* no such vector */
    assert_int_equal(driver_read(&d, d.common + 26, 2), 0xffff);
    driver_write(&d, d.common + 22, 2, 1); /* no such queue */
    assert_int_equal(driver_read(&d, d.common + 24, 2), 0);
    assert_int_equal(driver_read(&d, 0x3ff, 8), UINT64_MAX);
    assert_int_equal(driver_read(&d, d.isr, 1), 0);
    driver_write(&d, d.common + 20, 1, 0);
    assert_int_equal(driver_status(&d), 0);
    assert_int_equal(driver_read(&d, d.common + 24, 2), 256);
    assert_int_equal(driver_read(&d, d.common + 28, 2), 0);
}

static void moves_its_doorbells(void **state)
{
    struct fake_machine *m = *state;
    struct driver d;
    const struct driver_part part = {DRIVER_BUFFERS, 64, true};
    driver_start(&d, m, 1, UINT64_MAX);
    assert_int_equal(m->doorbells[0].address, d.bar + d.notify);
    move(m, FAKE_WINDOW64);
    d.bar = FAKE_WINDOW64;
    assert_int_equal(m->doorbells[0].address, d.bar + d.notify);
    assert_int_equal(driver_request(&d, 0, &part, 1), 64);
    driver_write(&d, d.common + 20, 1, 0);
    assert_int_equal(m->doorbells[0].address, 0);
    /* Without doorbells, and through the window in the configuration space. */
    m->no_doorbells = true;
    driver_start(&d, m, 1, UINT64_MAX);
    assert_int_equal(driver_request(&d, 0, &part, 1), 64);
}

static void offers_a_window_in_configuration_space(void **state)
{
    struct fake_machine *m = *state;
    struct driver d;
    driver_find(&d, m, 1);
    fake_config_write(m, 1, d.access + 4, 1, 0);
    fake_config_write(m, 1, d.access + 8, 4, d.common + 20);
    fake_config_write(m, 1, d.access + 12, 4, 1);
    fake_config_write(m, 1, d.access + 16, 4, 3);
    assert_int_equal(driver_status(&d), 3);
    assert_int_equal(fake_config_read(m, 1, d.access + 16, 1), 3);
    const uint32_t bad[][2] = {{SIZE, 4}, {SIZE - 2, 4}, {2, 4}, {0, 3}, {0, 0}, {0xffffffff, 4}};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        fake_config_write(m, 1, d.access + 8, 4, bad[i][0]);
        fake_config_write(m, 1, d.access + 12, 4, bad[i][1]);
        fake_config_write(m, 1, d.access + 16, 4, 0);
        fake_config_read(m, 1, d.access + 16, 4);
    }
    assert_int_equal(driver_status(&d), 3);
}

static void resets_with_the_machine(void **state)
{
    struct fake_machine *m = *state;
    struct driver d;
    const struct driver_part part = {DRIVER_BUFFERS, 64, true};
    uint64_t home = fake_config_read(m, 1, BAR, 8);
    driver_start(&d, m, 1, UINT64_MAX);
    move(m, FAKE_WINDOW64);
    pci_bus_reset(m->pci);
    assert_int_equal(fake_config_read(m, 1, BAR, 8), home);
    assert_int_equal(fake_config_read(m, 1, COMMAND, 2), 0);
    assert_int_equal(fake_config_read(m, 1, d.msix + 2, 2), 1);
    assert_int_equal(m->doorbells[0].address, 0);
    driver_start(&d, m, 1, UINT64_MAX);
    assert_int_equal(driver_request(&d, 0, &part, 1), 64);
}

static void has_32_slots(void **state)
{
    struct fake_machine *m = *state;
    struct virtio_device *rng = NULL;
    for (int i = 3; i < 32; i++) {
        assert_int_equal(virtio_rng_new(&rng, NULL), 0);
        assert_int_equal(virtio_pci_add(m->pci, rng, NULL), 0);
    }
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(virtio_rng_new(&rng, NULL), 0);
    assert_int_equal(virtio_pci_add(m->pci, rng, &error), -ENOSPC);
    assert_int_equal(fake_config_read(m, 31, 0, 4), 0x10441af4);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(finds_devices_both_ways),
        test(tells_the_size_of_bars),
        test(maps_bars_within_the_windows_only),
        test(keeps_read_only_bits),
        test(masks_interrupts),
        test(insists_on_version_1),
        test(asks_for_a_reset_when_a_ring_is_broken),
        test(reads_back_what_was_set),
        test(moves_its_doorbells),
        test(offers_a_window_in_configuration_space),
        test(resets_with_the_machine),
        test(has_32_slots),
    };
    return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
