#include "vmm/kvm/machine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>

#include "base/checked.h"
#include "base/clock.h"
#include "vmm/kvm/threads.h"
#include "vmm/pc/acpi.h"
#include "vmm/pc/machine_layout.h"
#include "vmm/pc/smbios.h"

enum {
    pci_address_port = 0xcf8,
    post_port = 0x80,    /* written to for a little delay */
    patience_ms = 10000, /* for threads on a host that is very busy */
};

void kvm_machine_look(struct kvm_machine *machine)
{
    uint64_t one = 1;
    if (write(machine->news, &one, sizeof(one)) < 0)
        return; /* it is signalled already */
}

void kvm_machine_end(struct kvm_machine *machine, enum kvm_machine_state state, const char *fmt,
                     ...)
{
    if (machine->state != KVM_MACHINE_RUNNING)
        return;
    machine->state = state;
    va_list args;
    va_start(args, fmt);
    if (vasprintf(&machine->reason, fmt, args) < 0)
        machine->reason = NULL;
    va_end(args);
    kvm_machine_look(machine);
}

static void on_event(void *context, enum machine_event event)
{
    struct kvm_machine *machine = context;
    if (event == MACHINE_POWER_OFF)
        kvm_machine_end(machine, KVM_MACHINE_OFF, "switched off by the guest");
    else
        kvm_machine_end(machine, KVM_MACHINE_RESET, "reset by the guest");
}

static void on_output(void *context, uint8_t byte)
{
    struct kvm_machine *machine = context;
    str_append_n(&machine->output, &byte, 1);
    if (machine->output.length - machine->output_taken == KVM_OUTPUT_MARK / 2)
        kvm_machine_look(machine);
}

static void on_interrupt(void *context, bool raised)
{
    struct kvm_machine *machine = context;
    struct error *cause = NULL;
    if (kvm_vm_set_line(&machine->vm, LAYOUT_SERIAL_IRQ, raised, &cause) < 0)
        kvm_machine_end(machine, KVM_MACHINE_FAILED, "%s", error_message(cause));
    error_free(cause);
}

static const struct serial_ops serial_ops = {.output = on_output, .interrupt = on_interrupt};

static int add_devices(struct kvm_machine *machine, struct error **err)
{
    machine->events = (struct machine_events){.happened = on_event, .context = machine};
    int r = bus_map(&machine->ports, LAYOUT_SERIAL_PORT, SERIAL_PORTS, &serial_bus_ops,
                    &machine->serial, err);
    if (r == 0)
        r = bus_map(&machine->ports, RTC_PORT, RTC_PORTS, &rtc_bus_ops, &machine->rtc, err);
    if (r == 0)
        r = bus_map(&machine->ports, I8042_PORT, 1, &i8042_bus_ops, &machine->events, err);
    if (r == 0)
        r = bus_map(&machine->ports, LAYOUT_PM_PORT, PM_PORTS, &pm_bus_ops, &machine->events, err);
    return r;
}

static void reset_devices(struct kvm_machine *machine)
{
    serial_init(&machine->serial, &serial_ops, machine);
    rtc_init(&machine->rtc);
    free(machine->reason);
    machine->reason = NULL;
    machine->state = KVM_MACHINE_RUNNING;
}

/* The upper part of what the processor addresses, where memory does not reach. */
static struct pci_window window_above(const struct kvm_machine *machine)
{
    const struct guest_memory_region *last = &machine->memory.regions[machine->memory.count - 1];
    uint64_t start = UINT64_C(1) << (kvm_cpuid_address_bits(machine->supported) - 1);
    if (start < UINT64_C(1) << 33 || last->address + last->size > start)
        return (struct pci_window){0};
    return (struct pci_window){.address = start, .size = min_u64(start / 2, UINT64_C(64) << 30)};
}

static int add_pci(struct kvm_machine *machine, struct error **err)
{
    const struct pci_layout layout = {
        .ecam = {LAYOUT_ECAM, LAYOUT_ECAM_SIZE},
        .memory32 = {LAYOUT_MEMORY32, LAYOUT_MEMORY32_SIZE},
        .memory64 = window_above(machine),
        .ports = true,
    };
    return pci_bus_new(&machine->vm.hooks, &layout, &machine->pci, err);
}

/* What the processor can address, and the host has: KVM would take seconds to prepare for more. */
static int check_memory(const struct kvm_machine *machine, struct error **err)
{
    unsigned bits = kvm_cpuid_address_bits(machine->supported);
    uint64_t limit = (UINT64_C(1) << bits) - ((UINT64_C(1) << 32) - GUEST_PCI_HOLE);
    struct sysinfo host;
    if (sysinfo(&host) == 0)
        limit = min_u64(limit, (uint64_t)host.totalram * host.mem_unit);
    if (machine->config.memory <= limit)
        return 0;
    char text[16];
    error_set(err, EINVAL, "--memory exceeds the host's memory");
    return error_hint(err, "%s is the most that --memory can be here", format_size(limit, text));
}

