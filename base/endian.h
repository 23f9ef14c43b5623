/*
 * Fixed-endian integers for on-disk and in-guest structures. The wrapper structs have alignment 1
 * and cannot be used as plain integers by mistake; get and put convert.
 */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define DEFINE_ENDIAN(order, bits)                                                                 \
    typedef struct {                                                                               \
        uint8_t bytes[(bits) / 8];                                                                 \
    } order##bits##_t;                                                                             \
    static inline uint##bits##_t order##bits##_get(order##bits##_t field)                          \
    {                                                                                              \
        uint##bits##_t raw;                                                                        \
        memcpy(&raw, field.bytes, sizeof(raw));                                                    \
        return order##bits##toh(raw);                                                              \
    }                                                                                              \
    static inline order##bits##_t order##bits##_put(uint##bits##_t value)                          \
    {                                                                                              \
        order##bits##_t field;                                                                     \
        uint##bits##_t raw = hto##order##bits(value);                                              \
        memcpy(field.bytes, &raw, sizeof(raw));                                                    \
        return field;                                                                              \
    }                                                                                              \
    _Static_assert(sizeof(order##bits##_t) == (bits) / 8, "no padding")

DEFINE_ENDIAN(le, 16);
DEFINE_ENDIAN(le, 32);
DEFINE_ENDIAN(le, 64);
DEFINE_ENDIAN(be, 16);
DEFINE_ENDIAN(be, 32);
DEFINE_ENDIAN(be, 64);
