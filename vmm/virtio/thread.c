/* The thread of a virtio device. */

#include <errno.h>
#include <unistd.h>

#include "vmm/confine.h"
#include "vmm/virtio/device.h"

static void device_main(void *argument)
{
    struct virtio_device *device = argument;
    int r = confine_thread(device->ops->calls, device->ops->call_count, NULL);
    pthread_mutex_lock(&device->lock);
    device->confined = r;
    pthread_cond_signal(&device->confined_changed);
    pthread_mutex_unlock(&device->lock);
    while (r == 0) {
        uint64_t kicks;
        if (device->ops->wait)
            device->ops->wait(device);
        /* A kick that comes after this is for the next round. */
        if (read(device->kick, &kicks, sizeof(kicks)) < 0 && errno != EINTR && errno != EAGAIN)
            return;
        if (atomic_load(&device->ending))
            return;
        pthread_mutex_lock(&device->lock);
        virtio_device_serve(device);
        pthread_mutex_unlock(&device->lock);
    }
}

int virtio_device_start(struct virtio_device *device, const struct guest_memory *memory,
                        struct virtio_transport *transport, struct error **err)
{
    device->confined = 1;
    device->memory = memory;
    device->transport = transport;
    int r = worker_start(&device->worker, device->ops->name, 0, device_main, device, err);
    if (r < 0)
        return r;
    pthread_mutex_lock(&device->lock);
    while (device->confined > 0)
        pthread_cond_wait(&device->confined_changed, &device->lock);
    r = device->confined;
    pthread_mutex_unlock(&device->lock);
    if (r < 0)
        return error_sys(err, -r, "%s: cannot take system calls from the thread",
                         device->ops->name);
    return 0;
}

bool virtio_device_stop(struct virtio_device *device, uint64_t deadline)
{
    if (!device->worker.started)
        return true;
    atomic_store(&device->ending, true);
    virtio_device_kick(device);
    return worker_join(&device->worker, deadline);
}

bool virtio_device_settle(struct virtio_device *device, uint64_t deadline)
{
    if (!worker_lock(&device->lock, deadline))
        return false;
    pthread_mutex_unlock(&device->lock);
    return true;
}
