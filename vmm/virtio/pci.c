#include "vmm/virtio/pci.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "vmm/pc/msix.h"
#include "vmm/pc/pci_device.h"
#include "vmm/virtio/common.h"

/* The memory of the device: its parts, and what capability tells the guest of them. */
enum {
    COMMON_AT = 0x0000,
    ISR_AT = 0x0400,
    CONFIG_AT = 0x0800,
    MSIX_AT = 0x1000,
    NOTIFY_AT = 0x2000,
    BAR_SIZE = 0x4000,

    NOTIFY_STEP = 4, /* bytes between the doorbells of two queues */

    CAPABILITY_VENDOR = 0x09,
    CAPABILITY_MSIX = 0x11,
    VIRTIO_VENDOR = 0x1af4,
    VIRTIO_DEVICE_BASE = 0x1040, /* and the device type: §4.1.2.1 */
};

/* §4.1.4. */
enum part { PART_COMMON = 1, PART_NOTIFY, PART_ISR, PART_DEVICE, PART_PCI };

/* Behind the two bytes of a capability's header. The last field is the multiplier of PART_NOTIFY,
 * the data of PART_PCI, and not there for others. */
struct capability {
    uint8_t length;
    uint8_t part;
    uint8_t bar;
    uint8_t id;
    uint8_t padding[2];
    le32_t offset;
    le32_t size;
    le32_t more;
};
_Static_assert(sizeof(struct capability) == 18, "VIRTIO 1.2 §4.1.4, without its first two bytes");

enum { CAPABILITY_HEADER = 2, CAPABILITY_SIZE = CAPABILITY_HEADER + sizeof(struct capability) };

struct virtio_pci {
    struct pci_device pci;
    struct virtio_transport transport;
    struct virtio_device *device;
    struct msix *msix;
    unsigned msix_capability, access_capability; /* where their headers are */

    /* With the device's lock. */
    struct virtio_common common;
    uint8_t isr;

    uint64_t doorbells[VIRTIO_QUEUES_MAX]; /* their addresses; 0: there is none */
};

static struct virtio_pci *of_pci(struct pci_device *pci)
{
    return (struct virtio_pci *)pci;
}

/* With the device's lock, as its transport. */
static void interrupt(struct virtio_transport *transport, unsigned queue)
{
    struct virtio_pci *self =
        (struct virtio_pci *)((char *)transport - offsetof(struct virtio_pci, transport));
    self->isr |= queue == VIRTIO_CONFIG_CHANGE ? 2 : 1; /* §4.1.4.5 */
    msix_signal(self->msix, self->common.vectors[queue]);
}

/* Doorbells ring without an exit while the device can be seen and is in use; at other times, and
 * where the machine has no more of them, the write comes to pci_write(). */
static void update_doorbells(struct virtio_pci *self)
{
    struct machine_hooks *hooks = self->pci.hooks;
    bool ready = self->pci.mapped && (self->device->status & VIRTIO_STATUS_DRIVER_OK);
    for (unsigned i = 0; i < self->device->queue_count; i++) {
        uint64_t wanted = ready && self->device->queues[i].enabled
                              ? self->pci.mapped_at + NOTIFY_AT + (uint64_t)NOTIFY_STEP * i
                              : 0;
        if (self->doorbells[i] == wanted)
            continue;
        if (self->doorbells[i] != 0)
            hooks->doorbell_remove(hooks, self->doorbells[i], self->device->kick);
        self->doorbells[i] = 0;
        if (wanted != 0 && hooks->doorbell_add(hooks, wanted, self->device->kick, NULL) == 0)
            self->doorbells[i] = wanted;
    }
}

static void pci_moved(struct pci_device *pci)
{
    struct virtio_pci *self = of_pci(pci);
    pthread_mutex_lock(&self->device->lock);
    update_doorbells(self);
    pthread_mutex_unlock(&self->device->lock);
}

/* `size` bytes at `offset` of something that is `length` long; all ones where they are not. */
static uint64_t bytes_read(const void *bytes, size_t length, uint64_t offset, unsigned size)
{
    le64_t value = {0};
    if (!range_within(offset, size, length))
        return UINT64_MAX;
    memcpy(&value, (const uint8_t *)bytes + offset, size);
    return le64_get(value);
}

