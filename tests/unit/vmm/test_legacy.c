/* The small devices of a PC: clock, keyboard controller's reset, sleep and reset registers. */

#include <string.h>

#include "tests/unit/unit.h"
#include "vmm/pc/machine_layout.h"
#include "vmm/pc/pm.h"
#include "vmm/pc/rtc.h"

static time_t some_time(void)
{
    return 1709213696; /* 2024-02-29 13:34:56 UTC, a Thursday */
}

static time_t midnight(void)
{
    return 1704067200; /* 2024-01-01 00:00:00 UTC */
}

static uint8_t clock_get(struct rtc *rtc, uint8_t index)
{
    rtc_bus_ops.write(rtc, 0, 1, index);
    return (uint8_t)rtc_bus_ops.read(rtc, 1, 1);
}

static void clock_put(struct rtc *rtc, uint8_t index, uint8_t value)
{
    rtc_bus_ops.write(rtc, 0, 1, index);
    rtc_bus_ops.write(rtc, 1, 1, value);
}

static void test_clock_in_bcd(void **state)
{
    (void)state;
    static const struct {
        uint8_t index, value;
    } rows[] = {{0, 0x56}, {2, 0x34}, {4, 0x13},  {6, 0x05},    {7, 0x29},
                {8, 0x02}, {9, 0x24}, {50, 0x20}, {0x0d, 0x80}, {0x0c, 0}};
    struct rtc rtc;
    rtc_init(&rtc);
    rtc.now = some_time;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(clock_get(&rtc, rows[i].index), rows[i].value);
    /* Never in the middle of an update. */
    assert_int_equal(clock_get(&rtc, 0x0a) & 0x80, 0);
}

static void test_clock_in_binary_and_twelve_hours(void **state)
{
    (void)state;
    struct rtc rtc;
    rtc_init(&rtc);
    rtc.now = some_time;
    clock_put(&rtc, 0x0b, 0x04);
    assert_int_equal(clock_get(&rtc, 0), 56);
    assert_int_equal(clock_get(&rtc, 4), 0x80 | 1);
    rtc.now = midnight;
    assert_int_equal(clock_get(&rtc, 4), 12);
}

static void test_clock_memory(void **state)
{
    (void)state;
    struct rtc rtc;
    rtc_init(&rtc);
    clock_put(&rtc, 0x8f, 0x12); /* the upper bit masks NMIs */
    assert_int_equal(clock_get(&rtc, 0x0f), 0x12);
    clock_put(&rtc, 127, 7);
    assert_int_equal(clock_get(&rtc, 255), 7);
    assert_int_equal(rtc_bus_ops.read(&rtc, 0, 1) & 0xff, 0xff);
    rtc_bus_ops.write(&rtc, 0, 2, 0x3410);
    assert_int_equal(clock_get(&rtc, 0x10), 0x34);
}

struct heard {
    unsigned off, reset;
};

static void happened(void *context, enum machine_event event)
{
    struct heard *heard = context;
    heard->off += event == MACHINE_POWER_OFF;
    heard->reset += event == MACHINE_RESET;
}

static void test_keyboard_controller(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct machine_events events = {.happened = happened, .context = &heard};
    /* Nothing waits in its buffers, so that Linux dares to send the command. */
    assert_int_equal(i8042_bus_ops.read(&events, 0, 1), 0);
    for (unsigned value = 0; value < 256; value++)
        i8042_bus_ops.write(&events, 0, 1, value);
    assert_int_equal(heard.reset, 1);
    assert_int_equal(heard.off, 0);
}

static void test_sleep_and_reset(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct machine_events events = {.happened = happened, .context = &heard};
    for (unsigned value = 0; value < 256; value++)
        pm_bus_ops.write(&events, PM_SLEEP_CONTROL, 1, value);
    /* Sleep type 5 with the enable bit; the other four bits do not count. */
    assert_int_equal(heard.off, 16);
    assert_int_equal(heard.reset, 0);
    pm_bus_ops.write(&events, PM_RESET, 1, 0);
    assert_int_equal(heard.reset, 0);
    pm_bus_ops.write(&events, PM_RESET, 1, PM_RESET_VALUE);
    assert_int_equal(heard.reset, 1);
    pm_bus_ops.write(&events, PM_SLEEP_STATUS, 2, PM_RESET_VALUE << 8);
    assert_int_equal(heard.reset, 2);
    assert_int_equal(pm_bus_ops.read(&events, PM_SLEEP_STATUS, 1), 0);
}

static void test_reset_code(void **state)
{
    (void)state;
    _cleanup_guest_memory_ struct guest_memory memory = {0};
    assert_int_equal(guest_memory_map(2 << 20, false, &memory, NULL), 0);
    assert_int_equal(pm_write_reset_code(&memory, NULL), 0);
    const uint8_t *code = guest_memory_at(&memory, 0xffff0, 16);
    static const uint8_t wanted[] = {0xba, 0x02, 0x06, 0xb0, 0x01, 0xee, 0xf4};
    assert_memory_equal(code, wanted, sizeof(wanted));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_in_bcd),
        cmocka_unit_test(test_clock_in_binary_and_twelve_hours),
        cmocka_unit_test(test_clock_memory),
        cmocka_unit_test(test_keyboard_controller),
        cmocka_unit_test(test_sleep_and_reset),
        cmocka_unit_test(test_reset_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
