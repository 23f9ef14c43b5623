/* UTF-16LE, as Windows stores text, to and from UTF-8. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* The text up to the first NUL, or to the end of the `size` bytes. What is no UTF-16 becomes
 * U+FFFD, as Windows shows it. Caller frees; NULL: out of memory. */
char *utf16_decode(const char *data, size_t size, struct error **err);

/* The other way, with as many NULs behind the text; it must be UTF-8. *ret_size: bytes, with the
 * NULs. Caller frees. */
int utf16_encode(const char *text, unsigned nuls, char **ret, size_t *ret_size, struct error **err);
