/* The test for zeroes, on which sparse files rest. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool bytes_are_zero(const void *bytes, size_t count)
{
    const uint8_t *p = bytes;
    /* Equal to itself moved by one byte: all bytes are like the first. memcmp() is vectorised, and
     * data usually differs within the first bytes. */
    return count == 0 || (p[0] == 0 && memcmp(p, p + 1, count - 1) == 0);
}
