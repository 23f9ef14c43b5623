#include "vmm/kvm/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/pc/machine_layout.h"

enum {
    pic_pins = 8,
    io_apic_pins = 24,
    first_message_gsi = io_apic_pins,
    max_messages = 1024,
    fixed_routes = 2 * pic_pins + io_apic_pins,
};

static struct kvm_vm *vm_of(struct machine_hooks *hooks)
{
    return (struct kvm_vm *)hooks;
}

static int set_doorbell(struct kvm_vm *vm, uint64_t address, int eventfd, uint32_t flags)
{
    struct kvm_ioeventfd doorbell = {.addr = address, .fd = eventfd, .flags = flags};
    return ioctl(vm->fd, KVM_IOEVENTFD, &doorbell) < 0 ? -errno : 0;
}

static int doorbell_add(struct machine_hooks *hooks, uint64_t address, int eventfd,
                        struct error **err)
{
    int r = set_doorbell(vm_of(hooks), address, eventfd, 0);
    return r < 0 ? error_sys(err, -r, "KVM_IOEVENTFD failed for the address 0x%llx",
                             (unsigned long long)address)
                 : 0;
}

static void doorbell_remove(struct machine_hooks *hooks, uint64_t address, int eventfd)
{
    if (vm_of(hooks)->fd >= 0)
        (void)set_doorbell(vm_of(hooks), address, eventfd, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

static struct kvm_message *find_message(struct kvm_vm *vm, int eventfd)
{
    for (size_t i = 0; i < vm->message_count; i++)
        if (vm->messages[i].eventfd == eventfd)
            return &vm->messages[i];
    return NULL;
}

static struct kvm_irq_routing_entry wire(uint32_t gsi, uint32_t chip, uint32_t pin)
{
    return (struct kvm_irq_routing_entry){
        .gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = {.irqchip = chip, .pin = pin}};
}

/* KVM takes all routes at once: those that it had in the beginning, and the messages. */
static int set_routes(struct kvm_vm *vm, struct error **err)
{
    size_t count = 0;
    struct kvm_irq_routing *routing = calloc(
        1, sizeof(*routing) + (fixed_routes + vm->message_count) * sizeof(routing->entries[0]));
    if (!routing)
        return error_oom(err);
    for (uint32_t i = 0; i < pic_pins; i++) {
        routing->entries[count++] = wire(i, KVM_IRQCHIP_PIC_MASTER, i);
        routing->entries[count++] = wire(pic_pins + i, KVM_IRQCHIP_PIC_SLAVE, i);
    }
    for (uint32_t i = 0; i < io_apic_pins; i++)
        routing->entries[count++] = wire(i, KVM_IRQCHIP_IOAPIC, i);
    for (size_t i = 0; i < vm->message_count; i++) {
        const struct kvm_message *message = &vm->messages[i];
        routing->entries[count++] = (struct kvm_irq_routing_entry){
            .gsi = message->gsi,
            .type = KVM_IRQ_ROUTING_MSI,
            .u.msi = {.address_lo = (uint32_t)message->address,
                      .address_hi = (uint32_t)(message->address >> 32),
                      .data = message->data}};
    }
    routing->nr = (uint32_t)count;
    int r = ioctl(vm->fd, KVM_SET_GSI_ROUTING, routing) < 0
                ? error_sys(err, errno, "KVM_SET_GSI_ROUTING failed")
                : 0;
    free(routing);
    return r;
}

static int set_irqfd(struct kvm_vm *vm, const struct kvm_message *message, uint32_t flags)
{
    struct kvm_irqfd irqfd = {
        .fd = (uint32_t)message->eventfd, .gsi = message->gsi, .flags = flags};
    return ioctl(vm->fd, KVM_IRQFD, &irqfd) < 0 ? -errno : 0;
}

static uint32_t free_gsi(const struct kvm_vm *vm)
{
    uint32_t gsi = first_message_gsi;
    for (size_t i = 0; i < vm->message_count; i++)
        if (vm->messages[i].gsi == gsi) {
            gsi++;
            i = (size_t)-1;
        }
    return gsi;
}

static void forget_message(struct kvm_vm *vm, struct kvm_message *message)
{
    *message = vm->messages[--vm->message_count];
}

static int add_message(struct kvm_vm *vm, int eventfd, uint64_t address, uint32_t data,
                       struct error **err)
{
    if (vm->message_count == max_messages)
        return error_set(err, ENOSPC, "the machine's devices use too many interrupts");
    struct kvm_message *messages =
        reallocarray(vm->messages, vm->message_count + 1, sizeof(*messages));
    if (!messages)
        return error_oom(err);
    vm->messages = messages;
    struct kvm_message *message = &messages[vm->message_count];
    *message = (struct kvm_message){
        .eventfd = eventfd, .gsi = free_gsi(vm), .address = address, .data = data};
    vm->message_count++;
    int r = set_routes(vm, err);
    if (r == 0 && (r = set_irqfd(vm, message, 0)) < 0)
        error_sys(err, -r, "KVM_IRQFD failed for a device");
    if (r < 0)
        forget_message(vm, message);
    return r;
}

static int msi_set(struct machine_hooks *hooks, int eventfd, uint64_t address, uint32_t data,
                   struct error **err)
{
    struct kvm_vm *vm = vm_of(hooks);
    struct kvm_message *message = find_message(vm, eventfd);
    if (!message)
        return add_message(vm, eventfd, address, data, err);
    if (message->address == address && message->data == data)
        return 0;
    message->address = address;
    message->data = data;
    return set_routes(vm, err);
}

/* The route stays until the next change: nothing uses it. */
static void msi_clear(struct machine_hooks *hooks, int eventfd)
{
    struct kvm_vm *vm = vm_of(hooks);
    struct kvm_message *message = find_message(vm, eventfd);
    if (!message)
        return;
    if (vm->fd >= 0)
        (void)set_irqfd(vm, message, KVM_IRQFD_FLAG_DEASSIGN);
    forget_message(vm, message);
}

void kvm_vm_init(struct kvm_vm *vm, int device)
{
    *vm = (struct kvm_vm){
        .hooks = {.doorbell_add = doorbell_add,
                  .doorbell_remove = doorbell_remove,
                  .msi_set = msi_set,
                  .msi_clear = msi_clear},
        .device = device,
        .fd = -1,
    };
}

static int add_memory(struct kvm_vm *vm, struct error **err)
{
    const struct guest_memory *memory = vm->hooks.memory;
    for (uint32_t i = 0; i < memory->count; i++) {
        struct kvm_userspace_memory_region region = {
            .slot = i,
            .guest_phys_addr = memory->regions[i].address,
            .memory_size = memory->regions[i].size,
            .userspace_addr = (uintptr_t)memory->regions[i].host,
        };
        if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0) {
            error_sys(err, errno, "KVM_SET_USER_MEMORY_REGION failed");
            return error_hint(err, "give the machine less --memory");
        }
    }
    return 0;
}

/* Intel processors need pages for real mode that the guest does not use; AMD ignores them. */
static int add_controllers(struct kvm_vm *vm, struct error **err)
{
    uint64_t identity_map = LAYOUT_IDENTITY_MAP;
    struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
    if (ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0 ||
        ioctl(vm->fd, KVM_SET_TSS_ADDR, (unsigned long)LAYOUT_TSS) < 0)
        return error_sys(err, errno, "KVM_SET_TSS_ADDR or KVM_SET_IDENTITY_MAP_ADDR failed");
    if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) < 0)
        return error_sys(err, errno, "KVM_CREATE_IRQCHIP failed");
    if (ioctl(vm->fd, KVM_CREATE_PIT2, &pit) < 0)
        return error_sys(err, errno, "KVM_CREATE_PIT2 failed");
    return 0;
}

