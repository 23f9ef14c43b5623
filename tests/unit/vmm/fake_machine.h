/* A machine without processors: plain memory, buses, and hooks that keep what devices ask for. */
#pragma once

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>

#include "tests/unit/unit.h"
#include "vmm/pc/machine_hooks.h"
#include "vmm/pc/pci.h"

enum { FAKE_MAX = 64, FAKE_MEMORY = 4 << 20 };

#define FAKE_ECAM        UINT64_C(0xe0000000)
#define FAKE_WINDOW32    UINT64_C(0xd0000000)
#define FAKE_WINDOW64    UINT64_C(0x800000000)
#define FAKE_WINDOW_SIZE (UINT64_C(16) << 20)

struct fake_machine {
    struct machine_hooks hooks; /* first */
    struct guest_memory memory;
    struct bus ports, mmio;
    struct pci_bus *pci;
    struct {
        uint64_t address;
        int fd;
    } doorbells[FAKE_MAX];
    struct {
        int fd; /* -1: free */
        uint64_t address;
        uint32_t data;
    } messages[FAKE_MAX];
    unsigned message_calls;
    bool no_doorbells; /* the machine has none left */
};

static int fake_doorbell_add(struct machine_hooks *hooks, uint64_t address, int fd,
                             struct error **err)
{
    struct fake_machine *m = (struct fake_machine *)hooks;
    for (size_t i = 0; i < FAKE_MAX && !m->no_doorbells; i++)
        if (m->doorbells[i].address == 0) {
            m->doorbells[i].address = address;
            m->doorbells[i].fd = fd;
            return 0;
        }
    return error_set(err, ENOSPC, "no more doorbells");
}

static void fake_doorbell_remove(struct machine_hooks *hooks, uint64_t address, int fd)
{
    struct fake_machine *m = (struct fake_machine *)hooks;
    for (size_t i = 0; i < FAKE_MAX; i++)
        if (m->doorbells[i].address == address && m->doorbells[i].fd == fd) {
            m->doorbells[i].address = 0;
            return;
        }
    fail_msg("a doorbell that was never there was removed");
}

static int fake_msi_set(struct machine_hooks *hooks, int fd, uint64_t address, uint32_t data,
                        struct error **err)
{
    struct fake_machine *m = (struct fake_machine *)hooks;
    size_t slot = FAKE_MAX;
    (void)err;
    m->message_calls++;
    for (size_t i = 0; i < FAKE_MAX; i++)
        if (m->messages[i].fd == fd || (slot == FAKE_MAX && m->messages[i].fd < 0))
            slot = i;
    assert_true(slot < FAKE_MAX);
    m->messages[slot].fd = fd;
    m->messages[slot].address = address;
    m->messages[slot].data = data;
    return 0;
}

static void fake_msi_clear(struct machine_hooks *hooks, int fd)
{
    struct fake_machine *m = (struct fake_machine *)hooks;
    for (size_t i = 0; i < FAKE_MAX; i++)
        if (m->messages[i].fd == fd) {
            m->messages[i].fd = -1;
            return;
        }
    fail_msg("a message that was never set was cleared");
}

static void fake_machine_init(struct fake_machine *m)
{
    const struct pci_layout layout = {
        .ecam = {FAKE_ECAM, PCI_ECAM_SIZE},
        .memory32 = {FAKE_WINDOW32, FAKE_WINDOW_SIZE},
        .memory64 = {FAKE_WINDOW64, FAKE_WINDOW_SIZE},
        .ports = true,
    };
    *m = (struct fake_machine){.hooks = {.memory = &m->memory,
                                         .ports = &m->ports,
                                         .mmio = &m->mmio,
                                         .doorbell_add = fake_doorbell_add,
                                         .doorbell_remove = fake_doorbell_remove,
                                         .msi_set = fake_msi_set,
                                         .msi_clear = fake_msi_clear}};
    for (size_t i = 0; i < FAKE_MAX; i++)
        m->messages[i].fd = -1;
    assert_int_equal(guest_memory_map(FAKE_MEMORY, false, &m->memory, NULL), 0);
    assert_int_equal(pci_bus_new(&m->hooks, &layout, &m->pci, NULL), 0);
}

/* Everything that was put into the machine must have been taken out again. */
static void fake_machine_free(struct fake_machine *m)
{
    pci_bus_free(m->pci);
    for (size_t i = 0; i < FAKE_MAX; i++) {
        assert_int_equal(m->doorbells[i].address, 0);
        assert_int_equal(m->messages[i].fd, -1);
    }
    assert_int_equal(m->ports.count, 0);
    assert_int_equal(m->mmio.count, 0);
    bus_free(&m->ports);
    bus_free(&m->mmio);
    guest_memory_unmap(&m->memory);
}

/* A write of the guest, which rings a doorbell where there is one. */
static inline void fake_write(struct fake_machine *m, uint64_t address, unsigned size,
                              uint64_t value)
{
    for (size_t i = 0; i < FAKE_MAX; i++)
        if (m->doorbells[i].address == address) {
            eventfd_write(m->doorbells[i].fd, 1);
            return;
        }
    bus_write(&m->mmio, address, size, value);
}

/* Waits for the interrupt with this data; false: it did not come in time. */
static inline bool fake_interrupted(const struct fake_machine *m, uint32_t data, int timeout_ms)
{
    for (size_t i = 0; i < FAKE_MAX; i++) {
        struct pollfd pfd = {.fd = m->messages[i].fd, .events = POLLIN};
        eventfd_t count;
        if (m->messages[i].fd < 0 || m->messages[i].data != data)
            continue;
        return poll(&pfd, 1, timeout_ms) == 1 && eventfd_read(pfd.fd, &count) == 0;
    }
    return false;
}

static inline uint64_t fake_config_read(const struct fake_machine *m, unsigned slot,
                                        unsigned offset, unsigned size)
{
    return bus_read(&m->mmio, FAKE_ECAM + ((uint64_t)slot << 15) + offset, size);
}

static inline void fake_config_write(const struct fake_machine *m, unsigned slot, unsigned offset,
                                     unsigned size, uint64_t value)
{
    bus_write(&m->mmio, FAKE_ECAM + ((uint64_t)slot << 15) + offset, size, value);
}
