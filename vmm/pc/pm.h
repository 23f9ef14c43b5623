/*
 * Sleep and reset, as ACPI 6.4 has it for hardware-reduced machines (§4.8.3.7): a sleep control, a
 * sleep status and a reset register, each one I/O port wide. Zero-initialise, then set the event.
 */
#pragma once

#include <stdint.h>

#include "vmm/pc/bus.h"
#include "vmm/pc/guest_memory.h"

enum {
    PM_SLEEP_CONTROL = 0, /* offsets of the registers */
    PM_SLEEP_STATUS = 1,
    PM_RESET = 2,
    PM_PORTS = 3,
    PM_SLEEP_TYPE_OFF = 5, /* for SLP_TYPx, as \_S5 says */
    PM_RESET_VALUE = 1,
};

/* What ends a machine, or starts it anew. */
enum machine_event { MACHINE_POWER_OFF, MACHINE_RESET };

struct machine_events {
    void (*happened)(void *context, enum machine_event event);
    void *context;
};

/* The device is a struct machine_events. */
extern const struct bus_ops pm_bus_ops;

/* The reset line of the keyboard controller (IBM PC/AT technical reference: command 0xfe to port
 * 0x64), and nothing else of it. One port wide; the device is a struct machine_events. */
extern const struct bus_ops i8042_bus_ops;
enum { I8042_PORT = 0x64 };

/* Writes, to where firmware would begin, real mode code that resets the machine: Linux jumps there
 * to restart a hardware-reduced machine that has no UEFI. */
int pm_write_reset_code(const struct guest_memory *memory, struct error **err);
