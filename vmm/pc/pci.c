#include "vmm/pc/pci.h"

#include <errno.h>

#include "base/checked.h"
#include "vmm/pc/pci_device.h"

enum {
    SLOTS = 32,
    FUNCTION_SIZE = 4096, /* of ECAM: PCI Express 3.0 §7.2.2 */
    PORT_ADDRESS = 0xcf8, /* PCI Local Bus 3.0 §3.2.2.3.2 */
    PORT_DATA = 0xcfc,

    /* The host bridge has nothing to configure. These numbers are those of the generic one that
     * guests know from QEMU. */
    VENDOR_REDHAT = 0x1b36,
    DEVICE_HOST_BRIDGE = 0x0008,
    CLASS_BRIDGE = 0x06,
};

#define ADDRESS_ENABLE UINT32_C(0x80000000)

struct pci_bus {
    struct machine_hooks *hooks;
    struct pci_layout layout;
    struct pci_device *slots[SLOTS];
    unsigned count;
    uint64_t next_place; /* for the next BAR */
    uint32_t address;    /* what the guest wrote into PORT_ADDRESS */
    bool has_ecam, has_ports;
};

/* `address`: of ECAM, 4096 bytes a function, of which conventional devices use the first 256. The
 * access lies within the function. */
static uint64_t config_read(const struct pci_bus *bus, uint64_t address, unsigned size)
{
    uint64_t function = address / FUNCTION_SIZE, offset = address % FUNCTION_SIZE;
    struct pci_device *device = function % 8 == 0 ? bus->slots[function / 8] : NULL;
    if (!device)
        return UINT64_MAX;
    if (!range_within(offset, size, PCI_CONFIG_SIZE))
        return 0;
    return pci_device_config_read(device, (unsigned)offset, size);
}

static void config_write(const struct pci_bus *bus, uint64_t address, unsigned size, uint64_t value)
{
    uint64_t function = address / FUNCTION_SIZE, offset = address % FUNCTION_SIZE;
    struct pci_device *device = function % 8 == 0 ? bus->slots[function / 8] : NULL;
    if (device && range_within(offset, size, PCI_CONFIG_SIZE))
        pci_device_config_write(device, (unsigned)offset, size, value);
}

static uint64_t ecam_read(void *opaque, uint64_t offset, unsigned size)
{
    return range_within(offset % FUNCTION_SIZE, size, FUNCTION_SIZE)
               ? config_read(opaque, offset, size)
               : UINT64_MAX;
}

static void ecam_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    if (range_within(offset % FUNCTION_SIZE, size, FUNCTION_SIZE))
        config_write(opaque, offset, size, value);
}

static const struct bus_ops ecam_ops = {.read = ecam_read, .write = ecam_write};

static uint64_t address_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct pci_bus *bus = opaque;
    return offset == 0 && size == 4 ? bus->address : UINT64_MAX;
}

static void address_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct pci_bus *bus = opaque;
    if (offset == 0 && size == 4)
        bus->address = (uint32_t)value;
}

static const struct bus_ops address_ops = {.read = address_read, .write = address_write};

/* Where an access of the data port goes to, as in ECAM. False: to no device of this bus. */
static bool data_target(const struct pci_bus *bus, uint64_t offset, unsigned size, uint64_t *ret)
{
    uint32_t address = bus->address;
    if (!(address & ADDRESS_ENABLE) || (address >> 16 & 0xff) != 0 ||
        !range_within(offset, size, 4))
        return false;
    *ret = (uint64_t)(address >> 8 & 0xff) * FUNCTION_SIZE + (address & 0xfc) + offset;
    return true;
}

static uint64_t data_read(void *opaque, uint64_t offset, unsigned size)
{
    uint64_t target;
    return data_target(opaque, offset, size, &target) ? config_read(opaque, target, size)
                                                      : UINT64_MAX;
}

static void data_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    uint64_t target;
    if (data_target(opaque, offset, size, &target))
        config_write(opaque, target, size, value);
}

static const struct bus_ops data_ops = {.read = data_read, .write = data_write};

static void bridge_free(struct pci_device *device)
{
    free(device);
}

static const struct pci_device_ops bridge_ops = {.free = bridge_free};

