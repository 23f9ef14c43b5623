/* The devices of a vm_config, on a machine without processors: which disks keep what a guest
 * writes, and what comes back from it. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/outfile.h"
#include "tests/unit/vmm/virtio_driver.h"
#include "vmm/kvm/devices.h"
#include "vmm/results.h"

enum {
    DISK_SIZE = 1 << 20,
    SECTOR = 512,
    HEADER = DRIVER_BUFFERS,
    STATUS = DRIVER_BUFFERS + 0x100,
    DATA = DRIVER_BUFFERS + 0x1000,
};

struct fixture {
    struct fake_machine machine;
    struct kvm_devices *devices;
    char directory[128];
    char paths[2][160];
};

static void make_disk(const char *path, char fill)
{
    static char bytes[DISK_SIZE];
    memset(bytes, fill, sizeof(bytes));
    assert_int_equal(file_write_atomic(path, bytes, sizeof(bytes), 0600, NULL), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const char *base = getenv("TMPDIR");
    snprintf(f->directory, sizeof(f->directory), "%s/kiln-unit.XXXXXX",
             base && strlen(base) < 100 ? base : "/tmp");
    assert_non_null(mkdtemp(f->directory));
    for (int i = 0; i < 2; i++) {
        snprintf(f->paths[i], sizeof(f->paths[i]), "%s/disk%d", f->directory, i);
        make_disk(f->paths[i], (char)('a' + i));
    }
    fake_machine_init(&f->machine);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    fake_machine_free(&f->machine);
    kvm_devices_free(f->devices);
    for (int i = 0; i < 2; i++)
        unlink(f->paths[i]);
    rmdir(f->directory);
    free(f);
    return 0;
}

static void plug_in(struct fixture *f, bool persist)
{
    struct vm_disk disks[] = {{.path = f->paths[0], .format = IMAGE_RAW},
                              {.path = f->paths[1], .format = IMAGE_RAW, .seed = true}};
    const struct vm_config config = {
        .disks = disks, .disk_count = 2, .persist = persist, .cpus = 2, .results = true};
    assert_int_equal(kvm_devices_add(&config, f->machine.pci, &f->devices, NULL), 0);
}

/* One sector at the beginning of a disk; returns the status of the request. */
static uint8_t access_disk(struct driver *d, uint32_t type)
{
    const struct driver_part parts[] = {
        {HEADER, 16, false}, {DATA, SECTOR, type == 0}, {STATUS, 1, true}};
    memset(driver_memory(d, HEADER, 16), 0, 16);
    *(uint8_t *)driver_memory(d, HEADER, 1) = (uint8_t)type;
    driver_request(d, 1, parts, 3);
    return *(uint8_t *)driver_memory(d, STATUS, 1);
}

static char first_byte(const char *path)
{
    char byte = 0;
    int fd = file_open(path, O_RDONLY, 0, NULL);
    assert_int_equal(fd_pread_full(fd, &byte, 1, 0, path, NULL), 0);
    close(fd);
    return byte;
}

static void writes(struct fixture *f, bool persist)
{
    struct driver system, seed;
    plug_in(f, persist);
    driver_start(&system, &f->machine, 1, UINT64_MAX);
    driver_start(&seed, &f->machine, 2, UINT64_MAX);
    memset(driver_memory(&system, DATA, SECTOR), 'x', SECTOR);
    assert_int_equal(access_disk(&system, 1), 0);
    assert_int_not_equal(access_disk(&seed, 1), 0);
    assert_int_equal(access_disk(&seed, 0), 0);
    assert_int_equal(*(char *)driver_memory(&seed, DATA, 1), 'b');
    assert_int_equal(access_disk(&system, 0), 0);
    assert_int_equal(*(char *)driver_memory(&system, DATA, 1), 'x');
    assert_int_equal(kvm_devices_failure(f->devices, NULL), 0);
    assert_int_equal(first_byte(f->paths[0]), persist ? 'x' : 'a');
    assert_int_equal(first_byte(f->paths[1]), 'b');
}

static void throws_away_what_is_written(void **state)
{
    writes(*state, false);
}

static void keeps_what_is_written(void **state)
{
    writes(*state, true);
}

static void brings_results_back(void **state)
{
    struct fixture *f = *state;
    struct driver console;
    const struct driver_part part = {DATA, 10, false};
    char text[64];
    plug_in(f, false);
    driver_start(&console, &f->machine, 3, UINT64_MAX);
    assert_int_equal(kvm_devices_take_results(f->devices, text, sizeof(text)), 0);
    memcpy(driver_memory(&console, DATA, 10), "0123456789", 10);
    driver_request(&console, 1, &part, 1);
    assert_int_equal(kvm_devices_take_results(f->devices, text, 4), 4);
    assert_int_equal(kvm_devices_take_results(f->devices, text + 4, sizeof(text) - 4), 6);
    assert_memory_equal(text, "0123456789", 10);
    assert_int_equal(kvm_devices_take_results(f->devices, text, sizeof(text)), 0);
    /* A flood ends where no more is kept. */
    const struct driver_part much = {DRIVER_BUFFERS, 2 << 20, false};
    size_t total = 10, count;
    for (int i = 0; i < 6; i++)
        driver_request(&console, 1, &much, 1);
    while ((count = kvm_devices_take_results(f->devices, text, sizeof(text))) > 0)
        total += count;
    assert_int_equal(total, RESULTS_MAX);
}

static void names_the_disk_that_is_missing(void **state)
{
    struct fixture *f = *state;
    struct vm_disk disks[] = {{.path = f->paths[0]}, {.path = "/nonexistent/image"}};
    const struct vm_config config = {.disks = disks, .disk_count = 2, .cpus = 1};
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(kvm_devices_add(&config, f->machine.pci, &f->devices, &error), -ENOENT);
    assert_non_null(strstr(error_message(error), "/nonexistent/image"));
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(throws_away_what_is_written),
        test(keeps_what_is_written),
        test(brings_results_back),
        test(names_the_disk_that_is_missing),
    };
    return cmocka_run_group_tests_name("kvm-devices", tests, NULL, NULL);
}
