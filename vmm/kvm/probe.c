#include "vmm/kvm/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/outfile.h"
#include "base/private_dir.h"
#include "base/str.h"
#include "vmm/kvm/loop.h"

enum {
    setup_ms = 1000,          /* to make a machine: slow the first time, and no sign of anything */
    run_ms = 250,             /* for the loops */
    healthy_limit_us = 60000, /* for one loop; a real KVM needs a small part of it, unless it is
                                 emulated itself, as in tests */
    patience_max = 100,
};

/* $KILN_KVM_PATIENCE: how many times these limits a KVM is given whose processor is known to be
 * emulated, as tests/kvmbox does. */
static unsigned patience(void)
{
    const char *text = getenv("KILN_KVM_PATIENCE");
    uint64_t factor;
    if (str_empty(text) || parse_u64(text, "KILN_KVM_PATIENCE", &factor, NULL) < 0)
        return 1;
    return factor >= 1 && factor <= patience_max ? (unsigned)factor : 1;
}

static const char *const health_words[] = {
    [KVM_HEALTHY] = "healthy", [KVM_ABSENT] = "absent",     [KVM_FORBIDDEN] = "forbidden",
    [KVM_BROKEN] = "broken",   [KVM_TOO_SLOW] = "too-slow",
};

static const char *const step_words[] = {
    [KVM_STEP_VERSION] = "tells its version",
    [KVM_STEP_CREATE_VM] = "creates a machine",
    [KVM_STEP_MEMORY] = "gives a machine memory",
    [KVM_STEP_CREATE_VCPU] = "creates a processor",
    [KVM_STEP_REGISTERS] = "sets a processor's registers",
    [KVM_STEP_RUN] = "runs a loop with the right result",
    [KVM_STEP_DONE] = "",
};

static const char nested_remedy[] =
    "nothing is lost but speed, QEMU emulates; for full speed let this machine's host offer nested "
    "virtualization";

void kvm_report_free(struct kvm_report *report)
{
    free(report->reason);
    free(report->remedy);
    *report = (struct kvm_report){0};
}

/* Takes over reason. */
static int fill(struct kvm_report *ret, enum kvm_health health, char *reason, const char *remedy,
                uint64_t elapsed_us, struct error **err)
{
    _cleanup_kvm_report_ struct kvm_report report = {
        .health = health, .reason = reason, .elapsed_us = elapsed_us};
    int r = reason ? str_replace(&report.remedy, remedy, err) : -ENOMEM;
    if (r < 0)
        return r;
    *ret = report;
    report = (struct kvm_report){0};
    return 0;
}

static int explain_health(const char *device, enum kvm_health health, uint64_t elapsed_us,
                          struct kvm_report *ret, struct error **err)
{
    char *reason =
        health == KVM_HEALTHY
            ? str_printf(err, "%s runs guests at full speed (%d instructions in %.1f ms)", device,
                         kvm_loop_instructions, (double)elapsed_us / 1000)
            : str_printf(err,
                         "%s opens but only emulates: %d instructions were not done within %u ms",
                         device, kvm_loop_instructions, healthy_limit_us / 1000 * patience());
    return fill(ret, health, reason, health == KVM_HEALTHY ? NULL : nested_remedy, elapsed_us, err);
}

static int explain_open(const char *device, int errnum, struct kvm_report *ret, struct error **err)
{
    if (errnum == EACCES || errnum == EPERM)
        return fill(ret, KVM_FORBIDDEN,
                    str_printf(err, "%s may not be opened by this user", device),
                    "add the user to the group that owns it (on Debian: adduser USER kvm) and log "
                    "in again",
                    0, err);
    if (errnum == ENOENT || errnum == ENODEV || errnum == ENXIO || errnum == ENOTDIR)
        return fill(ret, KVM_ABSENT, str_printf(err, "%s does not exist", device),
                    "load kvm_intel or kvm_amd, or enable virtualization in the firmware; in a "
                    "container, pass the device in; in a virtual machine, let its host offer "
                    "nested virtualization",
                    0, err);
    return fill(ret, KVM_BROKEN, str_printf(err, "%s: %s", device, strerror(errnum)), NULL, 0, err);
}

static int explain_failure(const char *device, const struct kvm_loop_result *result,
                           struct kvm_report *ret, struct error **err)
{
    char *reason;
    if (result->errnum == ENOTTY)
        reason = str_printf(err, "%s is not a KVM device", device);
    else if (result->errnum == 0)
        reason = str_printf(err, "%s fails where it %s: no answer within %u ms", device,
                            step_words[result->step], setup_ms * patience());
    else if (result->errnum == EPROTO)
        reason = str_printf(err, "%s fails where it %s: the answer is not one of KVM", device,
                            step_words[result->step]);
    else
        reason = str_printf(err, "%s fails where it %s: %s", device, step_words[result->step],
                            strerror(result->errnum));
    return fill(ret, KVM_BROKEN, reason, NULL, result->elapsed_us, err);
}

