#include "vmm/pc/aml.h"

#include <string.h>

#include "base/endian.h"

enum {
    op_zero = 0x00,
    op_one = 0x01,
    op_name = 0x08,
    op_byte = 0x0a,
    op_word = 0x0b,
    op_dword = 0x0c,
    op_string = 0x0d,
    op_qword = 0x0e,
    op_scope = 0x10,
    op_buffer = 0x11,
    op_package = 0x12,
    op_method = 0x14,
    op_ext = 0x5b,
    op_ext_device = 0x82,
    op_notify = 0x86,

    /* Every length is written in its longest form, so that terms need not be moved at their end. */
    length_bytes = 4,
    resource_head = length_bytes + 1 + 2, /* length, and the buffer's size as a word */
};

static void put8(struct str *out, uint8_t value)
{
    str_append_n(out, &value, 1);
}

static void put16(struct str *out, uint16_t value)
{
    le16_t field = le16_put(value);
    str_append_n(out, &field, sizeof(field));
}

static void put32(struct str *out, uint32_t value)
{
    le32_t field = le32_put(value);
    str_append_n(out, &field, sizeof(field));
}

static void put64(struct str *out, uint64_t value)
{
    le64_t field = le64_put(value);
    str_append_n(out, &field, sizeof(field));
}

void aml_name(struct str *out, const char *name)
{
    put8(out, op_name);
    str_append(out, name);
}

void aml_integer(struct str *out, uint64_t value)
{
    if (value <= 1) {
        put8(out, value ? op_one : op_zero);
    } else if (value <= UINT8_MAX) {
        put8(out, op_byte);
        put8(out, (uint8_t)value);
    } else if (value <= UINT16_MAX) {
        put8(out, op_word);
        put16(out, (uint16_t)value);
    } else if (value <= UINT32_MAX) {
        put8(out, op_dword);
        put32(out, (uint32_t)value);
    } else {
        put8(out, op_qword);
        put64(out, value);
    }
}

void aml_string(struct str *out, const char *text)
{
    put8(out, op_string);
    str_append_n(out, text, strlen(text) + 1);
}

static uint32_t hex_value(char digit)
{
    return digit <= '9' ? (uint32_t)(digit - '0') : (uint32_t)(digit - 'A' + 10);
}

void aml_eisa_id(struct str *out, const char *id)
{
    uint32_t value = 0;
    for (int i = 0; i < 3; i++)
        value = value << 5 | ((uint32_t)id[i] - 0x40);
    for (int i = 3; i < 7; i++)
        value = value << 4 | hex_value(id[i]);
    put8(out, op_dword);
    put32(out, __builtin_bswap32(value));
}

/* Leaves room for the length, which counts its own bytes as well. */
static struct aml_mark begin_length(struct str *out)
{
    struct aml_mark mark = {out->length};
    put32(out, 0);
    return mark;
}

struct aml_mark aml_begin_scope(struct str *out, const char *name)
{
    put8(out, op_scope);
    struct aml_mark mark = begin_length(out);
    str_append(out, name);
    return mark;
}

struct aml_mark aml_begin_device(struct str *out, const char *name)
{
    put8(out, op_ext);
    put8(out, op_ext_device);
    struct aml_mark mark = begin_length(out);
    str_append(out, name);
    return mark;
}

struct aml_mark aml_begin_package(struct str *out, uint8_t count)
{
    put8(out, op_package);
    struct aml_mark mark = begin_length(out);
    put8(out, count);
    return mark;
}

struct aml_mark aml_begin_method(struct str *out, const char *name, uint8_t arguments)
{
    put8(out, op_method);
    struct aml_mark mark = begin_length(out);
    str_append(out, name);
    put8(out, arguments);
    return mark;
}

void aml_notify(struct str *out, const char *name, uint8_t value)
{
    put8(out, op_notify);
    str_append(out, name);
    aml_integer(out, value);
}

/* §20.2.4: four bits in the first byte, below the number of bytes that follow, and eight in each of
 * those. */
void aml_end(struct str *out, struct aml_mark mark)
{
    if (out->failed)
        return;
    size_t length = out->length - mark.offset;
    uint8_t *bytes = (uint8_t *)out->data + mark.offset;
    bytes[0] = (uint8_t)((length_bytes - 1) << 6 | (length & 0x0f));
    for (int i = 1; i < length_bytes; i++)
        bytes[i] = (uint8_t)(length >> (4 + 8 * (i - 1)));
}

struct aml_mark aml_begin_resources(struct str *out)
{
    put8(out, op_buffer);
    struct aml_mark mark = begin_length(out);
    put8(out, op_word);
    put16(out, 0);
    return mark;
}

void aml_end_resources(struct str *out, struct aml_mark mark)
{
    put16(out, 0x0079); /* end tag; a checksum of zero counts as right */
    aml_end(out, mark);
    if (out->failed)
        return;
    le16_t size = le16_put((uint16_t)(out->length - mark.offset - resource_head));
    memcpy(out->data + mark.offset + length_bytes + 1, &size, sizeof(size));
}

void aml_io(struct str *out, uint16_t address, uint8_t size)
{
    put8(out, 0x47);
    put8(out, 1); /* all 16 address lines count */
    put16(out, address);
    put16(out, address);
    put8(out, 1);
    put8(out, size);
}

void aml_irq(struct str *out, unsigned irq)
{
    put8(out, 0x22);
    put16(out, (uint16_t)(1u << irq));
}

void aml_memory32(struct str *out, uint32_t address, uint32_t size)
{
    put8(out, 0x86);
    put16(out, 9);
    put8(out, 1); /* writable */
    put32(out, address);
    put32(out, size);
}

enum { window_memory = 0, window_bus = 2, window_fixed = 0x0c /* _MIF and _MAF */, writable = 1 };

void aml_bus_window(struct str *out, uint16_t first, uint16_t last)
{
    put8(out, 0x88);
    put16(out, 13);
    put8(out, window_bus);
    put8(out, window_fixed);
    put8(out, 0);
    put16(out, 0);
    put16(out, first);
    put16(out, last);
    put16(out, 0);
    put16(out, (uint16_t)(last - first + 1));
}

void aml_memory32_window(struct str *out, uint32_t address, uint32_t size)
{
    put8(out, 0x87);
    put16(out, 23);
    put8(out, window_memory);
    put8(out, window_fixed);
    put8(out, writable);
    put32(out, 0);
    put32(out, address);
    put32(out, address + (size - 1));
    put32(out, 0);
    put32(out, size);
}

void aml_memory64_window(struct str *out, uint64_t address, uint64_t size)
{
    put8(out, 0x8a);
    put16(out, 43);
    put8(out, window_memory);
    put8(out, window_fixed);
    put8(out, writable);
    put64(out, 0);
    put64(out, address);
    put64(out, address + (size - 1));
    put64(out, 0);
    put64(out, size);
}
