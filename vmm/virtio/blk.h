/* A disk: VIRTIO 1.2 §5.2, over any block source. */
#pragma once

#include "image/block.h"
#include "vmm/virtio/device.h"

struct virtio_blk_config {
    const char
        *serial;     /* what the guest finds as the disk's serial number, 20 bytes of it; or "" */
    bool read_only;  /* also where the block is not writable */
    unsigned queues; /* one for each processor; 0 means 1, more than 8 means 8 */
    /* Called on the disk's thread, for the first request that failed by a fault of the host, such
     * as a file system that is full; the guest is told of an I/O error. `error` stays the caller's.
     * May be NULL. */
    void (*failed)(void *context, const struct error *error);
    void *context;
};

/* `block` is then owned by the device (closed on failure too), and used by its thread alone. */
int virtio_blk_new(struct block *block, const struct virtio_blk_config *config,
                   struct virtio_device **ret, struct error **err);
