#include "vmm/pc/serial.h"

#include <string.h>

#include "base/checked.h"

enum {
    reg_data = 0, /* and the divisor's lower half */
    reg_ier = 1,  /* and the divisor's upper half */
    reg_iir = 2,  /* FCR where written */
    reg_lcr = 3,
    reg_mcr = 4,
    reg_lsr = 5,
    reg_msr = 6,
    reg_scratch = 7,

    ier_receive = 0x01,
    ier_transmit = 0x02,
    ier_line = 0x04,
    ier_mask = 0x0f,

    iir_none = 0x01,
    iir_transmit = 0x02,
    iir_receive = 0x04,
    iir_line = 0x06,
    iir_fifo = 0xc0,

    fcr_enable = 0x01,
    fcr_clear_receive = 0x02,
    fcr_kept = 0xc9,

    lcr_divisor = 0x80,

    mcr_dtr = 0x01,
    mcr_rts = 0x02,
    mcr_out1 = 0x04,
    mcr_out2 = 0x08,
    mcr_loop = 0x10,
    mcr_mask = 0x1f,

    lsr_ready = 0x01,
    lsr_overrun = 0x02,
    lsr_empty = 0x60, /* transmitter: holding register and shift register */

    msr_cts = 0x10,
    msr_dsr = 0x20,
    msr_ring = 0x40,
    msr_carrier = 0x80,
};

static size_t room(const struct serial *serial)
{
    return serial->fcr & fcr_enable ? SERIAL_FIFO : 1;
}

/*
 * A hardware transmitter raises its interrupt once when it becomes empty, and again after it was
 * filled. Writes of data may arrive late, in a batch; so this one keeps the interrupt raised for as
 * long as the guest has it enabled. A driver that writes until it has nothing left and then
 * disables the interrupt sees no difference.
 */
static uint8_t identify(const struct serial *serial)
{
    if (serial->ier & ier_line && serial->overrun)
        return iir_line;
    if (serial->ier & ier_receive && serial->received > 0)
        return iir_receive;
    if (serial->ier & ier_transmit)
        return iir_transmit;
    return iir_none;
}

static void update_interrupt(struct serial *serial)
{
    bool raised = identify(serial) != iir_none;
    if (raised == serial->raised)
        return;
    serial->raised = raised;
    serial->ops->interrupt(serial->context, raised);
}

static uint8_t take_received(struct serial *serial)
{
    if (serial->received == 0)
        return 0;
    uint8_t byte = serial->fifo[0];
    serial->received--;
    memmove(serial->fifo, serial->fifo + 1, serial->received);
    return byte;
}

static uint8_t modem_status(const struct serial *serial)
{
    if (!(serial->mcr & mcr_loop))
        return msr_carrier | msr_dsr | msr_cts;
    uint8_t status = 0;
    if (serial->mcr & mcr_rts)
        status |= msr_cts;
    if (serial->mcr & mcr_dtr)
        status |= msr_dsr;
    if (serial->mcr & mcr_out1)
        status |= msr_ring;
    if (serial->mcr & mcr_out2)
        status |= msr_carrier;
    return status;
}

static uint8_t line_status(struct serial *serial)
{
    uint8_t status = lsr_empty;
    if (serial->received > 0)
        status |= lsr_ready;
    if (serial->overrun)
        status |= lsr_overrun;
    serial->overrun = false;
    return status;
}

static uint8_t read_register(struct serial *serial, unsigned reg)
{
    bool divisor = serial->lcr & lcr_divisor;
    switch (reg) {
    case reg_data:
        return divisor ? serial->divisor[0] : take_received(serial);
    case reg_ier:
        return divisor ? serial->divisor[1] : serial->ier;
    case reg_iir:
        return identify(serial) | (serial->fcr & fcr_enable ? iir_fifo : 0);
    case reg_lcr:
        return serial->lcr;
    case reg_mcr:
        return serial->mcr;
    case reg_lsr:
        return line_status(serial);
    case reg_msr:
        return modem_status(serial);
    default:
        return serial->scratch;
    }
}

static void put_received(struct serial *serial, uint8_t byte)
{
    if (serial->received < room(serial))
        serial->fifo[serial->received++] = byte;
    else
        serial->overrun = true;
}

static void write_fcr(struct serial *serial, uint8_t value)
{
    /* Changing the mode empties the FIFO as well. */
    if (value & fcr_clear_receive || (value ^ serial->fcr) & fcr_enable)
        serial->received = 0;
    serial->fcr = value & fcr_enable ? value & fcr_kept : 0;
}

static void write_register(struct serial *serial, unsigned reg, uint8_t value)
{
    bool divisor = serial->lcr & lcr_divisor;
    switch (reg) {
    case reg_data:
        if (divisor)
            serial->divisor[0] = value;
        else if (serial->mcr & mcr_loop)
            put_received(serial, value);
        else
            serial->ops->output(serial->context, value);
        break;
    case reg_ier:
        if (divisor)
            serial->divisor[1] = value;
        else
            serial->ier = value & ier_mask;
        break;
    case reg_iir:
        write_fcr(serial, value);
        break;
    case reg_lcr:
        serial->lcr = value;
        break;
    case reg_mcr:
        serial->mcr = value & mcr_mask;
        break;
    case reg_scratch:
        serial->scratch = value;
        break;
    default: /* the two status registers */
        break;
    }
}

/* Registers are a byte wide; a wider access reaches those behind as well. */
static uint64_t serial_read(void *device, uint64_t offset, unsigned size)
{
    struct serial *serial = device;
    uint64_t value = 0;
    serial->touched = true;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)read_register(serial, (unsigned)offset + i) << (8 * i);
    update_interrupt(serial);
    return value;
}

static void serial_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct serial *serial = device;
    serial->touched = true;
    for (unsigned i = 0; i < size; i++)
        write_register(serial, (unsigned)offset + i, (uint8_t)(value >> (8 * i)));
    update_interrupt(serial);
}

const struct bus_ops serial_bus_ops = {.read = serial_read, .write = serial_write};

void serial_init(struct serial *serial, const struct serial_ops *ops, void *context)
{
    /* 9600 baud, 8 bits, as firmware would leave it. */
    *serial =
        (struct serial){.ops = ops, .context = context, .divisor = {12, 0}, .lcr = 3, .mcr = 8};
}

void serial_remind(struct serial *serial)
{
    if (serial->raised && !serial->touched) {
        serial->ops->interrupt(serial->context, false);
        serial->ops->interrupt(serial->context, true);
    }
    serial->touched = false;
}

size_t serial_receive(struct serial *serial, const void *bytes, size_t count)
{
    if (serial->mcr & mcr_loop)
        return 0;
    size_t taken = min_u64(count, room(serial) - min_u64(serial->received, room(serial)));
    memcpy(serial->fifo + serial->received, bytes, taken);
    serial->received += taken;
    update_interrupt(serial);
    return taken;
}
