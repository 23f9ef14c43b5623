/*
 * The clock of a PC (Motorola MC146818A data sheet), telling the host's time in UTC. It raises no
 * interrupt: tables say so. Setting it has no effect on what it tells.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#include "vmm/pc/bus.h"

enum { RTC_PORT = 0x70, RTC_PORTS = 2 };

struct rtc {
    time_t (*now)(void); /* NULL: the host's clock */
    uint8_t index;
    uint8_t memory[128]; /* of which 0 to 13 and 50 are registers */
};

/* The device is a struct rtc. */
extern const struct bus_ops rtc_bus_ops;

void rtc_init(struct rtc *rtc);
