/*
 * Virtio devices, whatever the transport: VIRTIO 1.2 §2 and §3. Private to vmm/.
 *
 * A device has a thread of its own, which serves its queues: no processor of the guest ever waits
 * for a disk. `lock` guards everything that the guest can change; the thread holds it while it
 * serves, and the transport while the guest sets the device up or resets it. Nobody who holds it
 * waits for the machine's lock.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vmm/virtio/virtqueue.h"
#include "vmm/worker.h"

enum { VIRTIO_QUEUES_MAX = 12 };

/* Device types, VIRTIO 1.2 §5. */
enum {
    VIRTIO_TYPE_NET = 1,
    VIRTIO_TYPE_BLK = 2,
    VIRTIO_TYPE_CONSOLE = 3,
    VIRTIO_TYPE_RNG = 4,
};

/* VIRTIO 1.2 §2.1. */
enum {
    VIRTIO_STATUS_DRIVER_OK = 4,
    VIRTIO_STATUS_FEATURES_OK = 8,
    VIRTIO_STATUS_NEEDS_RESET = 64,
};

#define VIRTIO_FEATURE(bit) (UINT64_C(1) << (bit))
/* VIRTIO 1.2 §6. */
#define VIRTIO_F_INDIRECT_DESC VIRTIO_FEATURE(28)
#define VIRTIO_F_EVENT_IDX     VIRTIO_FEATURE(29)
#define VIRTIO_F_VERSION_1     VIRTIO_FEATURE(32)

struct virtio_device;

struct virtio_ops {
    const char *name; /* of the thread as well: at most 15 bytes */
    uint16_t type;
    uint8_t pci_class, pci_subclass; /* what it is to PCI */
    /* The guest may have put something into a live queue. Negative: the driver broke the rules.
     * With the lock. */
    int (*serve)(struct virtio_device *device, unsigned queue);
    /* For devices that have more to wait for than the guest: returns when device->kick is readable,
     * or there is work. Without the lock. NULL: the guest alone. */
    void (*wait)(struct virtio_device *device);
    /* That work; after the queues were served. With the lock, on a device that may not be live. */
    void (*work)(struct virtio_device *device);
    /* The guest has reset the device; the queues are reset already. With the lock. May be NULL. */
    void (*reset)(struct virtio_device *device);
    /* Releases what the kind added. May be NULL. */
    void (*free)(struct virtio_device *device);
    /* The system calls that the thread needs beyond what every thread has (confine_thread()). */
    const int *calls;
    size_t call_count;
};

/* What a device tells its transport to do for the guest; with the lock. */
struct virtio_transport {
    /* Something was used in this queue; or, with VIRTIO_CONFIG_CHANGE, look at the status. */
    void (*interrupt)(struct virtio_transport *transport, unsigned queue);
};

enum { VIRTIO_CONFIG_CHANGE = VIRTIO_QUEUES_MAX };

/* Kinds allocate themselves on the heap and embed this as their first member. */
struct virtio_device {
    const struct virtio_ops *ops;
    uint64_t features; /* offered */
    unsigned queue_count;
    const void *config; /* the device's configuration space; never changes */
    size_t config_size;

    pthread_mutex_t lock;
    const struct guest_memory *memory;
    struct virtio_transport *transport;
    struct virtqueue queues[VIRTIO_QUEUES_MAX];
    struct virtq_chain chain; /* the request in work */
    uint64_t driver_features;
    uint8_t status;

    int kick; /* eventfd: the guest has notified */
    struct worker worker;
    int confined; /* what confine_thread() returned; 1: not yet */
    pthread_cond_t confined_changed;
    atomic_bool ending;
};

/* For kinds: after they were allocated zeroed and filled in the first part. On failure the device
 * must still be freed with virtio_device_free(). */
int virtio_device_init(struct virtio_device *device, struct error **err);
/* Ends the thread and frees everything. Accepts NULL. */
void virtio_device_free(struct virtio_device *device);
DEFINE_CLEANUP(struct virtio_device *, virtio_device_free);
#define _cleanup_virtio_device_ _cleanup_(virtio_device_freep)

/* For kinds, with the lock: the driver's agreement to a feature; and an interrupt for the queue, if
 * the driver wants one. */
static inline bool virtio_device_has(const struct virtio_device *device, uint64_t feature)
{
    return (device->driver_features & feature) != 0;
}
void virtio_device_signal(struct virtio_device *device, unsigned queue);
/* The driver is ready and the device is not broken; with the lock. */
bool virtio_device_live(const struct virtio_device *device);

/* For `serve`: takes the requests of a queue, has `request` do each, and gives them back with
 * chain->written. Negative where the driver broke the rules. */
typedef void virtio_request_fn(struct virtio_device *device, struct virtq_chain *chain);
int virtio_device_drain(struct virtio_device *device, unsigned queue, virtio_request_fn *request);

/* For transports. */

/* Starts the thread, with all signals blocked and under seccomp. */
int virtio_device_start(struct virtio_device *device, const struct guest_memory *memory,
                        struct virtio_transport *transport, struct error **err);
/* Ends the thread, if there is one. False: it has not ended by the deadline, and the device must
 * not be freed before another call says otherwise. */
bool virtio_device_stop(struct virtio_device *device, uint64_t deadline);
/* True once the thread is between two rounds; false where the deadline came first. */
bool virtio_device_settle(struct virtio_device *device, uint64_t deadline);

/* What the driver writes into the device's status, 0 for a reset; with the lock. */
void virtio_device_set_status(struct virtio_device *device, uint8_t status);
/* The driver has set the queue's fields; with the lock. */
void virtio_device_enable_queue(struct virtio_device *device, unsigned queue);
/* The driver broke the rules: the device stands still until it is reset; with the lock. */
void virtio_device_break(struct virtio_device *device);
/* One round of the thread: serves all queues, then does other work; with the lock. */
void virtio_device_serve(struct virtio_device *device);
/* Wakes the thread. */
void virtio_device_kick(struct virtio_device *device);
