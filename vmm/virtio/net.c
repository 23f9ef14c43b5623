#include "vmm/virtio/net.h"

#include <string.h>
#include <sys/syscall.h>

#include "base/endian.h"
#include "vmm/virtio/slirp.h"

/* VIRTIO 1.2 §5.1.6; nothing but the count of buffers is ever set, as nothing is offloaded. */
struct packet_header {
    uint8_t flags, kind;
    le16_t header_size, segment_size;
    le16_t checksum_start, checksum_offset;
    le16_t buffer_count;
};
_Static_assert(sizeof(struct packet_header) == 12, "VIRTIO 1.2 §5.1.6");

enum { QUEUE_RECEIVE = 0, QUEUE_TRANSMIT = 1, QUEUE_COUNT = 2 };

#define NET_F_MAC VIRTIO_FEATURE(5)

struct virtio_net {
    struct virtio_device device;
    struct virtq_chain receiving; /* beside the one that is being sent: that may be answered */
    uint8_t mac[6];               /* §5.1.4, as far as it is there without other features */
    struct slirp *slirp;
};

/* Gives a frame to the guest; drops it where the guest has no room. With the lock. */
static void deliver(void *context, const void *frame, size_t size)
{
    struct virtio_net *net = context;
    struct virtio_device *device = &net->device;
    struct virtqueue *queue = &device->queues[QUEUE_RECEIVE];
    struct virtq_chain *chain = &net->receiving;
    const struct packet_header header = {.buffer_count = le16_put(1)};
    if (!virtio_device_live(device) || !queue->enabled)
        return;
    int r = virtq_pop(queue, chain);
    /* Without merged buffers each one must take a whole frame (§5.1.6.3.1). */
    if (r < 0 || (r > 0 && chain->in_size < sizeof(header) + size)) {
        virtio_device_break(device);
        return;
    }
    if (r == 0)
        return;
    virtq_write(chain, &header, sizeof(header));
    virtq_write(chain, frame, size);
    virtq_push(queue, chain->head, chain->written);
}

static void transmit(struct virtio_device *device, struct virtq_chain *chain)
{
    struct virtio_net *net = (struct virtio_net *)device;
    struct packet_header header;
    uint8_t frame[SLIRP_FRAME_MAX];
    if (virtq_read(chain, &header, sizeof(header)) != sizeof(header) ||
        chain->out_size > sizeof(frame))
        return;
    slirp_send(net->slirp, frame, virtq_read(chain, frame, sizeof(frame)));
}

static int net_serve(struct virtio_device *device, unsigned queue)
{
    return queue == QUEUE_TRANSMIT ? virtio_device_drain(device, queue, transmit) : 0;
}

static void net_wait(struct virtio_device *device)
{
    struct virtio_net *net = (struct virtio_net *)device;
    pthread_mutex_lock(&device->lock);
    slirp_prepare(net->slirp, device->kick);
    pthread_mutex_unlock(&device->lock);
    slirp_wait(net->slirp);
}

static void net_work(struct virtio_device *device)
{
    struct virtio_net *net = (struct virtio_net *)device;
    slirp_work(net->slirp);
    virtio_device_signal(device, QUEUE_RECEIVE);
}

static void net_free(struct virtio_device *device)
{
    struct virtio_net *net = (struct virtio_net *)device;
    slirp_close(net->slirp);
}

/* System calls of libslirp for connections of guests, and to look up the host's name server. */
static const int net_calls[] = {
    SYS_socket,   SYS_bind,       SYS_listen,     SYS_connect,     SYS_accept,
    SYS_accept4,  SYS_sendto,     SYS_sendmsg,    SYS_recvfrom,    SYS_recvmsg,
    SYS_shutdown, SYS_setsockopt, SYS_getsockopt, SYS_getsockname, SYS_getpeername,
    SYS_ioctl,    SYS_fcntl,      SYS_openat,     SYS_stat,        SYS_newfstatat,
};

static const struct virtio_ops net_ops = {
    .name = "virtio-net",
    .type = VIRTIO_TYPE_NET,
    .pci_class = 0x02, /* Ethernet */
    .pci_subclass = 0x00,
    .serve = net_serve,
    .wait = net_wait,
    .work = net_work,
    .free = net_free,
    .calls = net_calls,
    .call_count = ARRAY_SIZE(net_calls),
};

int virtio_net_new(const struct virtio_net_config *config, struct virtio_device **ret,
                   struct error **err)
{
    struct virtio_net *net = calloc(1, sizeof(*net));
    if (!net)
        return error_oom(err);
    memcpy(net->mac, config->mac, sizeof(net->mac));
    net->device.ops = &net_ops;
    net->device.queue_count = QUEUE_COUNT;
    net->device.features = NET_F_MAC;
    net->device.config = net->mac;
    net->device.config_size = sizeof(net->mac);
    int r = virtio_device_init(&net->device, err);
    if (r == 0)
        r = slirp_open(config->forwards, config->forward_count, deliver, net, &net->slirp, err);
    if (r < 0)
        virtio_device_free(&net->device);
    else
        *ret = &net->device;
    return r;
}

char *virtio_net_connections(struct virtio_device *device)
{
    struct virtio_net *net = (struct virtio_net *)device;
    pthread_mutex_lock(&device->lock);
    char *list = slirp_connections(net->slirp);
    pthread_mutex_unlock(&device->lock);
    return list;
}
