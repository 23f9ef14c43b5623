/* Ports that carry bytes out of the guest: VIRTIO 1.2 §5.3, with several ports. The guest finds
 * them as /dev/vport*p*, those with a name also under /dev/virtio-ports/. */
#pragma once

#include "vmm/virtio/device.h"

enum { VIRTIO_CONSOLE_PORTS_MAX = 4, VIRTIO_CONSOLE_NAME_MAX = 64 };

struct virtio_console_port {
    const char *name; /* such as "org.kiln.results"; "": the port is a console, hvc0 to Linux */
    /* Takes what the guest wrote, at most a few KiB at a time; called on the device's thread. While
     * it runs, the guest and a reset of the device wait: it must not block for long, and not on the
     * machine's lock. */
    void (*output)(void *context, const void *bytes, size_t count);
    void *context;
};

int virtio_console_new(const struct virtio_console_port *ports, size_t count,
                       struct virtio_device **ret, struct error **err);
