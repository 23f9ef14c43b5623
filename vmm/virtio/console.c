#include "vmm/virtio/console.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"

/* VIRTIO 1.2 §5.3.4. */
struct console_space {
    le16_t columns;
    le16_t rows;
    le32_t ports_max;
    le32_t emergency_write;
};
_Static_assert(sizeof(struct console_space) == 12, "VIRTIO 1.2 §5.3.4");

/* §5.3.6.2. */
struct control {
    le32_t port;
    le16_t event;
    le16_t value;
};
_Static_assert(sizeof(struct control) == 8, "VIRTIO 1.2 §5.3.6.2");

enum event {
    EVENT_DEVICE_READY = 0,
    EVENT_DEVICE_ADD = 1,
    EVENT_PORT_READY = 3,
    EVENT_CONSOLE_PORT = 4,
    EVENT_PORT_OPEN = 6,
    EVENT_PORT_NAME = 7,
};

/* §5.3.2: a pair for the first port, one for control, then one for each other port. */
enum { QUEUE_CONTROL_IN = 2, QUEUE_CONTROL_OUT = 3 };

#define CONSOLE_F_MULTIPORT VIRTIO_FEATURE(1)

struct port {
    char name[VIRTIO_CONSOLE_NAME_MAX + 1];
    void (*output)(void *context, const void *bytes, size_t count);
    void *context;
    /* One bit for each enum event that the guest has yet to be told: it may have no room for them
     * now, and asks as often as it likes. */
    unsigned untold;
};

struct virtio_console {
    struct virtio_device device;
    struct console_space space;
    struct port ports[VIRTIO_CONSOLE_PORTS_MAX];
    size_t port_count;
    size_t serving; /* the port whose queue is in work */
};

static struct virtio_console *of_device(struct virtio_device *device)
{
    return (struct virtio_console *)device;
}

static void output_request(struct virtio_device *device, struct virtq_chain *chain)
{
    struct virtio_console *console = of_device(device);
    const struct port *port = &console->ports[console->serving];
    char bytes[4096];
    size_t count;
    while ((count = virtq_read(chain, bytes, sizeof(bytes))) > 0)
        port->output(port->context, bytes, count);
}

static void control_request(struct virtio_device *device, struct virtq_chain *chain)
{
    struct virtio_console *console = of_device(device);
    struct control control;
    if (virtq_read(chain, &control, sizeof(control)) != sizeof(control))
        return;
    uint32_t index = le32_get(control.port);
    bool yes = le16_get(control.value) == 1;
    switch (le16_get(control.event)) {
    case EVENT_DEVICE_READY:
        for (size_t i = 0; i < console->port_count && yes; i++)
            console->ports[i].untold |= 1u << EVENT_DEVICE_ADD;
        break;
    case EVENT_PORT_READY:
        if (index < console->port_count && yes)
            console->ports[index].untold |=
                1u << (console->ports[index].name[0] ? EVENT_PORT_NAME : EVENT_CONSOLE_PORT) |
                1u << EVENT_PORT_OPEN;
        break;
    default: /* whether the guest has a port open does not matter */
        break;
    }
}

/* 1 when the event was told, 0 when the guest has no room for it now. */
static int tell(struct virtio_console *console, size_t index, enum event event)
{
    struct virtqueue *queue = &console->device.queues[QUEUE_CONTROL_IN];
    struct virtq_chain *chain = &console->device.chain;
    const struct control control = {.port = le32_put((uint32_t)index),
                                    .event = le16_put((uint16_t)event),
                                    .value = le16_put(1)};
    int r = virtq_pop(queue, chain);
    if (r <= 0)
        return r;
    virtq_write(chain, &control, sizeof(control));
    if (event == EVENT_PORT_NAME)
        virtq_write(chain, console->ports[index].name, strlen(console->ports[index].name));
    virtq_push(queue, chain->head, chain->written);
    return 1;
}

static int tell_all(struct virtio_console *console)
{
    if (!console->device.queues[QUEUE_CONTROL_IN].enabled)
        return 0;
    for (size_t i = 0; i < console->port_count; i++) {
        struct port *port = &console->ports[i];
        while (port->untold) {
            unsigned event = (unsigned)__builtin_ctz(port->untold);
            int r = tell(console, i, (enum event)event);
            if (r <= 0)
                return r;
            port->untold &= ~(1u << event);
        }
    }
    return 0;
}

static int serve_control(struct virtio_console *console, unsigned queue)
{
    struct virtio_device *device = &console->device;
    int r = 0;
    if (queue == QUEUE_CONTROL_OUT)
        r = virtio_device_drain(device, queue, control_request);
    if (r == 0)
        r = tell_all(console);
    /* There may be more to tell than there is room for: ask to hear of more room. */
    if (device->queues[QUEUE_CONTROL_IN].enabled) {
        if (r == 0 && virtq_notify_on(&device->queues[QUEUE_CONTROL_IN]))
            r = tell_all(console);
        virtio_device_signal(device, QUEUE_CONTROL_IN);
    }
    return r;
}

static int console_serve(struct virtio_device *device, unsigned queue)
{
    struct virtio_console *console = of_device(device);
    if (queue == QUEUE_CONTROL_IN || queue == QUEUE_CONTROL_OUT)
        return serve_control(console, queue);
    /* Nothing is ever sent to a port: what it offers to fill stays as it is. */
    if (queue % 2 == 0)
        return 0;
    console->serving = queue < QUEUE_CONTROL_IN ? 0 : queue / 2 - 1;
    return virtio_device_drain(device, queue, output_request);
}

static void console_reset(struct virtio_device *device)
{
    struct virtio_console *console = of_device(device);
    for (size_t i = 0; i < console->port_count; i++)
        console->ports[i].untold = 0;
}

static const struct virtio_ops console_ops = {
    .name = "virtio-console",
    .type = VIRTIO_TYPE_CONSOLE,
    .pci_class = 0x07, /* simple communication, other */
    .pci_subclass = 0x80,
    .serve = console_serve,
    .reset = console_reset,
};

int virtio_console_new(const struct virtio_console_port *ports, size_t count,
                       struct virtio_device **ret, struct error **err)
{
    assert(count > 0 && count <= VIRTIO_CONSOLE_PORTS_MAX);
    struct virtio_console *console = calloc(1, sizeof(*console));
    if (!console)
        return error_oom(err);
    for (size_t i = 0; i < count; i++) {
        struct port *port = &console->ports[i];
        assert(strlen(ports[i].name) <= VIRTIO_CONSOLE_NAME_MAX);
        strcpy(port->name, ports[i].name);
        port->output = ports[i].output;
        port->context = ports[i].context;
    }
    console->port_count = count;
    console->space.ports_max = le32_put((uint32_t)count);
    console->device.ops = &console_ops;
    console->device.queue_count = 2 * ((unsigned)count + 1);
    console->device.features = CONSOLE_F_MULTIPORT;
    console->device.config = &console->space;
    console->device.config_size = sizeof(console->space);
    int r = virtio_device_init(&console->device, err);
    if (r < 0)
        virtio_device_free(&console->device);
    else
        *ret = &console->device;
    return r;
}
