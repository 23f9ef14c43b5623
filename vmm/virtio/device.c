#include "vmm/virtio/device.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    DRAIN_MAX = 4 * VIRTQ_SIZE_MAX, /* requests that are served with the lock held all the time */
    /* No request waits for its interrupt while more than that is done for others. */
    SIGNAL_REQUESTS = 16,
    SIGNAL_BYTES = 256 << 10,
};

bool virtio_device_live(const struct virtio_device *device)
{
    const uint8_t both = VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_FEATURES_OK;
    return (device->status & both) == both && !(device->status & VIRTIO_STATUS_NEEDS_RESET);
}

int virtio_device_init(struct virtio_device *device, struct error **err)
{
    device->features |= VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC;
    pthread_mutex_init(&device->lock, NULL);
    pthread_cond_init(&device->confined_changed, NULL);
    for (unsigned i = 0; i < device->queue_count; i++)
        virtq_reset(&device->queues[i]);
    device->kick = eventfd(0, EFD_CLOEXEC | (device->ops->wait ? EFD_NONBLOCK : 0));
    if (device->kick < 0)
        return error_sys(err, errno, "%s: cannot make an event descriptor", device->ops->name);
    return 0;
}

void virtio_device_serve(struct virtio_device *device)
{
    for (unsigned i = 0; i < device->queue_count && virtio_device_live(device); i++)
        if (device->queues[i].enabled && device->ops->serve(device, i) < 0)
            virtio_device_break(device);
    if (device->ops->work)
        device->ops->work(device);
}

void virtio_device_free(struct virtio_device *device)
{
    if (!device)
        return;
    virtio_device_stop(device, UINT64_MAX);
    if (device->ops->free)
        device->ops->free(device);
    if (device->kick >= 0)
        close(device->kick);
    pthread_cond_destroy(&device->confined_changed);
    pthread_mutex_destroy(&device->lock);
    free(device);
}

void virtio_device_kick(struct virtio_device *device)
{
    eventfd_write(device->kick, 1);
}

void virtio_device_signal(struct virtio_device *device, unsigned queue)
{
    if (virtio_device_live(device) && device->queues[queue].enabled &&
        virtq_should_signal(&device->queues[queue]))
        device->transport->interrupt(device->transport, queue);
}

int virtio_device_drain(struct virtio_device *device, unsigned index, virtio_request_fn *request)
{
    struct virtqueue *queue = &device->queues[index];
    struct virtq_chain *chain = &device->chain;
    unsigned done = 0;
    uint64_t moved = 0;
    int r;
    do {
        virtq_notify_off(queue);
        while (done < DRAIN_MAX && (r = virtq_pop(queue, chain)) > 0) {
            moved += chain->in_size + chain->out_size;
            request(device, chain);
            virtq_push(queue, chain->head, chain->written);
            if (++done % SIGNAL_REQUESTS == 0 || moved >= SIGNAL_BYTES) {
                virtio_device_signal(device, index);
                moved = 0;
            }
        }
        if (done == DRAIN_MAX) {
            /* Release the lock: a reset of the device may wait for it. */
            virtio_device_kick(device);
            r = 0;
            break;
        }
    } while (r == 0 && virtq_notify_on(queue));
    virtio_device_signal(device, index);
    return r;
}

void virtio_device_break(struct virtio_device *device)
{
    if (device->status & VIRTIO_STATUS_NEEDS_RESET)
        return;
    device->status |= VIRTIO_STATUS_NEEDS_RESET;
    /* VIRTIO 1.2 §2.1.2: not before the driver is ready for it. */
    if (device->status & VIRTIO_STATUS_DRIVER_OK)
        device->transport->interrupt(device->transport, VIRTIO_CONFIG_CHANGE);
}

static void device_reset(struct virtio_device *device)
{
    for (unsigned i = 0; i < device->queue_count; i++)
        virtq_reset(&device->queues[i]);
    device->driver_features = 0;
    device->status = 0;
    if (device->ops->reset)
        device->ops->reset(device);
}

void virtio_device_set_status(struct virtio_device *device, uint8_t status)
{
    if (status == 0) {
        device_reset(device);
        return;
    }
    bool agreed = (device->driver_features & VIRTIO_F_VERSION_1) &&
                  !(device->driver_features & ~device->features);
    if (!agreed)
        status &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
    bool was_live = virtio_device_live(device);
    device->status = status | (device->status & VIRTIO_STATUS_NEEDS_RESET);
    /* Requests may have been made available before. */
    if (!was_live && virtio_device_live(device))
        virtio_device_kick(device);
}

void virtio_device_enable_queue(struct virtio_device *device, unsigned queue)
{
    if (device->queues[queue].enabled)
        return;
    if (virtq_enable(&device->queues[queue], device->memory,
                     virtio_device_has(device, VIRTIO_F_EVENT_IDX),
                     virtio_device_has(device, VIRTIO_F_INDIRECT_DESC)) < 0)
        virtio_device_break(device);
}
