/*
 * UUIDs (RFC 9562). Kept in own code: libuuid's uuid_unparse_lower() and uuid_generate_random() do
 * the same, but would be one more library to load at each start for these few lines, and the
 * latter falls back to a predictable generator where the kernel gives no random bytes.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

enum { UUID_TEXT_SIZE = 37 }; /* with the NUL */

/* Lower-case text of a UUID that is stored as it reads. */
void uuid_format(const uint8_t raw[static 16], char text[static UUID_TEXT_SIZE]);
/* The same for a GUID as UEFI and Windows store it: the first three fields are little-endian. */
void guid_format(const uint8_t raw[static 16], char text[static UUID_TEXT_SIZE]);
/* A new random one (section 5.4). */
int uuid_random(uint8_t ret[static 16], struct error **err);
