#include "vmm/virtio/virtqueue.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"

/* The guest takes memory back from one device and hands it to another one, on another thread. It is
 * the guest that puts the two in order, which ThreadSanitizer cannot see. */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#define GUEST_HAS_TAKEN(memory) __tsan_release((void *)(memory))
#define GUEST_HAS_GIVEN(memory) __tsan_acquire((void *)(memory))
#else
#define GUEST_HAS_TAKEN(memory) (void)(memory)
#define GUEST_HAS_GIVEN(memory) (void)(memory)
#endif

/* VIRTIO 1.2 §2.7.5, §2.7.6 and §2.7.8. */
struct descriptor {
    le64_t address;
    le32_t length;
    le16_t flags;
    le16_t next;
};
_Static_assert(sizeof(struct descriptor) == 16, "VIRTIO 1.2 §2.7.5");

struct used_element {
    le32_t id;
    le32_t length;
};
_Static_assert(sizeof(struct used_element) == 8, "VIRTIO 1.2 §2.7.8");

enum {
    DESCRIPTOR_NEXT = 1,
    DESCRIPTOR_WRITE = 2,
    DESCRIPTOR_INDIRECT = 4,

    AVAIL_NO_INTERRUPT = 1,
    USED_NO_NOTIFY = 1,

    /* Both rings: flags, index, entries, event index of the other side. */
    RING_FLAGS = 0,
    RING_INDEX = 2,
    RING_ENTRIES = 4,
};

/* The fields that both sides change while the other one looks. virtq_enable() saw to it that they
 * are aligned. */
static uint16_t shared_load(const uint8_t *field, int order)
{
    return le16toh(__atomic_load_n((const uint16_t *)(const void *)field, order));
}

static void shared_store(uint8_t *field, uint16_t value, int order)
{
    __atomic_store_n((uint16_t *)(void *)field, htole16(value), order);
}

static uint8_t *used_event(const struct virtqueue *queue)
{
    return queue->avail + RING_ENTRIES + 2 * (size_t)queue->size;
}

static uint8_t *avail_event(const struct virtqueue *queue)
{
    return queue->used + RING_ENTRIES + sizeof(struct used_element) * queue->size;
}

void virtq_reset(struct virtqueue *queue)
{
    *queue = (struct virtqueue){.size = VIRTQ_SIZE_MAX};
}

static uint8_t *part_at(const struct guest_memory *memory, uint64_t address, uint64_t length,
                        uintptr_t alignment)
{
    uint8_t *part = guest_memory_at(memory, address, length);
    return part && (uintptr_t)part % alignment == 0 ? part : NULL;
}

int virtq_enable(struct virtqueue *queue, const struct guest_memory *memory, bool event_idx,
                 bool indirect)
{
    uint64_t size = queue->size;
    if (size == 0 || size > VIRTQ_SIZE_MAX || (size & (size - 1)) != 0)
        return -EINVAL;
    queue->table = part_at(memory, queue->descriptors, size * sizeof(struct descriptor), 16);
    queue->avail = part_at(memory, queue->available, RING_ENTRIES + 2 * size + 2, 2);
    queue->used =
        part_at(memory, queue->used_ring, RING_ENTRIES + sizeof(struct used_element) * size + 2, 4);
    if (!queue->table || !queue->avail || !queue->used)
        return -EINVAL;
    queue->memory = memory;
    queue->event_idx = event_idx;
    queue->indirect = indirect;
    queue->enabled = true;
    return 0;
}

/* Adds a buffer to the chain, or to its last part where that ends just before it. */
static int chain_add(const struct virtqueue *queue, struct virtq_chain *chain,
                     const struct descriptor *descriptor)
{
    uint64_t length = le32_get(descriptor->length);
    uint8_t *host = guest_memory_at(queue->memory, le64_get(descriptor->address), length);
    if (!host)
        return -EPROTO;
    bool write = le16_get(descriptor->flags) & DESCRIPTOR_WRITE;
    /* What is read comes before what is written (VIRTIO 1.2 §2.7.4.2). */
    if (!write && chain->in_count > 0)
        return -EPROTO;
    uint64_t *total = write ? &chain->in_size : &chain->out_size;
    size_t *count = write ? &chain->in_count : &chain->out_count;
    if (*total + length > UINT32_MAX)
        return -EPROTO;
    *total += length;
    size_t used = chain->out_count + chain->in_count;
    struct iovec *last = *count > 0 ? &chain->parts[used - 1] : NULL;
    if (last && (uint8_t *)last->iov_base + last->iov_len == host) {
        last->iov_len += length;
        return 0;
    }
    chain->parts[used] = (struct iovec){.iov_base = host, .iov_len = length};
    ++*count;
    return 0;
}

/* Follows the chain that begins at chain->head, at most VIRTQ_CHAIN_MAX buffers of it: so it
 * ends even where it is a loop. */
static int chain_walk(const struct virtqueue *queue, struct virtq_chain *chain)
{
    const uint8_t *table = queue->table;
    uint64_t entries = queue->size, index = chain->head;
    bool within = false; /* an indirect table */
    for (unsigned buffers = 0; buffers < VIRTQ_CHAIN_MAX;) {
        struct descriptor descriptor;
        if (index >= entries)
            return -EPROTO;
        memcpy(&descriptor, table + index * sizeof(descriptor), sizeof(descriptor));
        uint16_t flags = le16_get(descriptor.flags);
        if (flags & DESCRIPTOR_INDIRECT) {
            uint64_t length = le32_get(descriptor.length);
            if (!queue->indirect || within || (flags & DESCRIPTOR_NEXT) ||
                length % sizeof(descriptor) != 0)
                return -EPROTO;
            table = guest_memory_at(queue->memory, le64_get(descriptor.address), length);
            if (!table)
                return -EPROTO;
            entries = length / sizeof(descriptor);
            index = 0;
            within = true; /* no second time */
            continue;
        }
        if (chain_add(queue, chain, &descriptor) < 0)
            return -EPROTO;
        buffers++;
        if (!(flags & DESCRIPTOR_NEXT))
            return 0;
        index = le16_get(descriptor.next);
    }
    return -EPROTO;
}

