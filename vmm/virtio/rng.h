/* A source of entropy: VIRTIO 1.2 §5.4. */
#pragma once

#include "vmm/virtio/device.h"

int virtio_rng_new(struct virtio_device **ret, struct error **err);