static uint64_t pci_read(struct pci_device *pci, uint64_t offset, unsigned size)
{
    struct virtio_pci *self = of_pci(pci);
    const struct virtio_device *device = self->device;
    if (offset >= MSIX_AT && offset < NOTIFY_AT)
        return msix_read(self->msix, offset - MSIX_AT, size);
    if (offset >= CONFIG_AT && offset < MSIX_AT)
        return bytes_read(device->config, device->config_size, offset - CONFIG_AT, size);
    if (offset >= NOTIFY_AT)
        return UINT64_MAX;
    uint64_t value = UINT64_MAX;
    pthread_mutex_lock(&self->device->lock);
    if (offset == ISR_AT) {
        value = self->isr;
        self->isr = 0;
    } else if (offset < ISR_AT) {
        value = virtio_common_read(&self->common, self->device, offset - COMMON_AT, size);
    }
    pthread_mutex_unlock(&self->device->lock);
    return value;
}

static void pci_write(struct pci_device *pci, uint64_t offset, unsigned size, uint64_t value)
{
    struct virtio_pci *self = of_pci(pci);
    if (offset >= NOTIFY_AT) {
        virtio_device_kick(self->device);
    } else if (offset >= MSIX_AT) {
        msix_write(self->msix, offset - MSIX_AT, size, value);
    } else if (offset < COMMON_AT + VIRTIO_COMMON_SIZE) {
        pthread_mutex_lock(&self->device->lock);
        if (virtio_common_write(&self->common, self->device, offset - COMMON_AT, size, value))
            self->isr = 0;
        update_doorbells(self);
        pthread_mutex_unlock(&self->device->lock);
    }
}

/* The window of §4.1.4.9 onto the memory of the device, for firmware that has not mapped it. False:
 * it is set to nothing. */
static bool access_window(const struct virtio_pci *self, uint32_t *ret_offset, uint32_t *ret_size)
{
    struct capability window;
    memcpy(&window, self->pci.config + self->access_capability + CAPABILITY_HEADER, sizeof(window));
    uint32_t offset = le32_get(window.offset), size = le32_get(window.size);
    if (window.bar != 0 || (size != 1 && size != 2 && size != 4) || offset % size != 0 ||
        !range_within(offset, size, BAR_SIZE))
        return false;
    *ret_offset = offset;
    *ret_size = size;
    return true;
}

static bool touches(unsigned offset, unsigned size, unsigned at, unsigned length)
{
    return offset < at + length && at < offset + size;
}

static unsigned access_data(const struct virtio_pci *self)
{
    return self->access_capability + CAPABILITY_HEADER +
           (unsigned)offsetof(struct capability, more);
}

static void pci_config_read(struct pci_device *pci, unsigned offset, unsigned size)
{
    struct virtio_pci *self = of_pci(pci);
    uint32_t at, length;
    if (!touches(offset, size, access_data(self), 4) || !access_window(self, &at, &length))
        return;
    le32_t value = le32_put((uint32_t)pci_read(pci, at, length));
    memcpy(pci->config + access_data(self), &value, length);
}

static void pci_config_written(struct pci_device *pci, unsigned offset, unsigned size)
{
    struct virtio_pci *self = of_pci(pci);
    uint32_t at, length;
    if (touches(offset, size, self->msix_capability + 2, 2)) {
        le16_t control;
        memcpy(&control, pci->config + self->msix_capability + 2, sizeof(control));
        msix_set_control(self->msix, le16_get(control));
    }
    if (touches(offset, size, access_data(self), 4) && access_window(self, &at, &length)) {
        le32_t value = {0};
        memcpy(&value, pci->config + access_data(self), length);
        pci_write(pci, at, length, le32_get(value));
    }
}

static void pci_reset(struct pci_device *pci)
{
    struct virtio_pci *self = of_pci(pci);
    le16_t control = le16_put((uint16_t)(msix_vectors(self->msix) - 1));
    memcpy(pci->config + self->msix_capability + 2, &control, sizeof(control));
    pthread_mutex_lock(&self->device->lock);
    virtio_device_set_status(self->device, 0);
    virtio_common_reset(&self->common);
    self->isr = 0;
    update_doorbells(self);
    pthread_mutex_unlock(&self->device->lock);
    msix_reset(self->msix);
}

static bool pci_settle(struct pci_device *pci, bool end, uint64_t deadline)
{
    struct virtio_device *device = of_pci(pci)->device;
    return end ? virtio_device_stop(device, deadline) : virtio_device_settle(device, deadline);
}

