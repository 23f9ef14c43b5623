#include "vmm/kvm/threads.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "vmm/confine.h"

/* Makes KVM_RUN return; the thread's flags state why. */
static int kick_signal(void)
{
    return SIGRTMIN;
}

static void on_kick(int number)
{
    (void)number;
}

static uint64_t load(const void *data, unsigned size)
{
    uint64_t value = 0;
    memcpy(&value, data, size);
    return value;
}

static bool is_bus_size(unsigned size)
{
    return size == 1 || size == 2 || size == 4 || size == 8;
}

static void handle_ports(struct kvm_machine *machine, struct kvm_run *run)
{
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
        if (run->io.direction == KVM_EXIT_IO_OUT) {
            bus_write(&machine->ports, run->io.port, run->io.size, load(data, run->io.size));
            continue;
        }
        uint64_t value = bus_read(&machine->ports, run->io.port, run->io.size);
        memcpy(data, &value, run->io.size);
    }
}

/* An access across pages arrives in parts of any length: no device wants these. */
static void handle_mmio(struct kvm_machine *machine, struct kvm_run *run)
{
    unsigned size = run->mmio.len;
    uint64_t value = UINT64_MAX;
    if (run->mmio.is_write) {
        if (is_bus_size(size))
            bus_write(&machine->mmio, run->mmio.phys_addr, size, load(run->mmio.data, size));
        return;
    }
    if (is_bus_size(size))
        value = bus_read(&machine->mmio, run->mmio.phys_addr, size);
    memcpy(run->mmio.data, &value, size <= sizeof(value) ? size : sizeof(value));
}

/* A guest that prints faster than it is read has to wait. */
static void wait_for_room(struct kvm_machine *machine)
{
    while (machine->output.length - machine->output_taken > KVM_OUTPUT_MARK &&
           !atomic_load(&machine->stopping))
        pthread_cond_wait(&machine->room, &machine->lock);
}

static void end_by_fault(struct kvm_thread *thread, const struct kvm_run *run)
{
    struct kvm_machine *machine = thread->machine;
    _cleanup_free_ char *registers = kvm_cpu_registers(&thread->cpu);
    const char *text = registers ? registers : "";
    unsigned index = thread->cpu.index;
    if (run->exit_reason == KVM_EXIT_SHUTDOWN)
        kvm_machine_end(machine, KVM_MACHINE_TRIPLE_FAULT, "triple fault of processor %u: %s",
                        index,
                        kvm_cpu_was_reset(&thread->cpu)
                            ? "its registers are lost (AMD processors do not keep them)"
                            : text);
    else if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
        kvm_machine_end(machine, KVM_MACHINE_TRIPLE_FAULT,
                        "processor %u cannot enter the guest (hardware reason 0x%llx): %s", index,
                        (unsigned long long)run->fail_entry.hardware_entry_failure_reason, text);
    else if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
        kvm_machine_end(machine, KVM_MACHINE_TRIPLE_FAULT,
                        "KVM cannot go on with processor %u (internal error %u): %s", index,
                        run->internal.suberror, text);
    else
        kvm_machine_end(machine, KVM_MACHINE_FAILED,
                        "KVM stopped processor %u for a reason unknown here (%u): %s", index,
                        run->exit_reason, text);
}

/* Returns false when the processor is not to go on. */
static bool handle_exit(struct kvm_thread *thread)
{
    struct kvm_machine *machine = thread->machine;
    struct kvm_run *run = thread->cpu.run;
    uint32_t reason = run->exit_reason;
    thread->exits_by[reason < KVM_EXIT_REASONS ? reason : 0]++;
    atomic_fetch_add_explicit(&thread->exits, 1, memory_order_relaxed);
    if (reason == KVM_EXIT_INTR)
        return true;
    pthread_mutex_lock(&machine->lock);
    kvm_machine_drain(machine);
    if (reason == KVM_EXIT_IO)
        handle_ports(machine, run);
    else if (reason == KVM_EXIT_MMIO)
        handle_mmio(machine, run);
    else
        end_by_fault(thread, run);
    kvm_machine_tune(machine);
    wait_for_room(machine);
    bool going = machine->state == KVM_MACHINE_RUNNING;
    pthread_mutex_unlock(&machine->lock);
    return going;
}

