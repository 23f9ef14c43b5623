#include "vmm/kvm/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/str.h"
#include "vmm/console_log.h"
#include "vmm/keyboard.h"
#include "vmm/kvm/devices.h"
#include "vmm/kvm/machine.h"
#include "vmm/kvm/probe.h"
#include "vmm/kvm/resident.h"
#include "vmm/watch.h"

enum {
    tick_ms = 10,      /* between looks at what a guest prints */
    slow_tick_ms = 50, /* where it has not printed for quiet_ms */
    quiet_ms = 1000,
    words_grace_ms = 2000, /* for output that the machine has still buffered */
    words_quiet_ms = 300,  /* all of it was read */
    power_down_ms = 90000, /* for a guest that was asked to switch itself off */
};

struct run {
    const struct vm_config *config;
    int device;
    struct kvm_machine *machine;
    struct kvm_devices *devices; /* NULL: there are none */
    struct vm_watch *watch;
    struct console_log log;
    struct keyboard keyboard;
    enum kvm_machine_state state;
    bool stuck; /* it does not stop, see kvm_machine_stop() */
    uint64_t deadline;
    uint64_t heard_at; /* when something was last printed, or typed */
};

/* Threads that are blocked in the host may continue at any time, and still use this memory. */
static void run_release(struct run *run)
{
    if (!run->stuck && kvm_machine_halt(run->machine)) {
        kvm_machine_free(run->machine); /* and the bus */
        kvm_devices_free(run->devices);
    }
    vm_watch_free(run->watch);
    if (run->device >= 0)
        close(run->device);
}
#define _cleanup_run_ _cleanup_(run_release)

static bool decided(const struct run *run)
{
    return vm_watch_verdict(run->watch) != VERDICT_NONE;
}

/* Reads one portion from each channel of the machine, after at most timeout_ms. */
static int take_portion(struct run *run, uint64_t timeout_ms, bool *ret_any, struct error **err)
{
    char buffer[16384];
    size_t results = 0;
    size_t count = kvm_machine_take(run->machine, timeout_ms, buffer, sizeof(buffer), &run->state);
    int r = 0;
    if (count > 0) {
        run->heard_at = clock_now_ms();
        vm_watch_console(run->watch, buffer, count);
        r = console_log_write(&run->log, buffer, count, run->deadline, err);
    }
    if (run->devices) {
        results = kvm_devices_take_results(run->devices, buffer, sizeof(buffer));
        vm_watch_results(run->watch, buffer, results);
    }
    *ret_any = count > 0 || results > 0;
    return r;
}

/* What the watch wants to be done; *ret_wait: when it has to be asked again. */
static int step_watch(struct run *run, uint64_t *ret_wait, struct error **err)
{
    bool wants_connections;
    *ret_wait = vm_watch_step(run->watch, &wants_connections);
    if (!wants_connections || !run->devices)
        return 0;
    _cleanup_free_ char *list = kvm_devices_connections(run->devices);
    if (!list)
        return error_oom(err);
    vm_watch_connections(run->watch, list);
    return 0;
}

static void type_keys(struct run *run)
{
    keyboard_read(&run->keyboard);
    size_t typed = kvm_machine_type(run->machine, run->keyboard.keys, run->keyboard.count);
    keyboard_drop(&run->keyboard, typed);
    if (typed > 0)
        run->heard_at = clock_now_ms();
    if (run->keyboard.left)
        vm_watch_interrupt(run->watch);
}

/* See vm_watch_listens(). */
static int hear_last_words(struct run *run, uint64_t quiet, struct error **err)
{
    uint64_t limit = min_u64(deadline_after(words_grace_ms), run->deadline);
    int r = 0;
    while (r == 0 && run->state == KVM_MACHINE_RUNNING && clock_now_ms() < limit &&
           clock_now_ms() - run->heard_at < quiet) {
        bool any;
        r = take_portion(run, tick_ms, &any, err);
    }
    return r;
}

