/*
 * A network card: VIRTIO 1.2 §5.1, with a user-mode network behind it (libslirp). The guest gets
 * 10.0.2.15 by DHCP, a gateway at 10.0.2.2 and a name server at 10.0.2.3, and reaches out over
 * IPv4. What the host itself offers on any of its addresses stays out of its reach.
 */
#pragma once

#include "vmm/runner.h"
#include "vmm/virtio/device.h"

struct virtio_net_config {
    uint8_t mac[6];
    const struct vm_forward *forwards;
    size_t forward_count;
};

/* -EADDRINUSE, and the like, when a port of the host cannot be had. */
int virtio_net_new(const struct virtio_net_config *config, struct virtio_device **ret,
                   struct error **err);

/* libslirp's list of connections, for forward_probe_read_list(). Any thread may ask, as long as the
 * device is there. Caller frees; NULL: out of memory. */
char *virtio_net_connections(struct virtio_device *device);