static void pci_free(struct pci_device *pci)
{
    struct virtio_pci *self = of_pci(pci);
    if (self->pci.hooks) {
        pthread_mutex_lock(&self->device->lock);
        virtio_device_set_status(self->device, 0);
        update_doorbells(self);
        pthread_mutex_unlock(&self->device->lock);
    }
    virtio_device_free(self->device);
    msix_free(self->msix);
    free(self);
}

static const struct pci_device_ops virtio_pci_ops = {
    .read = pci_read,
    .write = pci_write,
    .moved = pci_moved,
    .config_read = pci_config_read,
    .config_written = pci_config_written,
    .reset = pci_reset,
    .settle = pci_settle,
    .free = pci_free,
};

static unsigned add_part(struct virtio_pci *self, enum part part, uint32_t offset, uint32_t size,
                         uint32_t more)
{
    size_t length = sizeof(struct capability);
    if (part != PART_NOTIFY && part != PART_PCI)
        length -= sizeof(le32_t);
    struct capability body = {.length = (uint8_t)(CAPABILITY_HEADER + length),
                              .part = (uint8_t)part,
                              .offset = le32_put(offset),
                              .size = le32_put(size),
                              .more = le32_put(more)};
    struct capability writable = {.bar = 0xff,
                                  .offset = le32_put(UINT32_MAX),
                                  .size = le32_put(UINT32_MAX),
                                  .more = le32_put(UINT32_MAX)};
    return pci_device_add_capability(&self->pci, CAPABILITY_VENDOR, &body,
                                     part == PART_PCI ? &writable : NULL, length);
}

/* In the order in which drivers look for them: each step along the list is an exit or two. */
static void add_capabilities(struct virtio_pci *self)
{
    struct {
        le16_t control;
        le32_t table;
        le32_t pending;
    } msix = {.control = le16_put((uint16_t)(msix_vectors(self->msix) - 1)),
              .table = le32_put(MSIX_AT),
              .pending = le32_put(MSIX_AT + MSIX_PBA)},
      msix_writable = {.control = le16_put(MSIX_ENABLE | MSIX_FUNCTION_MASK)};
    _Static_assert(sizeof(msix) == 10, "PCI Local Bus 3.0 §6.8.2, without the header");

    add_part(self, PART_COMMON, COMMON_AT, VIRTIO_COMMON_SIZE, 0);
    add_part(self, PART_ISR, ISR_AT, 1, 0);
    add_part(self, PART_NOTIFY, NOTIFY_AT, NOTIFY_STEP * self->device->queue_count, NOTIFY_STEP);
    if (self->device->config_size > 0)
        add_part(self, PART_DEVICE, CONFIG_AT, (uint32_t)self->device->config_size, 0);
    self->msix_capability =
        pci_device_add_capability(&self->pci, CAPABILITY_MSIX, &msix, &msix_writable, sizeof(msix));
    self->access_capability = add_part(self, PART_PCI, 0, 0, 0);
}

int virtio_pci_add(struct pci_bus *bus, struct virtio_device *device, struct error **err)
{
    struct virtio_pci *self = calloc(1, sizeof(*self));
    if (!self) {
        virtio_device_free(device);
        return error_oom(err);
    }
    self->device = device;
    self->transport.interrupt = interrupt;
    self->common.vector_count = device->queue_count + 1;
    virtio_common_reset(&self->common);
    const struct pci_id id = {
        .vendor = VIRTIO_VENDOR,
        .device = (uint16_t)(VIRTIO_DEVICE_BASE + device->ops->type),
        .revision = 1, /* no legacy interface: §4.1.2.1 */
        .class = device->ops->pci_class,
        .subclass = device->ops->pci_subclass,
        .subsystem_vendor = VIRTIO_VENDOR,
        .subsystem = (uint16_t)(VIRTIO_DEVICE_BASE + device->ops->type),
    };
    pci_device_init(&self->pci, &virtio_pci_ops, &id, BAR_SIZE);
    struct machine_hooks *hooks = pci_bus_hooks(bus);
    int r = msix_new(hooks, self->common.vector_count, &self->msix, err);
    if (r == 0)
        r = virtio_device_start(device, hooks->memory, &self->transport, err);
    if (r < 0) {
        pci_device_free(&self->pci);
        return r;
    }
    add_capabilities(self);
    return pci_bus_add(bus, &self->pci, err);
}
