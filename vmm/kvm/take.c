/* What the owner of a machine does while it runs: reads its output, and detects that it is halted
 * for good. */

#include <poll.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "vmm/kvm/threads.h"

enum {
    hang_ms = 2000,    /* without a sign, before processors are asked */
    patience_ms = 200, /* for a processor that waits for a device */
};

static struct kvm_coalesced_mmio_ring *ring_of(struct kvm_machine *machine)
{
    /* Documentation/virt/kvm/api.rst: the ring is on a page of every processor's mapping. */
    enum { page_size = 4096, ring_page = KVM_COALESCED_MMIO_PAGE_OFFSET };
    const struct kvm_cpu *cpu = &machine->threads[0].cpu;
    if (cpu->run_size < (ring_page + 1) * page_size)
        return NULL;
    return (struct kvm_coalesced_mmio_ring *)((uint8_t *)cpu->run + ring_page * page_size);
}

void kvm_machine_drain(struct kvm_machine *machine)
{
    enum {
        page_size = 4096,
        entries = (page_size - sizeof(struct kvm_coalesced_mmio_ring)) /
                  sizeof(struct kvm_coalesced_mmio),
    };
    struct kvm_coalesced_mmio_ring *ring = ring_of(machine);
    if (!ring)
        return;
    uint32_t first = ring->first;
    while (first != __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE) && first < entries) {
        const struct kvm_coalesced_mmio *access = &ring->coalesced_mmio[first];
        uint64_t value = 0;
        unsigned size = access->len;
        if (size == 1 || size == 2 || size == 4 || size == 8) {
            memcpy(&value, access->data, size);
            bus_write(access->pio ? &machine->ports : &machine->mmio, access->phys_addr, size,
                      value);
        }
        first = (first + 1) % entries;
        __atomic_store_n(&ring->first, first, __ATOMIC_RELEASE);
    }
}

static uint64_t count_exits(const struct kvm_machine *machine)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < machine->config.cpus; i++)
        count += atomic_load_explicit(&machine->threads[i].exits, memory_order_relaxed);
    return count;
}

uint64_t kvm_machine_idle_ms(struct kvm_machine *machine)
{
    return clock_now_ms() - machine->seen_at;
}

/* Detects that nothing happens any more, and checks whether any processor can still be woken. */
static void watch_for_hang(struct kvm_machine *machine)
{
    uint64_t exits = count_exits(machine), now = clock_now_ms();
    if (exits != machine->seen_exits) {
        machine->seen_exits = exits;
        machine->seen_at = now;
        machine->asked = false;
    } else if (!machine->asked && now - machine->seen_at >= hang_ms) {
        machine->asked = true;
        kvm_threads_ask(machine);
    } else if (machine->asked && now - machine->seen_at >= 2 * hang_ms) {
        bool dead = true;
        for (unsigned i = 0; i < machine->config.cpus; i++)
            dead = dead && atomic_load(&machine->threads[i].dead);
        if (dead)
            kvm_machine_end(machine, KVM_MACHINE_HUNG,
                            "every processor is halted with its interrupts off");
        machine->seen_at = now;
        machine->asked = false;
    }
}

static size_t take_output(struct kvm_machine *machine, char *buffer, size_t size)
{
    size_t left = machine->output.length - machine->output_taken;
    size_t count = min_u64(left, size);
    if (count > 0)
        memcpy(buffer, machine->output.data + machine->output_taken, count);
    machine->output_taken += count;
    if (machine->output_taken == machine->output.length)
        machine->output.length = machine->output_taken = 0;
    if (left > KVM_OUTPUT_MARK && left - count <= KVM_OUTPUT_MARK)
        pthread_cond_broadcast(&machine->room);
    return count;
}

size_t kvm_machine_type(struct kvm_machine *machine, const char *keys, size_t count)
{
    if (count == 0 || !worker_lock(&machine->lock, deadline_after(patience_ms)))
        return 0;
    kvm_machine_drain(machine);
    size_t taken = serial_receive(&machine->serial, keys, count);
    pthread_mutex_unlock(&machine->lock);
    return taken;
}

size_t kvm_machine_take(struct kvm_machine *machine, uint64_t timeout_ms, char *buffer, size_t size,
                        enum kvm_machine_state *ret_state)
{
    struct pollfd poller = {.fd = machine->news, .events = POLLIN};
    uint64_t count;
    if (poll(&poller, 1, (int)min_u64(timeout_ms, INT32_MAX)) > 0 &&
        read(machine->news, &count, sizeof(count)) < 0)
        count = 0;
    *ret_state = KVM_MACHINE_RUNNING;
    if (!worker_lock(&machine->lock, deadline_after(patience_ms)))
        return 0;
    kvm_machine_drain(machine);
    kvm_machine_tune(machine);
    serial_remind(&machine->serial);
    if (machine->output.failed)
        kvm_machine_end(machine, KVM_MACHINE_FAILED, "out of memory");
    if (machine->state == KVM_MACHINE_RUNNING)
        watch_for_hang(machine);
    size_t taken = take_output(machine, buffer, size);
    if (taken == 0)
        *ret_state = machine->state;
    else if (machine->state != KVM_MACHINE_RUNNING)
        kvm_machine_look(machine);
    pthread_mutex_unlock(&machine->lock);
    return taken;
}