static int add_host_bridge(struct pci_bus *bus, struct error **err)
{
    const struct pci_id id = {
        .vendor = VENDOR_REDHAT, .device = DEVICE_HOST_BRIDGE, .class = CLASS_BRIDGE};
    struct pci_device *bridge = calloc(1, sizeof(*bridge));
    if (!bridge)
        return error_oom(err);
    pci_device_init(bridge, &bridge_ops, &id, 0);
    return pci_bus_add(bus, bridge, err);
}

static int map_config_space(struct pci_bus *bus, struct error **err)
{
    const struct pci_window *ecam = &bus->layout.ecam;
    int r = 0;
    if (ecam->size > 0) {
        if (ecam->size != PCI_ECAM_SIZE || ecam->address % PCI_ECAM_SIZE != 0)
            return error_set(err, EINVAL,
                             "PCI: the configuration space's window has a wrong size or alignment");
        r = bus_map(bus->hooks->mmio, ecam->address, ecam->size, &ecam_ops, bus, err);
        bus->has_ecam = r == 0;
    }
    if (r == 0 && bus->layout.ports) {
        r = bus_map(bus->hooks->ports, PORT_ADDRESS, 4, &address_ops, bus, err);
        bus->has_ports = r == 0;
        if (r == 0 && (r = bus_map(bus->hooks->ports, PORT_DATA, 4, &data_ops, bus, err)) < 0) {
            bus_unmap(bus->hooks->ports, PORT_ADDRESS);
            bus->has_ports = false;
        }
    }
    return r < 0 ? error_wrap(err, "PCI") : 0;
}

int pci_bus_new(struct machine_hooks *hooks, const struct pci_layout *layout, struct pci_bus **ret,
                struct error **err)
{
    _cleanup_pci_bus_ struct pci_bus *bus = calloc(1, sizeof(*bus));
    if (!bus)
        return error_oom(err);
    bus->hooks = hooks;
    bus->layout = *layout;
    bus->next_place = layout->memory32.address;
    int r = map_config_space(bus, err);
    if (r == 0)
        r = add_host_bridge(bus, err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(bus);
    return 0;
}

int pci_bus_add(struct pci_bus *bus, struct pci_device *device, struct error **err)
{
    const struct pci_window *window = &bus->layout.memory32;
    if (bus->count == SLOTS) {
        pci_device_free(device);
        return error_set(err, ENOSPC, "PCI: all %d slots are taken", SLOTS);
    }
    if (device->bar_size > 0) {
        uint64_t place = round_up(bus->next_place, device->bar_size);
        if (!range_within(place - window->address, device->bar_size, window->size)) {
            pci_device_free(device);
            return error_set(err, ENOSPC, "PCI: the window for the memory of devices is full");
        }
        pci_device_place(device, place);
        bus->next_place = place + device->bar_size;
    }
    device->hooks = bus->hooks;
    device->layout = &bus->layout;
    bus->slots[bus->count++] = device;
    return 0;
}

struct machine_hooks *pci_bus_hooks(const struct pci_bus *bus)
{
    return bus->hooks;
}

void pci_bus_reset(struct pci_bus *bus)
{
    bus->address = 0;
    for (unsigned i = 0; i < bus->count; i++)
        pci_device_reset(bus->slots[i]);
}

bool pci_bus_settle(struct pci_bus *bus, bool end, uint64_t deadline)
{
    bool settled = true;
    for (unsigned i = 0; bus && i < bus->count; i++) {
        const struct pci_device_ops *ops = bus->slots[i]->ops;
        if (ops->settle && !ops->settle(bus->slots[i], end, deadline))
            settled = false;
    }
    return settled;
}

void pci_bus_free(struct pci_bus *bus)
{
    if (!bus)
        return;
    for (unsigned i = 0; i < bus->count; i++)
        pci_device_free(bus->slots[i]);
    if (bus->has_ecam)
        bus_unmap(bus->hooks->mmio, bus->layout.ecam.address);
    if (bus->has_ports) {
        bus_unmap(bus->hooks->ports, PORT_ADDRESS);
        bus_unmap(bus->hooks->ports, PORT_DATA);
    }
    free(bus);
}
