/*
 * The common configuration structure of virtio over PCI: VIRTIO 1.2 §4.1.4.3, without the fields of
 * features that are not offered. Private to vmm/. With the device's lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/virtio/device.h"

enum { VIRTIO_COMMON_SIZE = 56, VIRTIO_NO_VECTOR = 0xffff };

/* What the driver has set, beside what the device itself keeps. */
struct virtio_common {
    unsigned vector_count; /* that the device has */
    uint32_t device_feature_select, driver_feature_select;
    uint16_t queue_select;
    uint16_t vectors[VIRTIO_CONFIG_CHANGE + 1]; /* by queue, or VIRTIO_CONFIG_CHANGE */
};

/* Forgets all but vector_count. */
void virtio_common_reset(struct virtio_common *common);
/* All ones where the structure ends. */
uint64_t virtio_common_read(const struct virtio_common *common, const struct virtio_device *device,
                            uint64_t offset, unsigned size);
/* Writes that are not of a whole field are ignored. True when this has reset the device. */
bool virtio_common_write(struct virtio_common *common, struct virtio_device *device,
                         uint64_t offset, unsigned size, uint64_t value);
