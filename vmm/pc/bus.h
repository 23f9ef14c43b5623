/*
 * An address space that a guest reads and writes without memory behind it: I/O ports, or memory
 * mapped I/O. A bus belongs to the thread that holds its machine's lock.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* `size` is 1, 2, 4 or 8 and the access lies within the range; values are those of a little-endian
 * machine. What a guest does is never an error: what a device does not have reads as all ones and
 * ignores writes. */
struct bus_ops {
    uint64_t (*read)(void *device, uint64_t offset, unsigned size);
    void (*write)(void *device, uint64_t offset, unsigned size, uint64_t value);
};

struct bus_range {
    uint64_t address, size;
    const struct bus_ops *ops;
    void *device;
};

struct bus {
    struct bus_range *ranges; /* sorted by address */
    size_t count;
};

/* -EEXIST when the range overlaps another one. */
int bus_map(struct bus *bus, uint64_t address, uint64_t size, const struct bus_ops *ops,
            void *device, struct error **err);
/* Absent is fine. */
void bus_unmap(struct bus *bus, uint64_t address);
/* An access that no range holds as a whole reads as all ones. */
uint64_t bus_read(const struct bus *bus, uint64_t address, unsigned size);
void bus_write(const struct bus *bus, uint64_t address, unsigned size, uint64_t value);
void bus_free(struct bus *bus);
