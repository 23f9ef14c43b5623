/*
 * A 16550A UART (National Semiconductor PC16550D data sheet), whose line is infinitely fast: what
 * is written is sent at once, so that its transmitter is always empty. Belongs to the thread that
 * holds its machine's lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/pc/bus.h"

enum { SERIAL_PORTS = 8, SERIAL_FIFO = 16 };

struct serial_ops {
    void (*output)(void *context, uint8_t byte);
    /* The interrupt line changes to this level. */
    void (*interrupt)(void *context, bool raised);
};

struct serial {
    const struct serial_ops *ops;
    void *context;
    uint8_t ier, fcr, lcr, mcr, scratch;
    uint8_t divisor[2];
    uint8_t fifo[SERIAL_FIFO]; /* received, the oldest first; without FIFO mode one byte */
    size_t received;
    bool overrun;
    bool raised;
    bool touched; /* the guest came by since serial_remind() */
};

/* Offsets 0 to 7 of the registers. The device is a struct serial. */
extern const struct bus_ops serial_bus_ops;

/* As after a reset of the machine. */
void serial_init(struct serial *serial, const struct serial_ops *ops, void *context);

/* Drops and raises the interrupt line when it has been up since the last call without the guest
 * looking: a driver that gave up in the middle has no other reason to come back. */
void serial_remind(struct serial *serial);

/* Bytes from the line, as many as there is room for. Returns how many were taken. */
size_t serial_receive(struct serial *serial, const void *bytes, size_t count);
