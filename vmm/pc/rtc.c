#include "vmm/pc/rtc.h"

#include "base/cleanup.h"

enum {
    reg_seconds = 0,
    reg_minutes = 2,
    reg_hours = 4,
    reg_weekday = 6,
    reg_day = 7,
    reg_month = 8,
    reg_year = 9,
    reg_a = 10, /* update in progress: never */
    reg_b = 11,
    reg_c = 12, /* interrupt flags: none */
    reg_d = 13,
    reg_century = 50,

    b_binary = 0x04,
    b_24_hours = 0x02,
    d_valid = 0x80,
    hours_pm = 0x80,
};

static uint8_t encode(const struct rtc *rtc, int value)
{
    if (rtc->memory[reg_b] & b_binary)
        return (uint8_t)value;
    return (uint8_t)(value / 10 << 4 | value % 10);
}

static uint8_t hours(const struct rtc *rtc, int hour)
{
    if (rtc->memory[reg_b] & b_24_hours)
        return encode(rtc, hour);
    int shown = hour % 12 == 0 ? 12 : hour % 12;
    return encode(rtc, shown) | (hour >= 12 ? hours_pm : 0);
}

static uint8_t read_register(const struct rtc *rtc, uint8_t index)
{
    time_t now = rtc->now ? rtc->now() : time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    switch (index) {
    case reg_seconds:
        return encode(rtc, tm.tm_sec % 60);
    case reg_minutes:
        return encode(rtc, tm.tm_min);
    case reg_hours:
        return hours(rtc, tm.tm_hour);
    case reg_weekday:
        return encode(rtc, tm.tm_wday + 1);
    case reg_day:
        return encode(rtc, tm.tm_mday);
    case reg_month:
        return encode(rtc, tm.tm_mon + 1);
    case reg_year:
        return encode(rtc, tm.tm_year % 100);
    case reg_century:
        return encode(rtc, (tm.tm_year + 1900) / 100);
    case reg_c:
        return 0;
    case reg_d:
        return d_valid;
    default:
        return rtc->memory[index];
    }
}

static uint64_t rtc_read(void *device, uint64_t offset, unsigned size)
{
    const struct rtc *rtc = device;
    /* The index cannot be read back, and there is nothing wider than a byte. */
    if (offset != 1 || size != 1)
        return UINT64_MAX;
    return read_register(rtc, rtc->index);
}

static void rtc_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct rtc *rtc = device;
    if (offset == 0)
        rtc->index = (uint8_t)(value & (ARRAY_SIZE(rtc->memory) - 1));
    if (offset == 0 && size > 1)
        value >>= 8;
    if (offset == 1 || size > 1)
        rtc->memory[rtc->index] = (uint8_t)value;
}

const struct bus_ops rtc_bus_ops = {.read = rtc_read, .write = rtc_write};

void rtc_init(struct rtc *rtc)
{
    /* 32768 Hz, 1024 Hz; 24 hours, in BCD. */
    *rtc = (struct rtc){.memory = {[reg_a] = 0x26, [reg_b] = b_24_hours}};
}
