/* What virtio devices stand on when they are fuzzed: a disk in memory, and a network that sends
 * every frame back instead of into the world (it stands in for vmm/virtio/slirp.c). */
#pragma once

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "image/block.h"
#include "vmm/virtio/blk.h"
#include "vmm/virtio/console.h"
#include "vmm/virtio/net.h"
#include "vmm/virtio/rng.h"
#include "vmm/virtio/slirp.h"

enum { PART_DISK_SIZE = 64 << 10, PART_KINDS = 4 };

struct part_disk {
    struct block block;
    uint8_t bytes[PART_DISK_SIZE];
};

static int part_pread(struct block *block, void *buf, size_t count, uint64_t offset,
                      struct error **err)
{
    memcpy(buf, ((struct part_disk *)block)->bytes + offset, count);
    return offset == 4096 ? error_sys(err, EIO, "a bad sector") : 0;
}

static int part_pwrite(struct block *block, const void *buf, size_t count, uint64_t offset,
                       struct error **err)
{
    (void)err;
    memcpy(((struct part_disk *)block)->bytes + offset, buf, count);
    return 0;
}

static int part_discard(struct block *block, uint64_t offset, uint64_t length, struct error **err)
{
    (void)err;
    memset(((struct part_disk *)block)->bytes + offset, 0, length);
    return 0;
}

static const struct block_ops part_disk_ops = {
    .name = "fuzz", .pread = part_pread, .pwrite = part_pwrite, .discard = part_discard};

static void part_output(void *context, const void *bytes, size_t count)
{
    /* Look at every byte, as a reader would. */
    for (size_t i = 0; i < count; i++)
        *(uint8_t *)context = (uint8_t)(*(uint8_t *)context + ((const uint8_t *)bytes)[i]);
}

static uint8_t part_sums[2];

static struct virtio_device *part_blk(void)
{
    const struct virtio_blk_config config = {.serial = "fuzz", .queues = 2};
    struct virtio_device *device = NULL;
    struct part_disk *disk = calloc(1, sizeof(*disk));
    disk->block = (struct block){
        .ops = &part_disk_ops, .name = strdup("fuzz"), .size = PART_DISK_SIZE, .writable = true};
    return virtio_blk_new(&disk->block, &config, &device, NULL) == 0 ? device : NULL;
}

static struct virtio_device *part_console(void)
{
    const struct virtio_console_port ports[] = {
        {.name = "", .output = part_output, .context = &part_sums[0]},
        {.name = "org.kiln.results", .output = part_output, .context = &part_sums[1]},
    };
    struct virtio_device *device = NULL;
    return virtio_console_new(ports, 2, &device, NULL) == 0 ? device : NULL;
}

static struct virtio_device *part_net(void)
{
    const struct virtio_net_config config = {.mac = {2}};
    struct virtio_device *device = NULL;
    return virtio_net_new(&config, &device, NULL) == 0 ? device : NULL;
}

static struct virtio_device *part_rng(void)
{
    struct virtio_device *device = NULL;
    return virtio_rng_new(&device, NULL) == 0 ? device : NULL;
}

static struct virtio_device *part_new(unsigned kind)
{
    static struct virtio_device *(*const makers[PART_KINDS])(void) = {part_rng, part_blk,
                                                                      part_console, part_net};
    struct virtio_device *device = makers[kind % PART_KINDS]();
    if (!device)
        abort();
    return device;
}

struct slirp {
    void (*deliver)(void *context, const void *frame, size_t size);
    void *context;
    int kick;
};

int slirp_open(const struct vm_forward *forwards, size_t forward_count,
               void (*deliver)(void *context, const void *frame, size_t size), void *context,
               struct slirp **ret, struct error **err)
{
    (void)forwards, (void)forward_count, (void)err;
    *ret = calloc(1, sizeof(**ret));
    (*ret)->deliver = deliver;
    (*ret)->context = context;
    return 0;
}

void slirp_send(struct slirp *slirp, const void *frame, size_t size)
{
    slirp->deliver(slirp->context, frame, size);
}

void slirp_prepare(struct slirp *slirp, int kick)
{
    slirp->kick = kick;
}

void slirp_wait(struct slirp *slirp)
{
    struct pollfd pfd = {.fd = slirp->kick, .events = POLLIN};
    poll(&pfd, 1, -1);
}

void slirp_work(struct slirp *slirp)
{
    slirp->deliver(slirp->context, "a frame of the network's own", 28);
}

char *slirp_connections(struct slirp *slirp)
{
    (void)slirp;
    return strdup("");
}

void slirp_close(struct slirp *slirp)
{
    free(slirp);
}
