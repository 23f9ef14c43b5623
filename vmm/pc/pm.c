#include "vmm/pc/pm.h"

#include <errno.h>
#include <string.h>

#include "vmm/pc/machine_layout.h"

enum { slp_en = 0x20, slp_typ_shift = 2, slp_typ_mask = 7, pulse_reset = 0xfe };

static uint64_t pm_read(void *device, uint64_t offset, unsigned size)
{
    (void)device;
    (void)offset;
    (void)size;
    return 0;
}

static void write_byte(struct machine_events *events, uint64_t offset, uint8_t value)
{
    if (offset == PM_RESET && value == PM_RESET_VALUE)
        events->happened(events->context, MACHINE_RESET);
    if (offset == PM_SLEEP_CONTROL && value & slp_en &&
        (value >> slp_typ_shift & slp_typ_mask) == PM_SLEEP_TYPE_OFF)
        events->happened(events->context, MACHINE_POWER_OFF);
}

static void pm_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        write_byte(device, offset + i, (uint8_t)(value >> (8 * i)));
}

const struct bus_ops pm_bus_ops = {.read = pm_read, .write = pm_write};

/* Status: both buffers are empty. */
static uint64_t i8042_read(void *device, uint64_t offset, unsigned size)
{
    return pm_read(device, offset, size);
}

static void i8042_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct machine_events *events = device;
    (void)offset;
    (void)size;
    if ((value & 0xff) == pulse_reset)
        events->happened(events->context, MACHINE_RESET);
}

const struct bus_ops i8042_bus_ops = {.read = i8042_read, .write = i8042_write};

int pm_write_reset_code(const struct guest_memory *memory, struct error **err)
{
    enum { port = LAYOUT_PM_PORT + PM_RESET };
    static const uint8_t code[] = {
        0xba, port & 0xff,    port >> 8, /* mov $port, %dx */
        0xb0, PM_RESET_VALUE,            /* mov $value, %al */
        0xee,                            /* out %al, (%dx) */
        0xf4,                            /* hlt */
        0xeb, 0xfd,                      /* jmp to the hlt */
    };
    void *place = guest_memory_at(memory, LAYOUT_RESET_CODE, sizeof(code));
    if (!place)
        return error_set(err, ENOSPC, "the machine has no memory below 1 MiB");
    memcpy(place, code, sizeof(code));
    return 0;
}
