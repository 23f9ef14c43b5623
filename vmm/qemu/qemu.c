#include "vmm/qemu/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/proc.h"
#include "base/str.h"
#include "vmm/console_log.h"
#include "vmm/keyboard.h"
#include "vmm/kvm/probe.h"
#include "vmm/qemu/args.h"
#include "vmm/qemu/firmware.h"
#include "vmm/qemu/monitor.h"
#include "vmm/qemu/words.h"
#include "vmm/watch.h"

enum {
    stop_grace_ms = 1000,  /* for QEMU to end by itself */
    words_grace_ms = 2000, /* for output that the machine has still buffered */
    words_quiet_ms = 500,  /* all of it was read */
    power_down_ms = 90000, /* for a guest that was asked to switch itself off */
};

/* A running machine and its output. */
struct machine {
    const struct vm_config *config;
    struct qemu_command command; /* also holds the locks of the images */
    struct proc *proc;
    int console; /* our ends; -1: closed */
    int monitor;
    int results;
    int errors;
    struct vm_watch *watch;
    struct console_log log;
    struct keyboard keyboard;
    struct qemu_monitor qmp;
    struct qemu_words words;
    uint64_t deadline;
    bool ended; /* QEMU is gone */
    bool switched_off;
    bool out_of_space;
    bool halted;
};

static void machine_release(struct machine *machine)
{
    proc_free(machine->proc);
    int *fds[] = {&machine->console, &machine->monitor, &machine->results, &machine->errors};
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        if (*fds[i] >= 0)
            close(TAKE_FD(*fds[i]));
    qemu_command_free(&machine->command);
    vm_watch_free(machine->watch);
}
#define _cleanup_machine_ _cleanup_(machine_release)

static int make_channel(int *ours, int *theirs, struct error **err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return error_sys(err, errno, "cannot make a channel to QEMU");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *ours = ends[0];
    *theirs = ends[1];
    return 0;
}

static void take_event(void *context, enum qemu_event event)
{
    struct machine *machine = context;
    switch (event) {
    case QEMU_EVENT_RESET:
        vm_watch_reset(machine->watch);
        break;
    case QEMU_EVENT_SHUTDOWN:
        machine->switched_off = true;
        break;
    case QEMU_EVENT_NO_SPACE:
        machine->out_of_space = true;
        break;
    case QEMU_EVENT_STOP:
        machine->halted = true;
        break;
    }
}

static void take_connections(void *context, const char *list)
{
    struct machine *machine = context;
    vm_watch_connections(machine->watch, list);
}

/* Reads what there is, at most one buffer full. 0: nothing more for now, *fd closed at its end. */
static size_t read_some(int *fd, char *buffer, size_t size)
{
    if (*fd < 0)
        return 0;
    ssize_t n = read(*fd, buffer, size);
    if (n > 0)
        return (size_t)n;
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close(TAKE_FD(*fd));
    return 0;
}

/* Takes one portion from each channel; *ret_any: there was something. */
static int take_portion(struct machine *machine, bool *ret_any, struct error **err)
{
    char buffer[65536];
    size_t console = read_some(&machine->console, buffer, sizeof(buffer));
    if (console > 0) {
        vm_watch_console(machine->watch, buffer, console);
        int r = console_log_write(&machine->log, buffer, console, machine->deadline, err);
        if (r < 0)
            return r;
    }
    size_t monitor = read_some(&machine->monitor, buffer, sizeof(buffer));
    qemu_monitor_feed(&machine->qmp, buffer, monitor, take_event, machine);
    size_t results = read_some(&machine->results, buffer, sizeof(buffer));
    vm_watch_results(machine->watch, buffer, results);
    size_t errors = read_some(&machine->errors, buffer, sizeof(buffer));
    qemu_words_take(&machine->words, buffer, errors);
    *ret_any = console > 0 || monitor > 0 || results > 0 || errors > 0;
    return 0;
}

/* Waits for something to happen, at most until the deadline. */
static int wait_for_news(struct machine *machine, uint64_t deadline, struct error **err)
{
    bool typing = machine->keyboard.count > 0;
    struct pollfd fds[] = {
        {.fd = machine->console, .events = (short)(POLLIN | (typing ? POLLOUT : 0))},
        {.fd = machine->monitor, .events = POLLIN},
        {.fd = machine->results, .events = POLLIN},
        {.fd = machine->errors, .events = POLLIN},
        {.fd = proc_pidfd(machine->proc), .events = POLLIN},
        {.fd = keyboard_fd(&machine->keyboard), .events = POLLIN},
    };
    if (poll(fds, ARRAY_SIZE(fds), deadline_left(deadline)) < 0 && errno != EINTR)
        return error_sys(err, errno, "cannot wait for QEMU");
    machine->ended = fds[4].revents != 0;
    return 0;
}

