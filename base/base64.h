/* Base64 (RFC 4648, section 4), by libcrypto. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* Appends the bytes on one line, without a newline. */
void base64_append(struct str *str, const void *data, size_t size);

/* Decodes text that is base64 and nothing else: no white space, a length that is a multiple of 4.
 * -EINVAL without a message for other text. Caller frees. */
int base64_decode(const char *text, size_t length, uint8_t **ret, size_t *ret_size,
                  struct error **err);