static int check_config(const struct kvm_machine *machine, struct error **err)
{
    const struct kvm_machine_config *config = &machine->config;
    int most = ioctl(config->device, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
    if (most <= 0)
        most = 4; /* Documentation/virt/kvm/api.rst, KVM_CREATE_VCPU */
    if (config->cpus < 1 || config->cpus > min_u64((uint64_t)most, 255)) {
        error_set(err, EINVAL, "a machine cannot have %u processors", config->cpus);
        return error_hint(err, "KVM supports at most %d of them", most < 255 ? most : 255);
    }
    return check_memory(machine, err);
}

static int init_machine(struct kvm_machine *machine, struct error **err)
{
    machine->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (machine->news < 0)
        return error_sys(err, errno, "cannot make an eventfd");
    machine->supported = kvm_cpuid_supported(machine->config.device, err);
    if (!machine->supported)
        return error_wrap(err, "KVM");
    int r = check_config(machine, err);
    if (r == 0)
        r = guest_memory_map(machine->config.memory, machine->config.hugepages, &machine->memory,
                             err);
    if (r < 0)
        return r;
    machine->threads = calloc(machine->config.cpus, sizeof(*machine->threads));
    if (!machine->threads)
        return error_oom(err);
    for (unsigned i = 0; i < machine->config.cpus; i++) {
        machine->threads[i].machine = machine;
        machine->threads[i].cpu.fd = -1;
    }
    machine->vm.hooks.memory = &machine->memory;
    machine->vm.hooks.ports = &machine->ports;
    machine->vm.hooks.mmio = &machine->mmio;
    r = add_devices(machine, err);
    if (r == 0)
        r = kvm_vm_create(&machine->vm, err);
    return r < 0 ? r : add_pci(machine, err);
}

int kvm_machine_new(const struct kvm_machine_config *config, struct kvm_machine **ret,
                    struct error **err)
{
    struct kvm_machine *machine = calloc(1, sizeof(*machine));
    if (!machine)
        return error_oom(err);
    machine->config = *config;
    machine->news = -1;
    pthread_mutex_init(&machine->lock, NULL);
    pthread_cond_init(&machine->room, NULL);
    kvm_vm_init(&machine->vm, config->device);
    int r = init_machine(machine, err);
    if (r < 0)
        kvm_machine_free(machine);
    else
        *ret = machine;
    return r;
}

struct pci_bus *kvm_machine_pci(struct kvm_machine *machine)
{
    return machine->pci;
}

/* Tables and kernel. */
static int load(struct kvm_machine *machine, struct boot_entry *ret, struct error **err)
{
    const struct kvm_machine_config *config = &machine->config;
    struct pci_window window = window_above(machine);
    const struct acpi_config acpi = {.cpus = config->cpus,
                                     .pci = config->pci,
                                     .pci_window = window.address,
                                     .pci_window_size = window.size};
    const struct boot_request boot = {
        .kernel_fd = config->kernel_fd,
        .initrd_fd = config->initrd_fd,
        .command_line = config->command_line,
        .rsdp = LAYOUT_ACPI,
        .pci_configuration = config->pci ? LAYOUT_ECAM : 0,
    };
    int r = boot_load(&machine->memory, &boot, ret, err);
    if (r == 0)
        r = acpi_write(&machine->memory, &acpi, err);
    if (r == 0)
        r = smbios_write(&machine->memory, &config->identity, err);
    return r < 0 ? r : pm_write_reset_code(&machine->memory, err);
}

static int create_cpus(struct kvm_machine *machine, struct error **err)
{
    bool deadline =
        ioctl(machine->config.device, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
    int r = 0;
    for (unsigned i = 0; i < machine->config.cpus && r == 0; i++) {
        const struct kvm_cpuid_place place = {
            .cpu = i, .cpus = machine->config.cpus, .tsc_deadline = deadline};
        r = kvm_cpu_create(&machine->threads[i].cpu, &machine->vm, machine->supported, &place, err);
    }
    return r;
}

/* What only selects what the next access is to reach, or only causes a delay. And the console's
 * data, and while nobody uses interrupts the register that turns them off and on
 * again around each line that a kernel prints. */
static void batch_ports(struct kvm_machine *machine)
{
    (void)kvm_vm_batch_ports(&machine->vm, LAYOUT_SERIAL_PORT, 1);
    machine->batches_ier = kvm_vm_batch_ports(&machine->vm, LAYOUT_SERIAL_PORT + 1, 1);
    (void)kvm_vm_batch_ports(&machine->vm, RTC_PORT, 1);
    (void)kvm_vm_batch_ports(&machine->vm, post_port, 1);
    (void)kvm_vm_batch_ports(&machine->vm, pci_address_port, 4);
}

/* A driver that wants interrupts must not wait for them until somebody looks into the ring. */
void kvm_machine_tune(struct kvm_machine *machine)
{
    if (!machine->batches_ier || machine->serial.ier == 0)
        return;
    machine->batches_ier = false;
    kvm_vm_unbatch_ports(&machine->vm, LAYOUT_SERIAL_PORT + 1, 1);
}

int kvm_machine_start(struct kvm_machine *machine, struct error **err)
{
    struct boot_entry entry;
    reset_devices(machine);
    int r = load(machine, &entry, err);
    if (r == 0)
        r = create_cpus(machine, err);
    if (r == 0)
        r = kvm_cpu_set_entry(&machine->threads[0].cpu, &machine->memory, &entry, err);
    if (r < 0)
        return r;
    batch_ports(machine);
    machine->seen_at = clock_now_ms();
    machine->seen_exits = 0;
    machine->asked = false;
    return kvm_threads_start(machine, err);
}

int kvm_machine_press_power(struct kvm_machine *machine, struct error **err)
{
    int r = kvm_vm_set_line(&machine->vm, LAYOUT_POWER_IRQ, true, err);
    return r < 0 ? r : kvm_vm_set_line(&machine->vm, LAYOUT_POWER_IRQ, false, err);
}

const char *kvm_machine_reason(const struct kvm_machine *machine)
{
    return machine->reason ? machine->reason : "";
}

bool kvm_machine_stop(struct kvm_machine *machine)
{
    return kvm_threads_stop(machine, deadline_after(patience_ms));
}

bool kvm_machine_halt(struct kvm_machine *machine)
{
    if (!machine)
        return true;
    return (!machine->threads || kvm_machine_stop(machine)) &&
           pci_bus_settle(machine->pci, true, deadline_after(patience_ms));
}

static void destroy_cpus(struct kvm_machine *machine)
{
    for (unsigned i = 0; machine->threads && i < machine->config.cpus; i++)
        kvm_cpu_destroy(&machine->threads[i].cpu);
}

/* KVM has no reset: a new machine around the same devices is one, and takes no longer. */
int kvm_machine_restart(struct kvm_machine *machine, struct error **err)
{
    if (!pci_bus_settle(machine->pci, false, deadline_after(patience_ms)))
        return error_set(
            err, ETIMEDOUT,
            "a device's thread does not stop; it may be blocked in an access to its disk");
    pci_bus_reset(machine->pci);
    destroy_cpus(machine);
    kvm_vm_destroy(&machine->vm);
    guest_memory_clear(&machine->memory);
    int r = kvm_vm_create(&machine->vm, err);
    return r < 0 ? r : kvm_machine_start(machine, err);
}

char *kvm_machine_exits(const struct kvm_machine *machine)
{
    static const char *const names[KVM_EXIT_REASONS] = {
        [KVM_EXIT_IO] = "io",           [KVM_EXIT_MMIO] = "mmio",
        [KVM_EXIT_INTR] = "intr",       [KVM_EXIT_SHUTDOWN] = "shutdown",
        [KVM_EXIT_FAIL_ENTRY] = "fail", [KVM_EXIT_INTERNAL_ERROR] = "internal",
    };
    _cleanup_str_ struct str text = {0};
    for (size_t reason = 0; reason < KVM_EXIT_REASONS; reason++) {
        uint64_t count = 0;
        for (unsigned i = 0; i < machine->config.cpus; i++)
            count += machine->threads[i].exits_by[reason];
        if (count == 0)
            continue;
        str_appendf(&text, "%s%s %llu", text.length > 0 ? ", " : "",
                    names[reason] ? names[reason] : "other", (unsigned long long)count);
    }
    return str_take(&text, NULL);
}

char *kvm_machine_registers(const struct kvm_machine *machine, unsigned cpu)
{
    return kvm_cpu_registers(&machine->threads[cpu].cpu);
}

void kvm_machine_free(struct kvm_machine *machine)
{
    if (!machine || !kvm_machine_halt(machine))
        return;
    pci_bus_free(machine->pci);
    destroy_cpus(machine);
    kvm_vm_destroy(&machine->vm);
    guest_memory_unmap(&machine->memory);
    bus_free(&machine->ports);
    bus_free(&machine->mmio);
    str_free(&machine->output);
    if (machine->news >= 0)
        close(machine->news);
    pthread_cond_destroy(&machine->room);
    pthread_mutex_destroy(&machine->lock);
    free(machine->threads);
    free(machine->supported);
    free(machine->reason);
    free(machine);
}