/* *ret_certain: the answer will be the same for the rest of this boot. */
static int judge(const char *device, const struct kvm_loop_result *result, struct kvm_report *ret,
                 bool *ret_certain, struct error **err)
{
    bool running = !result->finished && result->step == KVM_STEP_RUN;
    *ret_certain = false;
    if (result->step != KVM_STEP_DONE && !running)
        return explain_failure(device, result, ret, err);
    /* By the time that a processor spent on it: on a busy machine a real KVM has to wait, too. */
    uint64_t limit_us = (uint64_t)healthy_limit_us * patience();
    bool slow = running || result->cpu_us > limit_us;
    *ret_certain = !slow || result->cpu_us > limit_us;
    return explain_health(device, slow ? KVM_TOO_SLOW : KVM_HEALTHY, result->elapsed_us, ret, err);
}

/* What the answer is valid for: this boot of the host, this device, this patience. */
static int read_key(int device, char **ret, struct error **err)
{
    _cleanup_free_ char *boot_id = NULL;
    size_t size;
    struct stat st;
    int r = file_read("/proc/sys/kernel/random/boot_id", 100, &boot_id, &size, err);
    if (r < 0)
        return r;
    if (fstat(device, &st) < 0)
        return error_sys(err, errno, "cannot tell which device KVM is");
    *ret = str_printf(err, "%s %llx", str_strip(boot_id), (unsigned long long)st.st_rdev);
    if (*ret && patience() > 1) {
        _cleanup_free_ char *key = *ret;
        *ret = str_printf(err, "%s x%u", key, patience());
    }
    return *ret ? 0 : -ENOMEM;
}

/* Only in a directory into which nobody else writes: a false answer would let a boot hang, and a
 * link would lead the next one's writing elsewhere. NULL: there is none. */
static char *cache_path(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR"), *cache = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    _cleanup_free_ char *place = NULL;
    if (runtime && *runtime == '/')
        place = strdup(runtime);
    else if (cache && *cache == '/')
        place = strdup(cache);
    else if (home && *home == '/')
        place = str_printf(NULL, "%s/.cache", home);
    _cleanup_close_ int fd = place ? private_dir_open(place, "kiln", NULL) : -1;
    return fd < 0 ? NULL : str_printf(NULL, "%s/kiln/kvm-probe", place);
}

/* "1 KEY too-slow 220000": a version, the key, the answer. Anything else counts as no answer. */
static bool cache_load(const char *path, const char *key, enum kvm_health *ret_health,
                       uint64_t *ret_elapsed_us)
{
    _cleanup_free_ char *text = NULL;
    size_t size;
    char word[16];
    unsigned long long elapsed;
    if (file_read(path, 4096, &text, &size, NULL) < 0 || !str_starts(text, "1 ") ||
        !str_starts(text + 2, key))
        return false;
    if (sscanf(text + 2 + strlen(key), " %15s %llu", word, &elapsed) != 2)
        return false;
    if (strcmp(word, health_words[KVM_HEALTHY]) == 0)
        *ret_health = KVM_HEALTHY;
    else if (strcmp(word, health_words[KVM_TOO_SLOW]) == 0)
        *ret_health = KVM_TOO_SLOW;
    else
        return false;
    *ret_elapsed_us = elapsed;
    return true;
}

/* A cache that cannot be written costs the next probe a quarter of a second, no more. */
static void cache_store(const char *path, const char *key, const struct kvm_report *report)
{
    _cleanup_free_ char *text =
        str_printf(NULL, "1 %s %s %llu\n", key, health_words[report->health],
                   (unsigned long long)report->elapsed_us);
    if (text)
        (void)file_write_atomic(path, text, strlen(text), 0600, NULL);
}

static const char *device_path(bool *ret_standard)
{
    const char *override = getenv("KILN_KVM_DEVICE");
    *ret_standard = str_empty(override);
    return *ret_standard ? "/dev/kvm" : override;
}

int kvm_open(struct error **err)
{
    bool standard;
    return file_open(device_path(&standard), O_RDWR | O_NONBLOCK, 0, err);
}

int kvm_probe(struct kvm_report *ret, struct error **err)
{
    bool standard;
    const char *device = device_path(&standard);
    _cleanup_close_ int fd = open(device, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return explain_open(device, errno, ret, err);

    _cleanup_free_ char *path = standard ? cache_path() : NULL;
    _cleanup_free_ char *key = NULL;
    enum kvm_health health;
    uint64_t elapsed_us;
    /* Without a boot id there is no caching, and nothing else is wrong. */
    if (path && read_key(fd, &key, NULL) == 0 && cache_load(path, key, &health, &elapsed_us))
        return explain_health(device, health, elapsed_us, ret, err);

    struct kvm_loop_result result;
    bool certain;
    int r = kvm_loop_run(fd, (uint64_t)setup_ms * patience(), (uint64_t)run_ms * patience(),
                         &result, err);
    if (r == 0)
        r = judge(device, &result, ret, &certain, err);
    if (r == 0 && certain && path && key)
        cache_store(path, key, ret);
    return r;
}
