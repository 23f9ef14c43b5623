/*
 * A guest that writes garbage to every port, BAR and ring: a machine with one device of each kind,
 * and a program of accesses from the input. Devices serve between the steps instead of in threads
 * of their own, so that an input does the same each time.
 *
 * Each step is ten bytes: what to access, how (size and direction), an address (32 bits) and a
 * value (32 bits).
 */

#include <stdbool.h>
#include <sys/eventfd.h>

#include "tests/fuzz/virtio_parts.h"
#include "vmm/virtio/pci.h"

enum {
    MEMORY = 64 << 10,
    STEP = 10,
    STEPS_MAX = 512,
    DOORBELLS = 16,
    BAR_SIZE = 0x4000,
};

#define ECAM     UINT64_C(0xe0000000)
#define WINDOW32 UINT64_C(0xd0000000)
#define WINDOW64 UINT64_C(0x800000000)

struct machine {
    struct machine_hooks hooks; /* first */
    struct guest_memory memory;
    struct bus ports, mmio;
    struct {
        uint64_t address;
        int fd;
    } doorbells[DOORBELLS];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Some are refused, as by a machine that has no more. */
static int doorbell_add(struct machine_hooks *hooks, uint64_t address, int fd, struct error **err)
{
    struct machine *m = (struct machine *)hooks;
    for (size_t i = 0; i < DOORBELLS; i++)
        if (m->doorbells[i].address == 0) {
            m->doorbells[i].address = address;
            m->doorbells[i].fd = fd;
            return 0;
        }
    return error_set(err, ENOSPC, "no more");
}

static void doorbell_remove(struct machine_hooks *hooks, uint64_t address, int fd)
{
    struct machine *m = (struct machine *)hooks;
    for (size_t i = 0; i < DOORBELLS; i++)
        if (m->doorbells[i].address == address && m->doorbells[i].fd == fd) {
            m->doorbells[i].address = 0;
            return;
        }
    abort();
}

static int msi_set(struct machine_hooks *hooks, int fd, uint64_t address, uint32_t data,
                   struct error **err)
{
    (void)hooks, (void)fd, (void)address;
    return data % 16 == 5 ? error_set(err, ENOSPC, "no more") : 0;
}

static void msi_clear(struct machine_hooks *hooks, int fd)
{
    (void)hooks, (void)fd;
}

static void write_memory(struct machine *m, uint64_t address, unsigned size, uint64_t value)
{
    for (size_t i = 0; i < DOORBELLS; i++)
        if (m->doorbells[i].address == address) {
            eventfd_write(m->doorbells[i].fd, 1);
            return;
        }
    void *at = guest_memory_at(&m->memory, address, size);
    if (at)
        memcpy(at, &value, size);
    else
        bus_write(&m->mmio, address, size, value);
}

/* Where the step goes to. False: to a port. */
static bool target(uint8_t what, uint32_t address, uint64_t *ret)
{
    unsigned device = what >> 4;
    switch (what & 7) {
    case 0:
        *ret = 0xcf0 + address % 32;
        return false;
    case 1: /* the configuration space of a device that there is */
        *ret = ECAM + (uint64_t)(device % 6) * 32768 + address % 256;
        return true;
    case 2: /* where its memory is found at first */
        *ret = WINDOW32 + (uint64_t)(device % PART_KINDS) * BAR_SIZE + address % BAR_SIZE;
        return true;
    case 3:
        *ret = WINDOW64 + address % (16 << 20);
        return true;
    case 4: /* what matters there: the common part, the table, the doorbells */
        *ret = WINDOW32 + (uint64_t)(device % PART_KINDS) * BAR_SIZE +
               (uint64_t)(address >> 8 & 3) * 0x1000 + address % 64;
        return true;
    case 5:
        *ret = ECAM + address % PCI_ECAM_SIZE;
        return true;
    case 6:
        *ret = address;
        return true;
    default:
        *ret = address % MEMORY;
        return true;
    }
}

static void step(struct machine *m, const uint8_t *data)
{
    uint32_t address, value;
    uint64_t where;
    unsigned size = 1u << (data[1] & 3);
    memcpy(&address, data + 2, sizeof(address));
    memcpy(&value, data + 6, sizeof(value));
    bool memory = target(data[0], address, &where), write = data[1] & 4;
    uint64_t wide = (uint64_t)value | (data[1] & 8 ? (uint64_t)value << 32 : 0);
    if (memory && write)
        write_memory(m, where, size, wide);
    else if (memory)
        bus_read(&m->mmio, where, size);
    else if (write)
        bus_write(&m->ports, where, size, wide);
    else
        bus_read(&m->ports, where, size);
}

static struct virtio_device *devices[PART_KINDS];

int virtio_device_start(struct virtio_device *device, const struct guest_memory *memory,
                        struct virtio_transport *transport, struct error **err)
{
    (void)err;
    device->memory = memory;
    device->transport = transport;
    return 0;
}

bool virtio_device_stop(struct virtio_device *device, uint64_t deadline)
{
    (void)device, (void)deadline;
    return true;
}

bool virtio_device_settle(struct virtio_device *device, uint64_t deadline)
{
    (void)device, (void)deadline;
    return true;
}

static void serve_kicked(void)
{
    for (unsigned i = 0; i < PART_KINDS; i++) {
        struct pollfd pfd = {.fd = devices[i]->kick, .events = POLLIN};
        eventfd_t kicks;
        if (poll(&pfd, 1, 0) != 1 || eventfd_read(devices[i]->kick, &kicks) < 0)
            continue;
        pthread_mutex_lock(&devices[i]->lock);
        virtio_device_serve(devices[i]);
        pthread_mutex_unlock(&devices[i]->lock);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *memory;
    if (!memory && posix_memalign((void **)&memory, 4096, MEMORY) != 0)
        abort();
    memset(memory, 0, MEMORY);
    const struct pci_layout layout = {.ecam = {ECAM, PCI_ECAM_SIZE},
                                      .memory32 = {WINDOW32, 16 << 20},
                                      .memory64 = {WINDOW64, 16 << 20},
                                      .ports = true};
    struct machine m = {.hooks = {.memory = &m.memory,
                                  .ports = &m.ports,
                                  .mmio = &m.mmio,
                                  .doorbell_add = doorbell_add,
                                  .doorbell_remove = doorbell_remove,
                                  .msi_set = msi_set,
                                  .msi_clear = msi_clear},
                        .memory = {.regions = {{0, MEMORY, memory}}, .count = 1}};
    struct pci_bus *bus = NULL;
    if (pci_bus_new(&m.hooks, &layout, &bus, NULL) < 0)
        abort();
    for (unsigned i = 0; i < PART_KINDS; i++) {
        devices[i] = part_new(i);
        if (virtio_pci_add(bus, devices[i], NULL) < 0)
            abort();
    }
    for (size_t i = 0; i < STEPS_MAX && (i + 1) * STEP <= size; i++) {
        step(&m, data + i * STEP);
        serve_kicked();
    }
    if (size % 2)
        pci_bus_reset(bus);
    pci_bus_free(bus);
    for (size_t i = 0; i < DOORBELLS; i++)
        if (m.doorbells[i].address != 0)
            abort();
    if (m.ports.count != 0 || m.mmio.count != 0)
        abort();
    bus_free(&m.ports);
    bus_free(&m.mmio);
    return 0;
}
