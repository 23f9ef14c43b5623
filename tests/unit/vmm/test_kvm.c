/* When the built-in runner is not to be had, and what it says then. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/unit.h"
#include "vmm/kvm/runner.h"

static const struct vm_config direct = {
    .boot = VM_BOOT_KERNEL, .kernel_fd = -1, .initrd_fd = -1, .memory = 256 << 20, .cpus = 1};

static int no_device(void **state)
{
    (void)state;
    return setenv("KILN_KVM_DEVICE", "/nonexistent/kvm", 1);
}

static void test_firmware_is_left_to_qemu(void **state)
{
    (void)state;
    struct vm_config config = direct;
    struct error *err = NULL;
    config.boot = VM_BOOT_UEFI;
    assert_int_equal(kvm_runner.available(&config, &err), -ENOTSUP);
    assert_non_null(strstr(error_remedy(err), "--engine qemu"));
    error_free(err);
}

static void test_without_the_device(void **state)
{
    (void)state;
    struct error *err = NULL;
    assert_int_equal(kvm_runner.available(&direct, &err), -ENODEV);
    assert_non_null(strstr(error_message(err), "/nonexistent/kvm does not exist"));
    assert_non_null(error_remedy(err));
    error_free(err);
}

static void test_a_device_that_is_something_else(void **state)
{
    (void)state;
    struct error *err = NULL;
    setenv("KILN_KVM_DEVICE", "/dev/null", 1);
    uint64_t before = clock_now_ms();
    assert_true(kvm_runner.available(&direct, &err) < 0);
    assert_true(clock_now_ms() - before < 30000);
    assert_non_null(strstr(error_message(err), "/dev/null is not a KVM device"));
    error_clear(&err);
    /* Were it used nevertheless, nothing would break. */
    struct vm_result result = {0};
    assert_true(kvm_runner.run(&direct, &result, &err) < 0);
    assert_non_null(strstr(error_message(err), "KVM"));
    error_free(err);
}

static void test_it_can_be_named(void **state)
{
    (void)state;
    const struct vm_runner *runner = NULL;
    struct error *err = NULL;
    assert_int_equal(vm_runner_find("kvm", &direct, &runner, &err), -ENODEV);
    assert_null(runner);
    error_free(err);
    assert_ptr_equal(vm_runners[0], &kvm_runner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_firmware_is_left_to_qemu, no_device),
        cmocka_unit_test_setup(test_without_the_device, no_device),
        cmocka_unit_test_setup(test_a_device_that_is_something_else, no_device),
        cmocka_unit_test_setup(test_it_can_be_named, no_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
