#include "vmm/virtio/rng.h"

#include <sys/random.h>

#include "base/checked.h"

/* A request gets at most so much: what is not filled is not used. */
enum { REQUEST_MAX = 4096 };

static void rng_request(struct virtio_device *device, struct virtq_chain *chain)
{
    (void)device;
    uint8_t bytes[REQUEST_MAX];
    ssize_t got = getrandom(bytes, (size_t)min_u64(chain->in_size, sizeof(bytes)), 0);
    if (got > 0)
        virtq_write(chain, bytes, (size_t)got);
}

static int rng_serve(struct virtio_device *device, unsigned queue)
{
    return virtio_device_drain(device, queue, rng_request);
}

static const struct virtio_ops rng_ops = {
    .name = "virtio-rng",
    .type = VIRTIO_TYPE_RNG,
    .pci_class = 0xff, /* none of the others */
    .serve = rng_serve,
};

int virtio_rng_new(struct virtio_device **ret, struct error **err)
{
    struct virtio_device *device = calloc(1, sizeof(*device));
    if (!device)
        return error_oom(err);
    device->ops = &rng_ops;
    device->queue_count = 1;
    int r = virtio_device_init(device, err);
    if (r < 0)
        virtio_device_free(device);
    else
        *ret = device;
    return r;
}
