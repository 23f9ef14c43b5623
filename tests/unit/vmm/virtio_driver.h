/* The guest's side of a virtio device on PCI, found and set up as a kernel does it. */
#pragma once

#include <endian.h>

#include "tests/unit/vmm/fake_machine.h"
#include "vmm/virtio/pci.h"

enum {
    DRIVER_QUEUES = 12,
    DRIVER_QUEUE_SIZE = 16,
    DRIVER_MESSAGE = 0x4000, /* of the first slot's vector 0; see driver_message() */
};

/* Where a driver keeps its things in the guest's memory. */
#define DRIVER_RINGS   UINT64_C(0x10000)
#define DRIVER_BUFFERS UINT64_C(0x100000)

struct driver_queue {
    uint64_t descriptors, available, used;
    uint16_t free; /* the next descriptor to use; tests do not run out of them */
    uint16_t added, taken;
};

struct driver {
    struct fake_machine *machine;
    unsigned slot;
    uint64_t bar;
    uint32_t common, notify, isr, config, notify_step, access;
    unsigned msix;
    struct driver_queue queues[DRIVER_QUEUES];
    unsigned queue_count;
    bool event_idx;
};

/* One buffer of a request. */
struct driver_part {
    uint64_t address;
    uint32_t length;
    bool write; /* by the device */
};

/* The data of a vector's message. */
static inline uint32_t driver_message(const struct driver *d, unsigned vector)
{
    return DRIVER_MESSAGE + 0x100 * (d->slot - 1) + vector;
}

static inline void *driver_memory(const struct driver *d, uint64_t address, uint64_t length)
{
    void *at = guest_memory_at(&d->machine->memory, address, length);
    assert_non_null(at);
    return at;
}

static inline uint64_t driver_read(const struct driver *d, uint32_t offset, unsigned size)
{
    return bus_read(&d->machine->mmio, d->bar + offset, size);
}

static inline void driver_write(const struct driver *d, uint32_t offset, unsigned size,
                                uint64_t value)
{
    bus_write(&d->machine->mmio, d->bar + offset, size, value);
}

/* Walks the capabilities of the device in `slot`, enables its memory and MSI-X. */
static inline void driver_find(struct driver *d, struct fake_machine *machine, unsigned slot)
{
    *d = (struct driver){.machine = machine, .slot = slot};
    assert_int_equal(fake_config_read(machine, slot, 0, 2), 0x1af4);
    d->bar = fake_config_read(machine, slot, 0x10, 4) & ~UINT64_C(0xf);
    d->bar |= fake_config_read(machine, slot, 0x14, 4) << 32;
    unsigned steps = 0;
    for (unsigned at = (unsigned)fake_config_read(machine, slot, 0x34, 1); at != 0;
         at = (unsigned)fake_config_read(machine, slot, at + 1, 1)) {
        assert_true(++steps < 16);
        unsigned id = (unsigned)fake_config_read(machine, slot, at, 1);
        uint32_t offset = (uint32_t)fake_config_read(machine, slot, at + 8, 4);
        if (id == 0x11)
            d->msix = at;
        if (id != 0x09)
            continue;
        switch (fake_config_read(machine, slot, at + 3, 1)) {
        case 1:
            d->common = offset;
            break;
        case 2:
            d->notify = offset;
            d->notify_step = (uint32_t)fake_config_read(machine, slot, at + 16, 4);
            break;
        case 3:
            d->isr = offset;
            break;
        case 4:
            d->config = offset;
            break;
        case 5:
            d->access = at;
            break;
        default:
            fail_msg("an unknown capability");
        }
    }
    fake_config_write(machine, slot, 0x04, 2, 6);
    fake_config_write(machine, slot, d->msix + 2, 2, 0x8000);
    d->queue_count = (unsigned)driver_read(d, d->common + 18, 2);
    assert_in_range(d->queue_count, 1, DRIVER_QUEUES);
}

static inline void driver_set_vector(const struct driver *d, unsigned vector)
{
    uint32_t table = (uint32_t)fake_config_read(d->machine, d->slot, d->msix + 4, 4);
    driver_write(d, table + 16 * vector, 4, 0xfee00000);
    driver_write(d, table + 16 * vector + 4, 4, 0);
    driver_write(d, table + 16 * vector + 8, 4, driver_message(d, vector));
    driver_write(d, table + 16 * vector + 12, 4, 0);
}

static inline uint64_t driver_offered(const struct driver *d)
{
    driver_write(d, d->common, 4, 1);
    uint64_t high = driver_read(d, d->common + 4, 4);
    driver_write(d, d->common, 4, 0);
    return high << 32 | driver_read(d, d->common + 4, 4);
}

/* Until FEATURES_OK; true when the device agrees. */
static inline bool driver_negotiate(struct driver *d, uint64_t features)
{
    driver_write(d, d->common + 20, 1, 0);
    driver_write(d, d->common + 20, 1, 1 | 2);
    driver_write(d, d->common + 8, 4, 0);
    driver_write(d, d->common + 12, 4, (uint32_t)features);
    driver_write(d, d->common + 8, 4, 1);
    driver_write(d, d->common + 12, 4, features >> 32);
    driver_write(d, d->common + 20, 1, 1 | 2 | 8);
    d->event_idx = features & VIRTIO_F_EVENT_IDX;
    return driver_read(d, d->common + 20, 1) & 8;
}