int virtq_pop(struct virtqueue *queue, struct virtq_chain *ret)
{
    uint16_t index = shared_load(queue->avail + RING_INDEX, __ATOMIC_ACQUIRE);
    uint16_t waiting = (uint16_t)(index - queue->next_avail);
    GUEST_HAS_GIVEN(queue->memory);
    if (waiting == 0)
        return 0;
    if (waiting > queue->size)
        return -EPROTO;
    size_t slot = queue->next_avail & (queue->size - 1u);
    ret->head = shared_load(queue->avail + RING_ENTRIES + 2 * slot, __ATOMIC_RELAXED);
    ret->out_count = ret->in_count = 0;
    ret->out_size = ret->in_size = 0;
    ret->written = 0;
    if (chain_walk(queue, ret) < 0)
        return -EPROTO;
    ret->out = ret->parts;
    ret->in = ret->parts + ret->out_count;
    queue->next_avail++;
    return 1;
}

void virtq_push(struct virtqueue *queue, uint16_t head, uint32_t written)
{
    struct used_element element = {.id = le32_put(head), .length = le32_put(written)};
    size_t slot = queue->next_used & (queue->size - 1u);
    memcpy(queue->used + RING_ENTRIES + slot * sizeof(element), &element, sizeof(element));
    queue->next_used++;
    GUEST_HAS_TAKEN(queue->memory);
    /* The driver must see the element, and what the request wrote, before the index; and the index
     * before virtq_should_signal() looks for its wishes. */
    shared_store(queue->used + RING_INDEX, queue->next_used, __ATOMIC_SEQ_CST);
}

bool virtq_should_signal(struct virtqueue *queue)
{
    uint16_t before = queue->signalled, now = queue->next_used;
    if (before == now)
        return false;
    queue->signalled = now;
    /* The driver sets its wish and then looks at the index: one of us sees the other. */
    if (!queue->event_idx)
        return !(shared_load(queue->avail + RING_FLAGS, __ATOMIC_SEQ_CST) & AVAIL_NO_INTERRUPT);
    /* Did we pass the entry that it waits for (VIRTIO 1.2 §2.7.10)? */
    uint16_t event = shared_load(used_event(queue), __ATOMIC_SEQ_CST);
    return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

void virtq_notify_off(struct virtqueue *queue)
{
    /* An event index that lies behind has the same effect by itself. */
    if (!queue->event_idx)
        shared_store(queue->used + RING_FLAGS, USED_NO_NOTIFY, __ATOMIC_RELAXED);
}

bool virtq_notify_on(struct virtqueue *queue)
{
    /* The driver adds a request and then looks whether we want to know: one of us sees the other.
     */
    if (queue->event_idx)
        shared_store(avail_event(queue), queue->next_avail, __ATOMIC_SEQ_CST);
    else
        shared_store(queue->used + RING_FLAGS, 0, __ATOMIC_SEQ_CST);
    return shared_load(queue->avail + RING_INDEX, __ATOMIC_SEQ_CST) != queue->next_avail;
}

/* Takes `count` bytes off the front of a list; the caller knows that they are there. */
static void parts_advance(struct iovec **parts, size_t *part_count, size_t count)
{
    while (count > 0) {
        struct iovec *part = *parts;
        size_t step = (size_t)min_u64(count, part->iov_len);
        part->iov_base = (uint8_t *)part->iov_base + step;
        part->iov_len -= step;
        count -= step;
        if (part->iov_len == 0) {
            ++*parts;
            --*part_count;
        }
    }
}

void virtq_was_read(struct virtq_chain *chain, size_t count)
{
    parts_advance(&chain->out, &chain->out_count, count);
    chain->out_size -= count;
}

void virtq_was_written(struct virtq_chain *chain, size_t count)
{
    parts_advance(&chain->in, &chain->in_count, count);
    chain->in_size -= count;
    chain->written += (uint32_t)count;
}

size_t virtq_read(struct virtq_chain *chain, void *buf, size_t count)
{
    uint8_t *to = buf;
    size_t done = 0;
    while (done < count && chain->out_size > 0) {
        size_t step = (size_t)min_u64(count - done, chain->out->iov_len);
        memcpy(to + done, chain->out->iov_base, step);
        virtq_was_read(chain, step);
        done += step;
    }
    return done;
}

size_t virtq_write(struct virtq_chain *chain, const void *buf, size_t count)
{
    const uint8_t *from = buf;
    size_t done = 0;
    while (done < count && chain->in_size > 0) {
        size_t step = (size_t)min_u64(count - done, chain->in->iov_len);
        memcpy(chain->in->iov_base, from + done, step);
        virtq_was_written(chain, step);
        done += step;
    }
    return done;
}

uint8_t *virtq_take_last(struct virtq_chain *chain)
{
    if (chain->in_size == 0)
        return NULL;
    struct iovec *last = &chain->in[chain->in_count - 1];
    uint8_t *byte = (uint8_t *)last->iov_base + --last->iov_len;
    if (last->iov_len == 0)
        chain->in_count--;
    chain->in_size--;
    return byte;
}
