#include "vmm/virtio/common.h"

#include <stddef.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"

struct fields {
    le32_t device_feature_select;
    le32_t device_feature;
    le32_t driver_feature_select;
    le32_t driver_feature;
    le16_t config_vector;
    le16_t queue_count;
    uint8_t status;
    uint8_t config_generation;
    le16_t queue_select;
    le16_t queue_size;
    le16_t queue_vector;
    le16_t queue_enable;
    le16_t queue_notify_offset;
    le64_t queue_descriptors;
    le64_t queue_driver;
    le64_t queue_device;
};
_Static_assert(sizeof(struct fields) == VIRTIO_COMMON_SIZE, "VIRTIO 1.2 §4.1.4.3");

void virtio_common_reset(struct virtio_common *common)
{
    *common = (struct virtio_common){.vector_count = common->vector_count};
    for (size_t i = 0; i < ARRAY_SIZE(common->vectors); i++)
        common->vectors[i] = VIRTIO_NO_VECTOR;
}

static uint32_t half(uint64_t value, uint32_t select)
{
    return select == 0 ? (uint32_t)value : select == 1 ? (uint32_t)(value >> 32) : 0;
}

static void fill(const struct virtio_common *common, const struct virtio_device *device,
                 struct fields *ret)
{
    *ret = (struct fields){
        .device_feature_select = le32_put(common->device_feature_select),
        .device_feature = le32_put(half(device->features, common->device_feature_select)),
        .driver_feature_select = le32_put(common->driver_feature_select),
        .driver_feature = le32_put(half(device->driver_features, common->driver_feature_select)),
        .config_vector = le16_put(common->vectors[VIRTIO_CONFIG_CHANGE]),
        .queue_count = le16_put((uint16_t)device->queue_count),
        .status = device->status,
        .queue_select = le16_put(common->queue_select),
        .queue_vector = le16_put(VIRTIO_NO_VECTOR),
    };
    /* A size of 0 says that there is no such queue. */
    if (common->queue_select >= device->queue_count)
        return;
    const struct virtqueue *queue = &device->queues[common->queue_select];
    ret->queue_size = le16_put(queue->size);
    ret->queue_vector = le16_put(common->vectors[common->queue_select]);
    ret->queue_enable = le16_put(queue->enabled);
    ret->queue_notify_offset = le16_put(common->queue_select);
    ret->queue_descriptors = le64_put(queue->descriptors);
    ret->queue_driver = le64_put(queue->available);
    ret->queue_device = le64_put(queue->used_ring);
}

uint64_t virtio_common_read(const struct virtio_common *common, const struct virtio_device *device,
                            uint64_t offset, unsigned size)
{
    struct fields fields;
    le64_t value = {0};
    if (!range_within(offset, size, sizeof(fields)))
        return UINT64_MAX;
    fill(common, device, &fields);
    memcpy(&value, (const uint8_t *)&fields + offset, size);
    return le64_get(value);
}

/* The guest hears of a vector that does not exist by reading back that there is none. */
static void set_vector(struct virtio_common *common, unsigned slot, uint64_t vector)
{
    common->vectors[slot] = vector < common->vector_count ? (uint16_t)vector : VIRTIO_NO_VECTOR;
}

static void set_driver_features(const struct virtio_common *common, struct virtio_device *device,
                                uint32_t value)
{
    if (common->driver_feature_select > 1 || (device->status & VIRTIO_STATUS_FEATURES_OK))
        return;
    unsigned shift = 32 * common->driver_feature_select;
    device->driver_features &= ~((uint64_t)UINT32_MAX << shift);
    device->driver_features |= (uint64_t)value << shift;
}

/* A write into one of the fields of 64 bits: whole, or one of its halves. */
static void write_address(uint64_t *address, uint64_t offset, unsigned size, uint64_t value)
{
    if (size == 8 && offset == 0)
        *address = value;
    else if (size == 4 && offset == 0)
        *address = (*address & ~(uint64_t)UINT32_MAX) | (uint32_t)value;
    else if (size == 4 && offset == 4)
        *address = (*address & UINT32_MAX) | value << 32;
}

/* True for a write of the whole field. */
#define IS_FIELD(name)                                                                             \
    (offset == offsetof(struct fields, name) && size == sizeof(((struct fields *)0)->name))

/* Fields of the selected queue; once it is enabled, only a reset changes where it is. */
static void queue_write(struct virtio_common *common, struct virtio_device *device, uint64_t offset,
                        unsigned size, uint64_t value)
{
    if (common->queue_select >= device->queue_count)
        return;
    struct virtqueue *queue = &device->queues[common->queue_select];
    if (IS_FIELD(queue_vector))
        set_vector(common, common->queue_select, value);
    else if (queue->enabled)
        return;
    else if (IS_FIELD(queue_size))
        queue->size = (uint16_t)value;
    else if (IS_FIELD(queue_enable) && value == 1)
        virtio_device_enable_queue(device, common->queue_select);
    else if (offset >= offsetof(struct fields, queue_device))
        write_address(&queue->used_ring, offset - offsetof(struct fields, queue_device), size,
                      value);
    else if (offset >= offsetof(struct fields, queue_driver))
        write_address(&queue->available, offset - offsetof(struct fields, queue_driver), size,
                      value);
    else if (offset >= offsetof(struct fields, queue_descriptors))
        write_address(&queue->descriptors, offset - offsetof(struct fields, queue_descriptors),
                      size, value);
}

bool virtio_common_write(struct virtio_common *common, struct virtio_device *device,
                         uint64_t offset, unsigned size, uint64_t value)
{
    if (IS_FIELD(device_feature_select))
        common->device_feature_select = (uint32_t)value;
    else if (IS_FIELD(driver_feature_select))
        common->driver_feature_select = (uint32_t)value;
    else if (IS_FIELD(driver_feature))
        set_driver_features(common, device, (uint32_t)value);
    else if (IS_FIELD(config_vector))
        set_vector(common, VIRTIO_CONFIG_CHANGE, value);
    else if (IS_FIELD(queue_select))
        common->queue_select = (uint16_t)value;
    else if (IS_FIELD(status))
        virtio_device_set_status(device, (uint8_t)value);
    else if (offset >= offsetof(struct fields, queue_size))
        queue_write(common, device, offset, size, value);
    if (!IS_FIELD(status) || value != 0)
        return false;
    virtio_common_reset(common);
    return true;
}