static inline void driver_add_queue(struct driver *d, unsigned index)
{
    struct driver_queue *queue = &d->queues[index];
    uint64_t base = DRIVER_RINGS + 0x4000 * (uint64_t)(index + 16 * d->slot);
    *queue = (struct driver_queue){
        .descriptors = base, .available = base + 0x1000, .used = base + 0x2000};
    memset(driver_memory(d, base, 0x3000), 0, 0x3000);
    driver_set_vector(d, index + 1);
    driver_write(d, d->common + 22, 2, index);
    driver_write(d, d->common + 24, 2, DRIVER_QUEUE_SIZE);
    driver_write(d, d->common + 26, 2, index + 1);
    driver_write(d, d->common + 32, 4, queue->descriptors);
    driver_write(d, d->common + 36, 4, 0);
    driver_write(d, d->common + 40, 8, queue->available);
    driver_write(d, d->common + 48, 8, queue->used);
    driver_write(d, d->common + 28, 2, 1);
}

/* All of it, with all queues and the features among `wanted` that are offered. */
static inline void driver_start(struct driver *d, struct fake_machine *machine, unsigned slot,
                                uint64_t wanted)
{
    driver_find(d, machine, slot);
    assert_true(driver_negotiate(d, (driver_offered(d) & wanted) | VIRTIO_F_VERSION_1));
    driver_set_vector(d, 0);
    driver_write(d, d->common + 16, 2, 0);
    for (unsigned i = 0; i < d->queue_count; i++)
        driver_add_queue(d, i);
    driver_write(d, d->common + 20, 1, 1 | 2 | 4 | 8);
}

static inline uint16_t *driver_ring(const struct driver *d, uint64_t ring, unsigned offset)
{
    return driver_memory(d, ring + offset, 2);
}

static inline void driver_put_descriptor(const struct driver *d, uint64_t at, uint64_t address,
                                         uint32_t length, uint16_t flags, uint16_t next)
{
    uint8_t *bytes = driver_memory(d, at, 16);
    address = htole64(address);
    length = htole32(length);
    flags = htole16(flags);
    next = htole16(next);
    memcpy(bytes, &address, 8);
    memcpy(bytes + 8, &length, 4);
    memcpy(bytes + 12, &flags, 2);
    memcpy(bytes + 14, &next, 2);
}

/* Makes the chain that begins at this descriptor available. */
static inline void driver_publish(struct driver *d, unsigned index, uint16_t head)
{
    struct driver_queue *queue = &d->queues[index];
    __atomic_store_n(driver_ring(d, queue->available, 4 + 2u * (queue->added % DRIVER_QUEUE_SIZE)),
                     htole16(head), __ATOMIC_RELAXED);
    queue->added++;
    __atomic_store_n(driver_ring(d, queue->available, 2), htole16(queue->added), __ATOMIC_RELEASE);
}

/* Adds a request of several buffers; returns its head. */
static inline uint16_t driver_add(struct driver *d, unsigned index, const struct driver_part *parts,
                                  size_t count)
{
    struct driver_queue *queue = &d->queues[index];
    uint16_t head = queue->free;
    for (size_t i = 0; i < count; i++) {
        uint16_t at = queue->free, next = (uint16_t)((at + 1) % DRIVER_QUEUE_SIZE);
        uint16_t flags = (uint16_t)((parts[i].write ? 2 : 0) | (i + 1 < count ? 1 : 0));
        driver_put_descriptor(d, queue->descriptors + 16u * at, parts[i].address, parts[i].length,
                              flags, next);
        queue->free = next;
    }
    driver_publish(d, index, head);
    return head;
}

static inline void driver_kick(struct driver *d, unsigned index)
{
    fake_write(d->machine, d->bar + d->notify + (uint64_t)d->notify_step * index, 2, index);
}

/* The next request that the device gives back. Waits for its interrupt; false: none came. */
static inline bool driver_wait(struct driver *d, unsigned index, uint32_t *ret_head,
                               uint32_t *ret_length)
{
    struct driver_queue *queue = &d->queues[index];
    const uint16_t *used_index = driver_ring(d, queue->used, 2);
    while (le16toh(__atomic_load_n(used_index, __ATOMIC_ACQUIRE)) == queue->taken)
        if (!fake_interrupted(d->machine, driver_message(d, index + 1), 60000))
            return false;
    const uint8_t *element =
        driver_memory(d, queue->used + 4 + 8u * (queue->taken % DRIVER_QUEUE_SIZE), 8);
    memcpy(ret_head, element, 4);
    memcpy(ret_length, element + 4, 4);
    *ret_head = le32toh(*ret_head);
    *ret_length = le32toh(*ret_length);
    queue->taken++;
    /* With event indexes: the next one is of interest too. */
    __atomic_store_n(driver_ring(d, queue->available, 4 + 2 * DRIVER_QUEUE_SIZE),
                     htole16(queue->taken), __ATOMIC_SEQ_CST);
    return true;
}

/* One request from beginning to end; returns how many bytes the device says it wrote. */
static inline uint32_t driver_request(struct driver *d, unsigned index,
                                      const struct driver_part *parts, size_t count)
{
    uint32_t head = UINT32_MAX, length = 0;
    uint16_t expected = driver_add(d, index, parts, count);
    driver_kick(d, index);
    assert_true(driver_wait(d, index, &head, &length));
    assert_int_equal(head, expected);
    return length;
}

static inline uint8_t driver_status(const struct driver *d)
{
    return (uint8_t)driver_read(d, d->common + 20, 1);
}