static void type_keys(struct machine *machine)
{
    struct keyboard *keyboard = &machine->keyboard;
    keyboard_read(keyboard);
    ssize_t n = 0;
    if (machine->console >= 0 && keyboard->count > 0)
        n = send(machine->console, keyboard->keys, keyboard->count, MSG_NOSIGNAL);
    keyboard_drop(keyboard, n > 0 ? (size_t)n : 0);
    if (keyboard->left)
        vm_watch_interrupt(machine->watch);
}

static bool decided(const struct machine *machine)
{
    return vm_watch_verdict(machine->watch) != VERDICT_NONE;
}

/* What the watch wants to be done; *ret_until: when it has to be asked again. */
static int step_watch(struct machine *machine, uint64_t *ret_until, struct error **err)
{
    bool wants_connections;
    uint64_t wait = vm_watch_step(machine->watch, &wants_connections);
    *ret_until = min_u64(machine->deadline, deadline_after(wait));
    if (!wants_connections || machine->monitor < 0 || machine->ended)
        return 0;
    return qemu_monitor_ask_connections(machine->monitor, err);
}

/* See vm_watch_listens(). */
static int hear_last_words(struct machine *machine, struct error **err)
{
    uint64_t limit = min_u64(deadline_after(words_grace_ms), machine->deadline);
    bool any = true;
    int r = 0;
    while (r == 0 && any && !machine->ended && clock_now_ms() < limit) {
        r = wait_for_news(machine, min_u64(limit, deadline_after(words_quiet_ms)), err);
        if (r == 0)
            r = take_portion(machine, &any, err);
    }
    return r;
}

/* Until it is over, the deadline, QEMU's end, or something that keeps the machine from going on. */
static int watch(struct machine *machine, struct error **err)
{
    bool any = false;
    uint64_t until;
    int r = 0;
    while (r == 0 && !vm_watch_over(machine->watch) && clock_now_ms() < machine->deadline) {
        if (!any && (machine->ended || machine->out_of_space || machine->halted))
            break;
        r = step_watch(machine, &until, err);
        if (r == 0 && !any)
            r = wait_for_news(machine, until, err);
        if (r == 0)
            r = take_portion(machine, &any, err);
        type_keys(machine);
    }
    if (r == 0 && vm_watch_listens(machine->watch))
        r = hear_last_words(machine, err);
    return r;
}

/* A guest whose writes are kept has to flush them. Its output meanwhile goes to the log. */
static int power_down(struct machine *machine, struct error **err)
{
    uint64_t limit = min_u64(machine->deadline, deadline_after(power_down_ms));
    report(machine->config->reporter, REPORT_INFO, "Asking the guest to switch itself off");
    int r = qemu_monitor_power_down(machine->monitor, err);
    bool any = false;
    while (r == 0 && (any || !machine->ended) && clock_now_ms() < limit) {
        if (!any)
            r = wait_for_news(machine, limit, err);
        if (r == 0)
            r = take_portion(machine, &any, err);
    }
    if (r == 0 && !machine->switched_off)
        report(machine->config->reporter, REPORT_WARNING,
               "the guest did not switch itself off in time: the image may lack its last writes");
    return r;
}

/* What is left in the channels of a machine that was stopped. */
static int drain(struct machine *machine, struct error **err)
{
    uint64_t limit = deadline_after(stop_grace_ms);
    bool any = true;
    int r = 0;
    while (r == 0 && any && clock_now_ms() < limit)
        r = take_portion(machine, &any, err);
    return r;
}

/* SIGTERM, and after the grace SIGKILL to whatever is left of the process group: also to children
 * of a QEMU that has ended by itself. */
static int stop(struct machine *machine, int *ret_status, struct error **err)
{
    pid_t pid = proc_pid(machine->proc);
    struct pollfd poller = {.fd = proc_pidfd(machine->proc), .events = POLLIN};
    uint64_t limit = deadline_after(stop_grace_ms);
    kill(-pid, SIGTERM);
    while (poll(&poller, 1, deadline_left(limit)) < 0 && errno == EINTR)
        ;
    kill(-pid, SIGKILL);
    return proc_wait(machine->proc, UINT64_MAX, ret_status, err);
}

/* The verdict from the machine's end, where the console gave none. `ended`: by itself. */
static int conclude(struct machine *machine, bool ended, int status, struct error **err)
{
    if (decided(machine))
        return 0;
    if (machine->switched_off) {
        vm_watch_power_off(machine->watch);
        return 0;
    }
    if (machine->out_of_space) {
        error_set(err, ENOSPC, "no space is left for what the guest writes");
        return error_hint(err, "set TMPDIR to a directory with more room");
    }
    if (ended)
        return qemu_words_explain(&machine->words, status, err);
    _cleanup_free_ char *words = qemu_words_printable(&machine->words);
    if (!words)
        return error_oom(err);
    if (machine->halted)
        return error_set(err, EIO, "%s halted the machine (%s)", qemu_program, words);
    return 0;
}

