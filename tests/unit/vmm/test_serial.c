/* The UART, as drivers look at it. */

#include <string.h>

#include "tests/unit/unit.h"
#include "vmm/pc/serial.h"

enum { DATA, IER, IIR, FCR = IIR, LCR, MCR, LSR, MSR, SCRATCH };

struct line {
    char sent[64];
    size_t count;
    bool raised;
    unsigned edges;
    struct serial serial;
};

static void take(void *context, uint8_t byte)
{
    struct line *line = context;
    assert_true(line->count < sizeof(line->sent) - 1);
    line->sent[line->count++] = (char)byte;
}

static void interrupt(void *context, bool raised)
{
    struct line *line = context;
    assert_int_not_equal(raised, line->raised);
    line->raised = raised;
    line->edges += raised;
}

static const struct serial_ops ops = {.output = take, .interrupt = interrupt};

static void start(struct line *line)
{
    memset(line, 0, sizeof(*line));
    serial_init(&line->serial, &ops, line);
}

static uint8_t get(struct line *line, unsigned reg)
{
    return (uint8_t)serial_bus_ops.read(&line->serial, reg, 1);
}

static void put(struct line *line, unsigned reg, uint8_t value)
{
    serial_bus_ops.write(&line->serial, reg, 1, value);
}

static void test_output(void **state)
{
    (void)state;
    struct line line;
    start(&line);
    assert_int_equal(get(&line, LSR) & 0x60, 0x60);
    put(&line, DATA, 'h');
    put(&line, DATA, 'i');
    assert_int_equal(get(&line, LSR) & 0x60, 0x60);
    assert_string_equal(line.sent, "hi");
    assert_int_equal(line.edges, 0);
}

/* What Linux's 8250 driver tries to find out which kind it has before it. */
static void test_it_is_found(void **state)
{
    (void)state;
    struct line line;
    start(&line);
    put(&line, IER, 0);
    assert_int_equal(get(&line, IER), 0);
    put(&line, IER, 0xff);
    assert_int_equal(get(&line, IER), 0x0f);
    put(&line, IER, 0);
    put(&line, MCR, 0x10 | 0x0a);
    assert_int_equal(get(&line, MSR) & 0xf0, 0x90);
    put(&line, MCR, 0);
    put(&line, FCR, 0x01);
    assert_int_equal(get(&line, IIR) >> 6, 3);
    put(&line, LCR, 0x80);
    put(&line, DATA, 0x34);
    put(&line, IER, 0x12);
    assert_int_equal(get(&line, DATA), 0x34);
    assert_int_equal(get(&line, IER), 0x12);
    put(&line, LCR, 0x03);
    assert_int_equal(get(&line, IER), 0);
    put(&line, SCRATCH, 0xa5);
    assert_int_equal(get(&line, SCRATCH), 0xa5);
    assert_int_equal(line.count, 0);
}

static void test_divisor_is_no_output(void **state)
{
    (void)state;
    struct line line;
    start(&line);
    put(&line, DATA, 'a');
    put(&line, LCR, 0x83);
    put(&line, DATA, 'x');
    put(&line, LCR, 0x03);
    put(&line, DATA, 'b');
    assert_string_equal(line.sent, "ab");
}

static void test_transmit_interrupt(void **state)
{
    (void)state;
    struct line line;
    start(&line);
    assert_int_equal(get(&line, IIR), 0x01);
    put(&line, IER, 0x02);
    assert_true(line.raised);
    assert_int_equal(get(&line, IIR), 0x02);
    for (int i = 0; i < 16; i++)
        put(&line, DATA, 'x');
    /* It goes on until the driver has nothing left. */
    assert_int_equal(get(&line, IIR), 0x02);
    put(&line, IER, 0);
    assert_int_equal(get(&line, IIR), 0x01);
    assert_false(line.raised);
    assert_int_equal(line.edges, 1);
}

static void test_a_driver_that_gave_up_is_reminded(void **state)
{
    (void)state;
    struct line line;
    start(&line);
    put(&line, IER, 0x02);
    serial_remind(&line.serial);
    assert_int_equal(line.edges, 1);
    serial_remind(&line.serial);
    assert_int_equal(line.edges, 2);
    assert_true(line.raised);
    get(&line, IIR);
    serial_remind(&line.serial);
    assert_int_equal(line.edges, 2);
    put(&line, IER, 0);
    serial_remind(&line.serial);
    serial_remind(&line.serial);
    assert_false(line.raised);
}

static void test_input(void **state)
{
    (void)state;
    struct line line;
    start(&line);
    put(&line, FCR, 0x01);
    put(&line, IER, 0x01);
    assert_false(line.raised);
    assert_int_equal(serial_receive(&line.serial, "root\n", 5), 5);
    assert_true(line.raised);
    assert_int_equal(get(&line, IIR) & 0x0f, 0x04);
    char got[8] = "";
    for (int i = 0; get(&line, LSR) & 1; i++)
        got[i] = (char)get(&line, DATA);
    assert_string_equal(got, "root\n");
    assert_false(line.raised);
    assert_int_equal(get(&line, DATA), 0);
}

static void test_input_beyond_the_fifo(void **state)
{
    (void)state;
    struct line line;
    char many[40];
    memset(many, 'y', sizeof(many));
    start(&line);
    /* Without FIFO mode there is room for one byte. */
    assert_int_equal(serial_receive(&line.serial, many, sizeof(many)), 1);
    put(&line, FCR, 0x01);
    assert_int_equal(get(&line, LSR) & 1, 0);
    assert_int_equal(serial_receive(&line.serial, many, sizeof(many)), 16);
    assert_int_equal(serial_receive(&line.serial, many, sizeof(many)), 0);
    put(&line, FCR, 0x03);
    assert_int_equal(get(&line, LSR) & 1, 0);
}

static void test_loop(void **state)
{
    (void)state;
    struct line line;
    start(&line);
    put(&line, FCR, 0x01);
    put(&line, MCR, 0x10);
    for (int i = 0; i < 17; i++)
        put(&line, DATA, (uint8_t)i);
    assert_int_equal(line.count, 0);
    assert_int_equal(get(&line, LSR) & 0x03, 0x03);
    assert_int_equal(get(&line, LSR) & 0x02, 0);
    for (int i = 0; i < 16; i++)
        assert_int_equal(get(&line, DATA), i);
    assert_int_equal(get(&line, LSR) & 1, 0);
    assert_int_equal(serial_receive(&line.serial, "x", 1), 0);
}

static void test_wide_accesses(void **state)
{
    (void)state;
    struct line line;
    start(&line);
    serial_bus_ops.write(&line.serial, SCRATCH, 1, 0x5a);
    serial_bus_ops.write(&line.serial, DATA, 2, 0x0241);
    assert_string_equal(line.sent, "A");
    assert_int_equal(get(&line, IER), 2);
    assert_int_equal(serial_bus_ops.read(&line.serial, MSR, 2), 0x5ab0);
    serial_bus_ops.write(&line.serial, DATA, 8, 0);
    assert_int_equal(serial_bus_ops.read(&line.serial, SCRATCH, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_it_is_found),
        cmocka_unit_test(test_divisor_is_no_output),
        cmocka_unit_test(test_transmit_interrupt),
        cmocka_unit_test(test_a_driver_that_gave_up_is_reminded),
        cmocka_unit_test(test_input),
        cmocka_unit_test(test_input_beyond_the_fifo),
        cmocka_unit_test(test_loop),
        cmocka_unit_test(test_wide_accesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