/* A disk that fails ends the boot. The log is to show the guest's messages about it. */
static int check_devices(struct run *run, struct error **err)
{
    int r = kvm_devices_failure(run->devices, err);
    if (r == 0)
        return 0;
    run->heard_at = clock_now_ms();
    (void)hear_last_words(run, words_grace_ms, NULL);
    return r;
}

static bool stop(struct run *run)
{
    if (!run->stuck && !kvm_machine_stop(run->machine)) {
        run->stuck = true;
        report(run->config->reporter, REPORT_WARNING,
               "the machine does not stop: a thread is blocked, perhaps in a disk that does not "
               "answer");
    }
    return !run->stuck;
}

static int reset(struct run *run, struct error **err)
{
    vm_watch_reset(run->watch);
    if (vm_watch_over(run->watch))
        return 0;
    report(run->config->reporter, REPORT_DEBUG, "The guest resets the machine");
    if (!stop(run))
        return error_set(err, ETIMEDOUT, "the machine cannot be reset");
    int r = kvm_machine_restart(run->machine, err);
    if (r == 0)
        run->state = KVM_MACHINE_RUNNING;
    return r;
}

/* Until it is over, the deadline, or the machine's end. */
static int watch(struct run *run, struct error **err)
{
    int r = 0;
    while (r == 0 && run->state == KVM_MACHINE_RUNNING && !vm_watch_over(run->watch) &&
           clock_now_ms() < run->deadline) {
        bool any;
        uint64_t wait;
        r = step_watch(run, &wait, err);
        if (r < 0)
            break;
        type_keys(run);
        uint64_t tick = clock_now_ms() - run->heard_at < quiet_ms ? tick_ms : slow_tick_ms;
        wait = min_u64(min_u64(wait, tick), (uint64_t)deadline_left(run->deadline));
        r = take_portion(run, wait, &any, err);
        if (r == 0 && run->devices)
            r = check_devices(run, err);
        if (r == 0 && run->state == KVM_MACHINE_RESET)
            r = reset(run, err);
    }
    if (r == 0 && vm_watch_listens(run->watch))
        r = hear_last_words(run, words_quiet_ms, err);
    return r;
}

/* A guest whose writes are kept has to flush them. Its output meanwhile goes to the log. */
static int power_down(struct run *run, struct error **err)
{
    uint64_t limit = min_u64(run->deadline, deadline_after(power_down_ms));
    report(run->config->reporter, REPORT_INFO, "Asking the guest to switch itself off");
    int r = kvm_machine_press_power(run->machine, err);
    while (r == 0 && run->state == KVM_MACHINE_RUNNING && clock_now_ms() < limit) {
        bool any;
        r = take_portion(run, tick_ms, &any, err);
    }
    if (r == 0 && run->state != KVM_MACHINE_OFF)
        report(run->config->reporter, REPORT_WARNING,
               "the guest did not switch itself off in time: the image may lack its last writes");
    return r;
}

/* What was left in the console of a machine that was stopped. */
static int drain(struct run *run, struct error **err)
{
    bool any = true;
    int r = 0;
    while (r == 0 && any)
        r = take_portion(run, 0, &any, err);
    return r;
}

/* What only the machine knows. */
static int conclude(struct run *run, struct vm_result *result, struct error **err)
{
    const char *reason = kvm_machine_reason(run->machine);
    if (run->state == KVM_MACHINE_FAILED && !decided(run))
        return error_set(err, EIO, "%s", reason);
    if (run->state == KVM_MACHINE_OFF)
        vm_watch_power_off(run->watch);
    bool known = decided(run);
    int r = vm_watch_fill(run->watch, result, err);
    if (r < 0 || known)
        return r;
    if (run->state == KVM_MACHINE_TRIPLE_FAULT || run->state == KVM_MACHINE_HUNG) {
        result->verdict = run->state == KVM_MACHINE_HUNG ? VERDICT_HANG : VERDICT_TRIPLE_FAULT;
        return str_replace(&result->reason, reason, err);
    }
    return 0;
}

