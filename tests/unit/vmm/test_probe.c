/* The test of KVM: quick, never fooled, and remembered for one boot of the host. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/outfile.h"
#include "base/str.h"
#include "tests/unit/unit.h"
#include "vmm/kvm/loop.h"
#include "vmm/kvm/probe.h"

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "%s/kiln-unit.XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(directory))
        return -1;
    setenv("XDG_RUNTIME_DIR", directory, 1);
    unsetenv("KILN_KVM_DEVICE");
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    char path[128];
    static const char *const files[] = {"kiln/kvm-probe", "kiln", "device", ""};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
        remove(path);
    }
    return 0;
}

static void probe_device(const char *device, enum kvm_health health, const char *reason)
{
    _cleanup_kvm_report_ struct kvm_report report = {0};
    setenv("KILN_KVM_DEVICE", device, 1);
    assert_int_equal(kvm_probe(&report, NULL), 0);
    unsetenv("KILN_KVM_DEVICE");
    if (report.health != health || !strstr(report.reason, reason))
        fail_msg("%s: health %d, reason '%s'", device, report.health, report.reason);
}

static void other_devices_are_told_apart(void **state)
{
    (void)state;
    probe_device("/nonexistent/kvm", KVM_ABSENT, "/nonexistent/kvm does not exist");
    probe_device("/dev/null", KVM_BROKEN, "/dev/null is not a KVM device");
    probe_device("/", KVM_BROKEN, "");
}

/* As an ordinary user, which a test run by root has to become first. */
static void a_forbidden_device_names_the_group(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof(path), "%s/device", directory);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0);
    assert_true(fd >= 0);
    close(fd);
    chmod(directory, 0755);
    pid_t pid = fork();
    if (pid == 0) {
        struct kvm_report report = {0};
        if (geteuid() == 0 && setuid(65534) < 0)
            _exit(3);
        setenv("KILN_KVM_DEVICE", path, 1);
        _exit(kvm_probe(&report, NULL) == 0 && report.health == KVM_FORBIDDEN &&
                      strstr(report.remedy, "kvm")
                  ? 0
                  : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    chmod(directory, 0700);
}

static void need_kvm(void)
{
    if (access("/dev/kvm", F_OK) < 0)
        skip_because("there is no /dev/kvm");
    if (access("/dev/kvm", R_OK | W_OK) < 0)
        skip_because("/dev/kvm may not be opened by this user");
}

static void the_real_device_is_judged_in_time(void **state)
{
    (void)state;
    need_kvm();
    _cleanup_kvm_report_ struct kvm_report report = {0};
    setenv("KILN_KVM_DEVICE", "/dev/kvm", 1);
    uint64_t before = clock_now_ms();
    assert_int_equal(kvm_probe(&report, NULL), 0);
    uint64_t taken = clock_now_ms() - before;
    unsetenv("KILN_KVM_DEVICE");
    /* A KVM that only pretends would take minutes. Other tests may keep this machine busy. */
    assert_true(taken < 60000);
    assert_true(report.health == KVM_HEALTHY || report.health == KVM_TOO_SLOW);
    assert_non_null(report.reason);
}

static void a_loop_that_does_not_end_is_killed(void **state)
{
    (void)state;
    need_kvm();
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        skip_because("/dev/kvm cannot be opened");
    struct kvm_loop_result result;
    uint64_t before = clock_now_ms();
    assert_int_equal(kvm_loop_run(fd, 0, 0, &result, NULL), 0);
    assert_true(clock_now_ms() - before < 60000);
    assert_false(result.finished);
    /* The kernel may take a moment to clear up behind it. */
    pid_t pid = 0;
    for (int i = 0; i < 6000 && (pid = waitpid(-1, NULL, WNOHANG)) == 0; i++)
        usleep(10000);
    assert_int_not_equal(pid, 0);
    close(fd);
}

/* Writes the cache with this answer, for this boot or another one. */
static void write_cache(const char *answer, bool this_boot)
{
    char path[128];
    struct stat st;
    _cleanup_free_ char *boot_id = NULL;
    size_t size;
    assert_int_equal(file_read("/proc/sys/kernel/random/boot_id", 100, &boot_id, &size, NULL), 0);
    str_strip(boot_id);
    if (!this_boot)
        boot_id[0] = boot_id[0] == '0' ? '1' : '0';
    assert_int_equal(stat("/dev/kvm", &st), 0);
    snprintf(path, sizeof(path), "%s/kiln", directory);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/kiln/kvm-probe", directory);
    _cleanup_free_ char *text =
        str_printf(NULL, "1 %s %llx %s\n", boot_id, (unsigned long long)st.st_rdev, answer);
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
}

static uint64_t probed_us(enum kvm_health *ret_health)
{
    _cleanup_kvm_report_ struct kvm_report report = {0};
    assert_int_equal(kvm_probe(&report, NULL), 0);
    *ret_health = report.health;
    return report.elapsed_us;
}

static void the_answer_is_kept_for_this_boot(void **state)
{
    (void)state;
    enum kvm_health health;
    need_kvm();
    write_cache("healthy 77777777", true);
    assert_int_equal(probed_us(&health), 77777777);
    assert_int_equal(health, KVM_HEALTHY);
    write_cache("too-slow 88888888", true);
    assert_int_equal(probed_us(&health), 88888888);
    assert_int_equal(health, KVM_TOO_SLOW);
    write_cache("healthy 77777777", false);
    assert_int_not_equal(probed_us(&health), 77777777);
}

static void a_damaged_answer_is_not_believed(void **state)
{
    (void)state;
    static const char *const answers[] = {"", "healthy", "splendid 77777777", "absent 77777777"};
    enum kvm_health health;
    need_kvm();
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        write_cache(answers[i], true);
        assert_int_not_equal(probed_us(&health), 77777777);
        assert_true(health == KVM_HEALTHY || health == KVM_TOO_SLOW);
    }
}

