#include "guest/inspect/utf16.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/endian.h"
#include "base/str.h"

static void append_utf8(struct str *text, uint32_t c)
{
    char bytes[4];
    if (c < 0x80) {
        bytes[0] = (char)c;
        str_append_n(text, bytes, 1);
    } else if (c < 0x800) {
        bytes[0] = (char)(0xc0 | c >> 6);
        bytes[1] = (char)(0x80 | (c & 0x3f));
        str_append_n(text, bytes, 2);
    } else if (c < 0x10000) {
        bytes[0] = (char)(0xe0 | c >> 12);
        bytes[1] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[2] = (char)(0x80 | (c & 0x3f));
        str_append_n(text, bytes, 3);
    } else {
        bytes[0] = (char)(0xf0 | c >> 18);
        bytes[1] = (char)(0x80 | (c >> 12 & 0x3f));
        bytes[2] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[3] = (char)(0x80 | (c & 0x3f));
        str_append_n(text, bytes, 4);
    }
}

char *utf16_decode(const char *data, size_t size, struct error **err)
{
    _cleanup_str_ struct str text = {0};
    for (size_t at = 0; at + 1 < size; at += 2) {
        le16_t unit, low;
        memcpy(&unit, data + at, sizeof(unit));
        uint32_t c = le16_get(unit);
        if (c == 0)
            break;
        if (c >= 0xd800 && c < 0xe000) {
            bool paired = c < 0xdc00 && at + 3 < size;
            if (paired) {
                memcpy(&low, data + at + 2, sizeof(low));
                paired = le16_get(low) >= 0xdc00 && le16_get(low) < 0xe000;
            }
            c = paired ? 0x10000 + ((c & 0x3ff) << 10) + (le16_get(low) & 0x3ffu) : 0xfffd;
            at += paired ? 2 : 0;
        }
        append_utf8(&text, c);
    }
    return str_take(&text, err);
}

int utf16_encode(const char *text, unsigned nuls, char **ret, size_t *ret_size, struct error **err)
{
    size_t length = strlen(text);
    le16_t *units = calloc(length + nuls, sizeof(*units));
    if (!units)
        return error_oom(err);
    size_t n = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        unsigned extra = *at >= 0xf0 ? 3 : *at >= 0xe0 ? 2 : *at >= 0xc0 ? 1 : 0;
        uint32_t c = extra == 0 ? *at : *at & (0x3fu >> extra);
        for (at++; extra > 0 && (*at & 0xc0) == 0x80; extra--, at++)
            c = c << 6 | (*at & 0x3f);
        if (c >= 0x10000) {
            units[n++] = le16_put((uint16_t)(0xd7c0 + (c >> 10)));
            c = 0xdc00 | (c & 0x3ff);
        }
        units[n++] = le16_put((uint16_t)c);
    }
    *ret = (char *)units;
    *ret_size = (n + nuls) * sizeof(*units);
    return 0;
}