static int fill_result(const struct machine *machine, bool kvm, uint64_t duration_ms,
                       struct vm_result *ret, struct error **err)
{
    int r = vm_watch_fill(machine->watch, ret, err);
    if (r < 0)
        return r;
    ret->engine = qemu_runner.name;
    ret->accelerator = kvm ? "kvm" : "tcg";
    ret->duration_ms = duration_ms;
    ret->console_bytes = machine->log.total;
    return 0;
}

static void report_command(struct reporter *reporter, const struct strv *argv)
{
    _cleanup_str_ struct str line = {0};
    for (size_t i = 0; i < argv->count; i++)
        str_appendf(&line, "%s%s", i ? " " : "", argv->items[i]);
    report(reporter, REPORT_DEBUG, "%s", line.data ? line.data : "");
}

static int start(struct machine *machine, bool kvm, struct error **err)
{
    const struct vm_config *config = machine->config;
    _cleanup_close_ int console = -1, monitor = -1, results = -1, errors = -1;
    int r = make_channel(&machine->console, &console, err);
    if (r == 0)
        r = make_channel(&machine->monitor, &monitor, err);
    if (r == 0 && config->results)
        r = make_channel(&machine->results, &results, err);
    if (r == 0)
        r = make_channel(&machine->errors, &errors, err);
    if (r == 0)
        r = qemu_monitor_greet(machine->monitor, err);
    const struct qemu_channels channels = {console, monitor, results};
    if (r == 0)
        r = qemu_args_build(config, kvm, &channels, &machine->command, err);
    if (r < 0)
        return r;
    report_command(config->reporter, &machine->command.argv);
    const struct proc_options options = {
        .stdin_fd = -1,
        .stdout_fd = -1,
        .argv = (const char *const *)machine->command.argv.items,
        .stderr_fd = errors,
        .fds = machine->command.fds,
        .fd_count = machine->command.fd_count,
    };
    return proc_spawn(&options, &machine->proc, err);
}

static int choose_accelerator(struct reporter *reporter, bool *ret_kvm, struct error **err)
{
    _cleanup_kvm_report_ struct kvm_report kvm = {0};
    int r = kvm_probe(&kvm, err);
    if (r < 0)
        return r;
    *ret_kvm = kvm.health == KVM_HEALTHY;
    report(reporter, REPORT_INFO, "%s: %s", *ret_kvm ? "Running on KVM" : "Emulating, without KVM",
           kvm.reason);
    return 0;
}

static int run(struct machine *machine, bool kvm, struct vm_result *ret, struct error **err)
{
    const struct vm_config *config = machine->config;
    uint64_t began = clock_now_ms();
    machine->deadline = deadline_after(config->timeout_ms);
    machine->qmp.returned = take_connections;
    keyboard_init(&machine->keyboard, config->terminal);
    int r = vm_watch_new(config, &machine->watch, err);
    if (r == 0)
        r = start(machine, kvm, err);
    if (r == 0)
        r = watch(machine, err);
    if (r < 0)
        return r;
    uint64_t duration = clock_now_ms() - began;
    if (config->persist && vm_verdict_good(vm_watch_verdict(machine->watch)) && !machine->ended)
        r = power_down(machine, err);
    bool ended = machine->ended;
    int status = 0;
    if (r == 0)
        r = stop(machine, &status, err);
    if (r == 0)
        r = drain(machine, err);
    if (r == 0)
        r = conclude(machine, ended, status, err);
    if (r < 0)
        return r;
    if (!decided(machine) && !kvm)
        report(config->reporter, REPORT_WARNING,
               "without KVM a boot takes many times longer: it may only need more time");
    return fill_result(machine, kvm, duration, ret, err);
}

static int qemu_run(const struct vm_config *config, struct vm_result *ret, struct error **err)
{
    bool kvm;
    int r = choose_accelerator(config->reporter, &kvm, err);
    if (r < 0)
        return r;
    _cleanup_machine_ struct machine machine = {
        .config = config,
        .console = -1,
        .monitor = -1,
        .results = -1,
        .errors = -1,
        .log = {.fd = config->console_fd,
                .screen = config->terminal ? config->terminal->output : -1},
    };
    return run(&machine, kvm, ret, err);
}

static int qemu_available(const struct vm_config *config, struct error **err)
{
    _cleanup_firmware_ struct firmware firmware = {0};
    if (!proc_found(qemu_program)) {
        error_set(err, ENOENT, "%s is not installed", qemu_program);
        return error_hint(err, "install qemu-system-x86 (Debian, Ubuntu), qemu-system-x86-core "
                               "(Fedora) or qemu-base (Arch)");
    }
    return config->boot == VM_BOOT_UEFI ? firmware_find(&firmware, err) : 0;
}

const struct vm_runner qemu_runner = {
    .name = "qemu",
    .available = qemu_available,
    .run = qemu_run,
};
