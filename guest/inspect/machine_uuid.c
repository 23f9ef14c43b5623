/* HMAC-SHA-256 (RFC 2104) with the machine id as key over the application's id, cut to 128 bits,
 * with the version and variant of a random UUID. */
#include "guest/inspect/machine_uuid.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/digest.h"

enum { BLOCK = 64, HASH = 32, ID = 16 };

static int digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Bytes of hexadecimal text, in which hyphens do not count. */
static bool parse_hex(const char *text, uint8_t *out, size_t count)
{
    for (size_t i = 0; i < 2 * count; i++) {
        text += strspn(text, "-");
        if (!isxdigit((unsigned char)*text))
            return false;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | digit(*text++));
    }
    return *text == '\0';
}

static int hash(const uint8_t *key, uint8_t pad, const uint8_t *data, size_t size,
                uint8_t ret[static HASH], struct error **err)
{
    uint8_t block[BLOCK + HASH];
    char hex[DIGEST_MAX_HEX];
    memset(block, pad, BLOCK);
    for (size_t i = 0; i < ID; i++)
        block[i] ^= key[i];
    memcpy(block + BLOCK, data, size);
    int r = digest_bytes(DIGEST_SHA256, block, BLOCK + size, hex, err);
    if (r == 0)
        parse_hex(hex, ret, HASH);
    return r;
}

int machine_uuid(const char *machine_id, const char *application, char ret[static UUID_TEXT_SIZE],
                 struct error **err)
{
    uint8_t key[ID], id[ID], inner[HASH], outer[HASH];
    if (!parse_hex(machine_id, key, ID) || !parse_hex(application, id, ID))
        return 0;
    int r = hash(key, 0x36, id, ID, inner, err);
    if (r == 0)
        r = hash(key, 0x5c, inner, HASH, outer, err);
    if (r < 0)
        return r;
    outer[6] = (outer[6] & 0x0f) | 0x40;
    outer[8] = (outer[8] & 0x3f) | 0x80;
    uuid_format(outer, ret);
    return 1;
}
