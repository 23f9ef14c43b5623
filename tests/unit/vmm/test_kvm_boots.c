/*
 * Many machines in one process, which leave nothing behind in it. Needs a KVM, and the guest of
 * tests/long/tiny.S, which $KILN_TINY_GUEST names: tests/long/kvm-endure.t runs this in
 * tests/kvmbox.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "tests/unit/unit.h"
#include "vmm/kvm/runner.h"

struct fixture {
    int kernel;
    char directory[128];
    char disk[160];
    struct vm_disk disks[2];
    struct vm_forward forward;
    struct vm_config config;
};

static int setup(void **state)
{
    const char *base = getenv("TMPDIR");
    struct fixture *f = calloc(1, sizeof(*f));
    *state = f;
    f->kernel = open(getenv("KILN_TINY_GUEST"), O_RDONLY | O_CLOEXEC);
    assert_true(f->kernel >= 0);
    snprintf(f->directory, sizeof(f->directory), "%s/kiln-unit.XXXXXX",
             base && strlen(base) < 100 ? base : "/tmp");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->disk, sizeof(f->disk), "%s/disk", f->directory);
    int disk = open(f->disk, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(disk, 1 << 20), 0);
    close(disk);
    f->disks[0] = (struct vm_disk){.path = f->disk, .format = IMAGE_RAW};
    f->disks[1] = (struct vm_disk){.path = f->disk, .format = IMAGE_RAW, .seed = true};
    f->config = (struct vm_config){
        .boot = VM_BOOT_KERNEL,
        .disks = f->disks,
        .disk_count = 2,
        .kernel_fd = f->kernel,
        .initrd_fd = -1,
        .command_line = "off",
        .memory = 64 << 20,
        .cpus = 2,
        .network = true,
        .timeout_ms = 60000,
        .console_fd = -1,
        .expected = VERDICT_POWER_OFF,
        .results = true,
    };
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close(f->kernel);
    unlink(f->disk);
    /* Fails where something is left in it. */
    assert_int_equal(rmdir(f->directory), 0);
    free(f);
    return 0;
}

static unsigned count_entries(const char *path)
{
    unsigned count = 0;
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void boot(struct fixture *f, const char *command_line, enum vm_verdict wanted)
{
    _cleanup_vm_result_ struct vm_result result = {0};
    struct error *err = NULL;
    f->config.command_line = command_line;
    if (kvm_runner.run(&f->config, &result, &err) < 0)
        fail_msg("%s: %s", command_line, error_message(err));
    if (result.verdict != wanted)
        fail_msg("%s: %s: %s", command_line, vm_verdict_name(result.verdict), result.reason);
}

/* Descriptors, threads and memory are as after the first two, which load libraries. */
static void leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    struct rusage before, after;
    boot(f, "off", VERDICT_POWER_OFF);
    boot(f, "off", VERDICT_POWER_OFF);
    unsigned fds = count_entries("/proc/self/fd"), threads = count_entries("/proc/self/task");
    getrusage(RUSAGE_SELF, &before);
    for (unsigned i = 0; i < 25; i++) {
        boot(f, i % 10 == 9 ? "triple fault" : "off",
             i % 10 == 9 ? VERDICT_TRIPLE_FAULT : VERDICT_POWER_OFF);
        assert_int_equal(count_entries("/proc/self/fd"), fds);
        assert_int_equal(count_entries("/proc/self/task"), threads);
    }
    getrusage(RUSAGE_SELF, &after);
    assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 16384); /* sanitizers keep some */
    assert_int_equal(count_entries(f->directory), 3);
}

/* A reset makes a new machine within the old one. */
static void resets_leave_nothing_behind(void **state)
{
    struct fixture *f = *state;
    boot(f, "reset", VERDICT_RESET_LOOP);
    unsigned fds = count_entries("/proc/self/fd"), threads = count_entries("/proc/self/task");
    for (unsigned i = 0; i < 3; i++)
        boot(f, "reset", VERDICT_RESET_LOOP);
    assert_int_equal(count_entries("/proc/self/fd"), fds);
    assert_int_equal(count_entries("/proc/self/task"), threads);
}

static void ends_in_time(void **state)
{
    struct fixture *f = *state;
    static const char *const guests[] = {"silence", "flood"};
    for (size_t i = 0; i < ARRAY_SIZE(guests); i++) {
        uint64_t before = clock_now_ms();
        f->config.timeout_ms = 1500;
        boot(f, guests[i], VERDICT_TIMEOUT);
        assert_in_range(clock_now_ms() - before, 1500, 60000);
    }
}

int main(void)
{
    if (!getenv("KILN_TINY_GUEST")) {
        puts("1..0 # SKIP no guest is named, see tests/long/kvm-endure.t");
        return 0;
    }
#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(leaves_nothing_behind),
        test(resets_leave_nothing_behind),
        test(ends_in_time),
    };
    return cmocka_run_group_tests_name("boots", tests, NULL, NULL);
}