/* KVM_RUN came back without having handed over. */
static bool handle_failure(struct kvm_thread *thread, int errnum)
{
    struct kvm_machine *machine = thread->machine;
    if (errnum == EINTR || errnum == EAGAIN) {
        /* Before the look at `stopping`, which is set before this. */
        __atomic_store_n(&thread->cpu.run->immediate_exit, 0, __ATOMIC_SEQ_CST);
        if (atomic_exchange(&thread->asked, false))
            atomic_store(&thread->dead, kvm_cpu_is_dead(&thread->cpu));
        return true;
    }
    _cleanup_free_ char *registers = kvm_cpu_registers(&thread->cpu);
    pthread_mutex_lock(&machine->lock);
    kvm_machine_end(machine, KVM_MACHINE_FAILED, "KVM cannot run processor %u: %s (%s)",
                    thread->cpu.index, strerror(errnum), registers ? registers : "");
    pthread_mutex_unlock(&machine->lock);
    return false;
}

static void thread_main(void *opaque)
{
    static const int calls[] = {SYS_ioctl};
    struct kvm_thread *thread = opaque;
    struct kvm_machine *machine = thread->machine;
    struct error *cause = NULL;
    bool going = true;
    if (confine_thread(calls, ARRAY_SIZE(calls), &cause) < 0) {
        pthread_mutex_lock(&machine->lock);
        kvm_machine_end(machine, KVM_MACHINE_FAILED, "%s", error_message(cause));
        pthread_mutex_unlock(&machine->lock);
        error_free(cause);
        return;
    }
    while (going && !atomic_load(&machine->stopping))
        going = ioctl(thread->cpu.fd, KVM_RUN, 0) < 0 ? handle_failure(thread, errno)
                                                      : handle_exit(thread);
}

static int start_thread(struct kvm_thread *thread, struct error **err)
{
    char name[16];
    snprintf(name, sizeof(name), "processor %u", thread->cpu.index);
    return worker_start(&thread->worker, name, kick_signal(), thread_main, thread, err);
}

int kvm_threads_start(struct kvm_machine *machine, struct error **err)
{
    const struct sigaction action = {.sa_handler = on_kick};
    if (sigaction(kick_signal(), &action, NULL) < 0)
        return error_sys(err, errno, "cannot prepare for stopping processors");
    int r = 0;
    for (unsigned i = 0; i < machine->config.cpus && r == 0; i++)
        r = start_thread(&machine->threads[i], err);
    if (r < 0)
        (void)kvm_threads_stop(machine, UINT64_MAX);
    return r;
}

/* Between a thread's look at its flags and KVM_RUN the signal alone would get lost. */
static void kick(struct kvm_thread *thread)
{
    __atomic_store_n(&thread->cpu.run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    worker_kick(&thread->worker, kick_signal());
}

bool kvm_threads_stop(struct kvm_machine *machine, uint64_t deadline)
{
    /* A processor that waits for a device has the lock. */
    atomic_store(&machine->stopping, true);
    if (!worker_lock(&machine->lock, deadline))
        return false;
    pthread_cond_broadcast(&machine->room);
    pthread_mutex_unlock(&machine->lock);
    bool stopped = true;
    for (unsigned i = 0; i < machine->config.cpus; i++)
        if (machine->threads[i].worker.started)
            kick(&machine->threads[i]);
    for (unsigned i = 0; i < machine->config.cpus; i++) {
        struct kvm_thread *thread = &machine->threads[i];
        if (!worker_join(&thread->worker, deadline))
            stopped = false;
        else if (thread->cpu.run)
            thread->cpu.run->immediate_exit = 0;
    }
    if (stopped)
        atomic_store(&machine->stopping, false);
    return stopped;
}

void kvm_threads_ask(struct kvm_machine *machine)
{
    for (unsigned i = 0; i < machine->config.cpus; i++) {
        struct kvm_thread *thread = &machine->threads[i];
        atomic_store(&thread->dead, false);
        atomic_store(&thread->asked, true);
        kick(thread);
    }
}
