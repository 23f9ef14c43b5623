/* Base64 as Python's binascii.a2b_base64() takes it: what is no base64 is skipped, and a complete
 * padding ends the text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Decodes into `bytes`, which has room for length + 1; a NUL follows the last. False: the end is
 * not whole; what is before it was decoded. */
bool base64_loose_decode(const char *text, size_t length, char *bytes, size_t *ret_count);
