/* Random bytes of the kernel's generator, for what must not be guessed. */
#pragma once

#include <stddef.h>

#include "base/error.h"

int random_bytes(void *buf, size_t count, struct error **err);

/* `count` characters, each drawn evenly from `alphabet` (at most 256 characters), and a NUL: out
 * has room for count + 1. */
int random_text(const char *alphabet, size_t count, char *out, struct error **err);
