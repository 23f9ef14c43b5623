/*
 * Rings and requests of a hostile driver: each device serves queues in plain memory, whose every
 * byte is the input's.
 *
 * Input: kind of device, features agreed to, rounds, size of the queues (a power of two); then the
 * memory from address 0 on.
 */

#include "tests/fuzz/virtio_parts.h"

enum { MEMORY = 64 << 10, QUEUE_STRIDE = 512, AVAILABLE_AT = 256, USED_AT = 320, PREFIX = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void interrupt(struct virtio_transport *transport, unsigned queue)
{
    (void)transport;
    if (queue > VIRTIO_CONFIG_CHANGE)
        abort();
}

/* The driver makes more requests available. */
static void bump(uint8_t *memory, unsigned queue, unsigned count)
{
    uint8_t *index = memory + QUEUE_STRIDE * queue + AVAILABLE_AT + 2;
    *index = (uint8_t)(*index + count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *memory;
    if (size < PREFIX)
        return 0;
    if (!memory && posix_memalign((void **)&memory, 4096, MEMORY) != 0)
        abort();
    const struct guest_memory guest = {.regions = {{0, MEMORY, memory}}, .count = 1};
    struct virtio_transport transport = {.interrupt = interrupt};
    struct virtio_device *device = part_new(data[0]);
    size_t count = size - PREFIX < MEMORY ? size - PREFIX : MEMORY;
    memcpy(memory, data + PREFIX, count);
    memset(memory + count, 0, MEMORY - count);

    device->memory = &guest;
    device->transport = &transport;
    device->driver_features = VIRTIO_F_VERSION_1 | (uint64_t)(data[1] & 3) << 28 |
                              (device->features & ((uint64_t)(data[1] >> 2) * 0x0101));
    virtio_device_set_status(device, 1 | 2 | 8);
    for (unsigned i = 0; i < device->queue_count; i++) {
        device->queues[i].size = (uint16_t)(1u << data[3] % 5);
        device->queues[i].descriptors = QUEUE_STRIDE * i;
        device->queues[i].available = QUEUE_STRIDE * i + AVAILABLE_AT;
        device->queues[i].used_ring = QUEUE_STRIDE * i + USED_AT;
        virtio_device_enable_queue(device, i);
    }
    virtio_device_set_status(device, 1 | 2 | 4 | 8);
    for (unsigned round = 0; round <= data[2] % 8u; round++) {
        virtio_device_serve(device);
        for (unsigned i = 0; i < device->queue_count; i++)
            bump(memory, i, data[2] >> 3);
    }
    virtio_device_set_status(device, 0);
    virtio_device_free(device);
    return 0;
}
