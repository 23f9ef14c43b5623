/* UTF-16LE, as Windows and GUID partition tables store text, to and from UTF-8. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/endian.h"
#include "base/error.h"

#define UTF16_INVALID UINT32_C(0xfffd)

/* The character at units[*at], which moves behind it; *at must be below `count`. A surrogate
 * without its other half is UTF16_INVALID. */
uint32_t utf16_next(const le16_t *units, size_t count, size_t *at);

/* The bytes of a character in UTF-8, 1 to 4 of them; returns how many. */
size_t utf8_put(uint32_t character, char out[static 4]);

/* The text up to the first NUL, or to the end of the `size` bytes. What is no UTF-16 becomes
 * U+FFFD, as Windows shows it. Caller frees; NULL: out of memory. */
char *utf16_decode(const char *data, size_t size, struct error **err);

/* The other way, with as many NULs behind the text; it must be UTF-8. *ret_size: bytes, with the
 * NULs. Caller frees. */
int utf16_encode(const char *text, unsigned nuls, char **ret, size_t *ret_size, struct error **err);
