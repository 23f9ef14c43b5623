/*
 * The device's side of a split virtqueue: VIRTIO 1.2 §2.7, with indirect descriptors and event
 * indexes. The driver is a stranger: whatever it writes into the rings, nothing is reached but its
 * own memory, through guest_memory_at(), and every descriptor is copied before it is looked at.
 * Private to vmm/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vmm/pc/guest_memory.h"

enum {
    VIRTQ_SIZE_MAX = 256,
    VIRTQ_CHAIN_MAX = 256, /* buffers of one request */
};

/* Zero-initialise, then virtq_reset(). The driver's choices are taken by virtq_enable(). */
struct virtqueue {
    uint64_t descriptors, available, used_ring; /* addresses in the guest */
    uint16_t size;
    bool enabled;

    const struct guest_memory *memory;
    bool event_idx, indirect;
    const uint8_t *table; /* the three parts as the host sees them */
    uint8_t *avail, *used;
    uint16_t next_avail; /* the next entry of the available ring to take */
    uint16_t next_used;  /* the next entry of the used ring to fill */
    uint16_t signalled;  /* next_used when the driver was last asked for */
};

/* One request: the buffers to read, then those to write, with neighbours in memory joined. */
struct virtq_chain {
    uint16_t head;
    struct iovec *out, *in; /* within `parts` */
    size_t out_count, in_count;
    uint64_t out_size, in_size; /* bytes that are left of them */
    uint32_t written;           /* bytes that virtq_write() has put into `in` */
    struct iovec parts[VIRTQ_CHAIN_MAX];
};

/* As after a reset of the device: disabled, VIRTQ_SIZE_MAX entries, no addresses. */
void virtq_reset(struct virtqueue *queue);

/* Begins to use what the driver has set. -EINVAL when the size is no power of two or too large, or
 * a part is misaligned or outside of the guest's memory. */
int virtq_enable(struct virtqueue *queue, const struct guest_memory *memory, bool event_idx,
                 bool indirect);

/* 1 and the next request, 0 when there is none, -EPROTO when the driver broke the rules: the queue
 * is then of no more use until it is reset. */
int virtq_pop(struct virtqueue *queue, struct virtq_chain *ret);
/* Gives the request back with the first `written` bytes of its `in` filled. */
void virtq_push(struct virtqueue *queue, uint16_t head, uint32_t written);
/* Whether the driver wants an interrupt for what was pushed since the last time it was asked. */
bool virtq_should_signal(struct virtqueue *queue);

/* Asks the driver not to notify; with event indexes it does not, until virtq_notify_on(). */
void virtq_notify_off(struct virtqueue *queue);
/* Asks for a notification of the next request. True when one has come before that was heard. */
bool virtq_notify_on(struct virtqueue *queue);

/* Move at most `count` bytes between buf and the front of `out` or `in`, which is then behind
 * them. Return how many were moved. */
size_t virtq_read(struct virtq_chain *chain, void *buf, size_t count);
size_t virtq_write(struct virtq_chain *chain, const void *buf, size_t count);
/* The same for bytes that the caller has moved itself; `count` of them are there. */
void virtq_was_read(struct virtq_chain *chain, size_t count);
void virtq_was_written(struct virtq_chain *chain, size_t count);
/* Takes the last byte off `in`. NULL when there is none. */
uint8_t *virtq_take_last(struct virtq_chain *chain);
