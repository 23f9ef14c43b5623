#include "vmm/pc/pci_device.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"

/* The configuration space header, PCI Local Bus 3.0 §6.1. */
enum {
    CONFIG_VENDOR = 0x00,
    CONFIG_DEVICE = 0x02,
    CONFIG_COMMAND = 0x04,
    CONFIG_STATUS = 0x06,
    CONFIG_REVISION = 0x08,
    CONFIG_SUBCLASS = 0x0a,
    CONFIG_CLASS = 0x0b,
    CONFIG_CACHE_LINE = 0x0c,
    CONFIG_BAR = 0x10,
    CONFIG_SUBSYSTEM_VENDOR = 0x2c,
    CONFIG_SUBSYSTEM = 0x2e,
    CONFIG_CAPABILITIES = 0x34,
    CONFIG_INTERRUPT_LINE = 0x3c,
    CONFIG_HEADER_END = 0x40,

    COMMAND_MEMORY = 0x0002,
    COMMAND_MASTER = 0x0004,
    COMMAND_NO_INTX = 0x0400,
    STATUS_CAPABILITIES = 0x0010,
    BAR_MEMORY_64 = 0x4,
    BAR_FLAGS = 0xf,
};

static void put16(uint8_t *at, uint16_t value)
{
    le16_t field = le16_put(value);
    memcpy(at, &field, sizeof(field));
}

static uint16_t get16(const uint8_t *at)
{
    le16_t field;
    memcpy(&field, at, sizeof(field));
    return le16_get(field);
}

static void put64(uint8_t *at, uint64_t value)
{
    le64_t field = le64_put(value);
    memcpy(at, &field, sizeof(field));
}

static uint64_t get64(const uint8_t *at)
{
    le64_t field;
    memcpy(&field, at, sizeof(field));
    return le64_get(field);
}

void pci_device_init(struct pci_device *device, const struct pci_device_ops *ops,
                     const struct pci_id *id, uint64_t bar_size)
{
    assert((bar_size & (bar_size - 1)) == 0);
    device->ops = ops;
    device->bar_size = bar_size;
    device->config_end = CONFIG_HEADER_END;
    put16(device->config + CONFIG_VENDOR, id->vendor);
    put16(device->config + CONFIG_DEVICE, id->device);
    device->config[CONFIG_REVISION] = id->revision;
    device->config[CONFIG_SUBCLASS] = id->subclass;
    device->config[CONFIG_CLASS] = id->class;
    put16(device->config + CONFIG_SUBSYSTEM_VENDOR, id->subsystem_vendor);
    put16(device->config + CONFIG_SUBSYSTEM, id->subsystem);
    put16(device->writable + CONFIG_COMMAND, COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
    device->writable[CONFIG_CACHE_LINE] = 0xff;
    device->writable[CONFIG_INTERRUPT_LINE] = 0xff;
    if (bar_size > 0) {
        device->config[CONFIG_BAR] = BAR_MEMORY_64;
        /* The guest learns the size from the bits that it cannot set. */
        put64(device->writable + CONFIG_BAR, ~(bar_size - 1) & ~(uint64_t)BAR_FLAGS);
    }
}

unsigned pci_device_add_capability(struct pci_device *device, uint8_t id, const void *body,
                                   const void *writable, size_t size)
{
    unsigned header = device->config_end;
    unsigned end = (unsigned)round_up(header + 2 + size, 4);
    assert(end <= PCI_CONFIG_SIZE);
    /* Each points to the next one; the last to nothing. */
    unsigned link = CONFIG_CAPABILITIES;
    while (device->config[link] != 0)
        link = device->config[link] + 1u;
    device->config[link] = (uint8_t)header;
    device->config[header] = id;
    memcpy(device->config + header + 2, body, size);
    if (writable)
        memcpy(device->writable + header + 2, writable, size);
    device->config[CONFIG_STATUS] |= STATUS_CAPABILITIES;
    device->config_end = end;
    return header;
}

static uint64_t bar_read(void *opaque, uint64_t offset, unsigned size)
{
    struct pci_device *device = opaque;
    return device->ops->read(device, offset, size);
}

static void bar_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct pci_device *device = opaque;
    device->ops->write(device, offset, size, value);
}

static const struct bus_ops bar_ops = {.read = bar_read, .write = bar_write};

static bool window_holds(const struct pci_window *window, uint64_t address, uint64_t size)
{
    return address >= window->address &&
           range_within(address - window->address, size, window->size);
}

/* Makes the BAR visible where the guest wants it: nowhere, while it has no right place. */
static void update_mapping(struct pci_device *device)
{
    if (device->bar_size == 0 || !device->hooks)
        return;
    uint64_t address = get64(device->config + CONFIG_BAR) & ~(uint64_t)BAR_FLAGS;
    bool wanted = (get16(device->config + CONFIG_COMMAND) & COMMAND_MEMORY) &&
                  (window_holds(&device->layout->memory32, address, device->bar_size) ||
                   window_holds(&device->layout->memory64, address, device->bar_size));
    if (device->mapped && wanted && device->mapped_at == address)
        return;
    if (device->mapped) {
        bus_unmap(device->hooks->mmio, device->mapped_at);
        device->mapped = false;
        if (device->ops->moved)
            device->ops->moved(device);
    }
    /* Over another device it stays unseen as well. */
    if (!wanted ||
        bus_map(device->hooks->mmio, address, device->bar_size, &bar_ops, device, NULL) < 0)
        return;
    device->mapped = true;
    device->mapped_at = address;
    if (device->ops->moved)
        device->ops->moved(device);
}

uint64_t pci_device_config_read(struct pci_device *device, unsigned offset, unsigned size)
{
    le64_t value = {0};
    if (device->ops->config_read)
        device->ops->config_read(device, offset, size);
    memcpy(&value, device->config + offset, size);
    return le64_get(value);
}

void pci_device_config_write(struct pci_device *device, unsigned offset, unsigned size,
                             uint64_t value)
{
    le64_t bytes = le64_put(value);
    for (unsigned i = 0; i < size; i++) {
        uint8_t mask = device->writable[offset + i];
        uint8_t *at = &device->config[offset + i];
        *at = (uint8_t)((*at & ~mask) | (bytes.bytes[i] & mask));
    }
    update_mapping(device);
    if (device->ops->config_written)
        device->ops->config_written(device, offset, size);
}

void pci_device_place(struct pci_device *device, uint64_t address)
{
    device->bar_home = address;
    put64(device->config + CONFIG_BAR, address | BAR_MEMORY_64);
}

void pci_device_reset(struct pci_device *device)
{
    put16(device->config + CONFIG_COMMAND, 0);
    update_mapping(device);
    if (device->bar_size > 0)
        pci_device_place(device, device->bar_home);
    if (device->ops->reset)
        device->ops->reset(device);
}

void pci_device_free(struct pci_device *device)
{
    if (!device)
        return;
    put16(device->config + CONFIG_COMMAND, 0);
    update_mapping(device);
    device->ops->free(device);
}