/* The first processor enters the guest about now. This thread has done all that led there. */
static void report_cost(struct reporter *reporter)
{
    struct timespec spent;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    report(reporter, REPORT_DEBUG, "The guest starts after %lld.%03ld ms of processor time",
           (long long)spent.tv_sec * 1000 + spent.tv_nsec / 1000000, spent.tv_nsec / 1000 % 1000);
}

static int start(struct run *run, struct error **err)
{
    const struct vm_config *config = run->config;
    const struct kvm_machine_config machine = {
        .device = run->device,
        .kernel_fd = config->kernel_fd,
        .initrd_fd = config->initrd_fd,
        .command_line = config->command_line,
        .memory = config->memory,
        .hugepages = config->hugepages,
        .cpus = config->cpus,
        .identity = config->identity,
        .pci = config->disk_count > 0 || config->network || config->results,
    };
    int r = kvm_machine_new(&machine, &run->machine, err);
    if (r == 0 && machine.pci)
        r = kvm_devices_add(config, kvm_machine_pci(run->machine), &run->devices, err);
    if (r == 0)
        r = kvm_machine_start(run->machine, err);
    if (r == 0) {
        report_cost(config->reporter);
        resident_trim();
    }
    return r;
}

/* To diagnose a boot that failed. */
static void report_state(const struct run *run)
{
    struct reporter *reporter = run->config->reporter;
    _cleanup_free_ char *exits = kvm_machine_exits(run->machine);
    report(reporter, REPORT_DEBUG, "KVM exits: %s", exits ? exits : "?");
    for (unsigned i = 0; i < run->config->cpus && !decided(run); i++) {
        _cleanup_free_ char *registers = kvm_machine_registers(run->machine, i);
        report(reporter, REPORT_DEBUG, "Processor %u: %s", i, registers ? registers : "?");
    }
}

static int run_machine(struct run *run, struct vm_result *ret, struct error **err)
{
    uint64_t began = clock_now_ms();
    _cleanup_vm_result_ struct vm_result result = {0};
    run->deadline = deadline_after(run->config->timeout_ms);
    run->heard_at = began;
    keyboard_init(&run->keyboard, run->config->terminal);
    int r = vm_watch_new(run->config, &run->watch, err);
    if (r == 0)
        r = start(run, err);
    if (r == 0)
        r = watch(run, err);
    uint64_t duration = clock_now_ms() - began;
    if (r == 0 && run->config->persist && run->state == KVM_MACHINE_RUNNING &&
        vm_verdict_good(vm_watch_verdict(run->watch)))
        r = power_down(run, err);
    if (r == 0 && stop(run))
        r = drain(run, err);
    if (r == 0)
        r = conclude(run, &result, err);
    if (r < 0)
        return r;
    if (!run->stuck)
        report_state(run);
    result.engine = kvm_runner.name;
    result.accelerator = "kvm";
    result.duration_ms = duration;
    result.console_bytes = run->log.total;
    *ret = result;
    result = (struct vm_result){0};
    return 0;
}

static int kvm_run(const struct vm_config *config, struct vm_result *ret, struct error **err)
{
    _cleanup_run_ struct run run = {
        .config = config,
        .device = kvm_open(err),
        .log = {.fd = config->console_fd,
                .screen = config->terminal ? config->terminal->output : -1},
    };
    return run.device < 0 ? run.device : run_machine(&run, ret, err);
}

static int kvm_available(const struct vm_config *config, struct error **err)
{
    if (config->boot != VM_BOOT_KERNEL) {
        error_set(err, ENOTSUP, "the built-in runner boots kernels directly, without firmware");
        return error_hint(err, "use --engine qemu for BIOS and UEFI");
    }
    _cleanup_kvm_report_ struct kvm_report report = {0};
    int r = kvm_probe(&report, err);
    if (r < 0 || report.health == KVM_HEALTHY)
        return r;
    error_set(err, report.health == KVM_FORBIDDEN ? EACCES : ENODEV, "%s", report.reason);
    return report.remedy ? error_hint(err, "%s", report.remedy) : -ENODEV;
}

const struct vm_runner kvm_runner = {
    .name = "kvm",
    .available = kvm_available,
    .run = kvm_run,
};