int kvm_vm_create(struct kvm_vm *vm, struct error **err)
{
    /* A signal that arrives meanwhile is no reason to give up. */
    do
        vm->fd = ioctl(vm->device, KVM_CREATE_VM, 0);
    while (vm->fd < 0 && errno == EINTR);
    if (vm->fd < 0)
        return error_sys(err, errno, "KVM_CREATE_VM failed");
    int r = add_controllers(vm, err);
    if (r == 0)
        r = add_memory(vm, err);
    if (r < 0)
        kvm_vm_destroy(vm);
    return r;
}

void kvm_vm_destroy(struct kvm_vm *vm)
{
    if (vm->fd >= 0)
        close(TAKE_FD(vm->fd));
    free(vm->messages);
    vm->messages = NULL;
    vm->message_count = 0;
}

int kvm_vm_set_line(struct kvm_vm *vm, unsigned gsi, bool raised, struct error **err)
{
    struct kvm_irq_level level = {.irq = gsi, .level = raised};
    if (ioctl(vm->fd, KVM_IRQ_LINE, &level) < 0)
        return error_sys(err, errno, "KVM_IRQ_LINE failed for interrupt %u", gsi);
    return 0;
}

static bool set_zone(struct kvm_vm *vm, unsigned long request, uint16_t port, uint16_t count)
{
    struct kvm_coalesced_mmio_zone zone = {.addr = port, .size = count, .pio = 1};
    return ioctl(vm->fd, request, &zone) == 0;
}

bool kvm_vm_batch_ports(struct kvm_vm *vm, uint16_t port, uint16_t count)
{
    return ioctl(vm->device, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_PIO) > 0 &&
           set_zone(vm, KVM_REGISTER_COALESCED_MMIO, port, count);
}

void kvm_vm_unbatch_ports(struct kvm_vm *vm, uint16_t port, uint16_t count)
{
    (void)set_zone(vm, KVM_UNREGISTER_COALESCED_MMIO, port, count);
}
