/* The source of entropy. */

#include "tests/unit/vmm/virtio_driver.h"
#include "vmm/virtio/rng.h"

static void gives_random_bytes(void **state)
{
    (void)state;
    struct fake_machine m;
    struct driver d;
    struct virtio_device *rng = NULL;
    uint8_t none[64] = {0}, before[64];
    const struct driver_part small = {DRIVER_BUFFERS, 64, true},
                             large = {DRIVER_BUFFERS, 1 << 20, true},
                             backwards = {DRIVER_BUFFERS, 64, false};
    fake_machine_init(&m);
    assert_int_equal(virtio_rng_new(&rng, NULL), 0);
    assert_int_equal(virtio_pci_add(m.pci, rng, NULL), 0);
    driver_start(&d, &m, 1, UINT64_MAX);
    assert_int_equal(driver_request(&d, 0, &small, 1), 64);
    memcpy(before, driver_memory(&d, DRIVER_BUFFERS, 64), 64);
    assert_memory_not_equal(before, none, 64);
    assert_int_equal(driver_request(&d, 0, &small, 1), 64);
    assert_memory_not_equal(before, driver_memory(&d, DRIVER_BUFFERS, 64), 64);
    /* Some of it, when it is much; nothing, when there is nowhere to put it. */
    assert_in_range(driver_request(&d, 0, &large, 1), 1, 1 << 20);
    assert_int_equal(driver_request(&d, 0, &backwards, 1), 0);
    fake_machine_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gives_random_bytes)};
    return cmocka_run_group_tests_name("virtio-rng", tests, NULL, NULL);
}