static void an_answer_that_others_may_have_written_is_not_believed(void **state)
{
    (void)state;
    enum kvm_health health;
    char path[128];
    need_kvm();
    write_cache("healthy 77777777", true);
    snprintf(path, sizeof(path), "%s/kiln", directory);
    assert_int_equal(chmod(path, 0770), 0);
    assert_int_not_equal(probed_us(&health), 77777777);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(probed_us(&health), 77777777);
}

static void no_place_to_remember_is_no_failure(void **state)
{
    (void)state;
    _cleanup_kvm_report_ struct kvm_report report = {0};
    setenv("XDG_RUNTIME_DIR", "/proc/nonexistent", 1);
    assert_int_equal(kvm_probe(&report, NULL), 0);
    setenv("XDG_RUNTIME_DIR", directory, 1);
}

/* For a KVM that is emulated itself: the same device, judged by a host that knows better. */
static void a_patient_host_waits_longer(void **state)
{
    (void)state;
    _cleanup_kvm_report_ struct kvm_report hasty = {0}, patient = {0};
    char path[128];
    snprintf(path, sizeof(path), "%s/kiln/kvm-probe", directory);
    remove(path);
    /* Nonsense counts as nothing. */
    setenv("KILN_KVM_PATIENCE", "1000000", 1);
    assert_int_equal(kvm_probe(&hasty, NULL), 0);
    setenv("KILN_KVM_PATIENCE", "40", 1);
    assert_int_equal(kvm_probe(&patient, NULL), 0);
    unsetenv("KILN_KVM_PATIENCE");
    if (hasty.health == KVM_TOO_SLOW) {
        assert_non_null(strstr(hasty.reason, "within 60 ms"));
        assert_true(patient.health == KVM_HEALTHY || strstr(patient.reason, "within 2400 ms"));
    } else {
        assert_int_equal(patient.health, hasty.health);
    }
    /* Nor does what a patient one has remembered count for others. */
    kvm_report_free(&patient);
    assert_int_equal(kvm_probe(&patient, NULL), 0);
    assert_int_equal(patient.health, hasty.health);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_devices_are_told_apart),
        cmocka_unit_test(a_forbidden_device_names_the_group),
        cmocka_unit_test(the_real_device_is_judged_in_time),
        cmocka_unit_test(a_loop_that_does_not_end_is_killed),
        cmocka_unit_test(the_answer_is_kept_for_this_boot),
        cmocka_unit_test(a_damaged_answer_is_not_believed),
        cmocka_unit_test(an_answer_that_others_may_have_written_is_not_believed),
        cmocka_unit_test(no_place_to_remember_is_no_failure),
        cmocka_unit_test(a_patient_host_waits_longer),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
