#include "vmm/pc/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

/* The first range that ends behind the address; count when there is none. */
static size_t find_slot(const struct bus *bus, uint64_t address)
{
    size_t low = 0, high = bus->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct bus_range *range = &bus->ranges[middle];
        if (range->address + (range->size - 1) < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int bus_map(struct bus *bus, uint64_t address, uint64_t size, const struct bus_ops *ops,
            void *device, struct error **err)
{
    uint64_t last;
    if (size == 0 || !checked_add(address, size - 1, &last))
        return error_set(err, EINVAL, "no device can be at 0x%llx", (unsigned long long)address);
    size_t slot = find_slot(bus, address);
    if (slot < bus->count && bus->ranges[slot].address <= last)
        return error_set(err, EEXIST, "another device is at 0x%llx already",
                         (unsigned long long)bus->ranges[slot].address);
    struct bus_range *ranges = reallocarray(bus->ranges, bus->count + 1, sizeof(*ranges));
    if (!ranges)
        return error_oom(err);
    bus->ranges = ranges;
    memmove(&ranges[slot + 1], &ranges[slot], (bus->count - slot) * sizeof(*ranges));
    ranges[slot] =
        (struct bus_range){.address = address, .size = size, .ops = ops, .device = device};
    bus->count++;
    return 0;
}

void bus_unmap(struct bus *bus, uint64_t address)
{
    size_t slot = find_slot(bus, address);
    if (slot == bus->count || bus->ranges[slot].address != address)
        return;
    bus->count--;
    memmove(&bus->ranges[slot], &bus->ranges[slot + 1], (bus->count - slot) * sizeof(*bus->ranges));
}

static const struct bus_range *find_range(const struct bus *bus, uint64_t address, unsigned size)
{
    size_t slot = find_slot(bus, address);
    if (slot == bus->count || address < bus->ranges[slot].address)
        return NULL;
    const struct bus_range *range = &bus->ranges[slot];
    return range_within(address - range->address, size, range->size) ? range : NULL;
}

static uint64_t mask_of(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1;
}

uint64_t bus_read(const struct bus *bus, uint64_t address, unsigned size)
{
    const struct bus_range *range = find_range(bus, address, size);
    uint64_t value =
        range ? range->ops->read(range->device, address - range->address, size) : UINT64_MAX;
    return value & mask_of(size);
}

void bus_write(const struct bus *bus, uint64_t address, unsigned size, uint64_t value)
{
    const struct bus_range *range = find_range(bus, address, size);
    if (range)
        range->ops->write(range->device, address - range->address, size, value & mask_of(size));
}

void bus_free(struct bus *bus)
{
    free(bus->ranges);
    *bus = (struct bus){0};
}
