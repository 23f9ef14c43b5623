#include "base/utf16.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

uint32_t utf16_next(const le16_t *units, size_t count, size_t *at)
{
    uint32_t c = le16_get(units[(*at)++]);
    if ((c & 0xf800) != 0xd800)
        return c;
    if (c >= 0xdc00 || *at == count || (le16_get(units[*at]) & 0xfc00) != 0xdc00)
        return UTF16_INVALID;
    return 0x10000 + ((c & 0x3ff) << 10) + (le16_get(units[(*at)++]) & 0x3ffu);
}

size_t utf8_put(uint32_t character, char out[static 4])
{
    /* The leading byte tells by its upper bits how many bytes there are. */
    static const uint8_t leading[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; character >>= 6)
        out[i] = (char)(0x80 | (character & 0x3f));
    out[0] = (char)(leading[length] | character);
    return length;
}

char *utf16_decode(const char *data, size_t size, struct error **err)
{
    _cleanup_str_ struct str text = {0};
    /* What was read from a file may lie at an odd address: the units have an alignment of 1. */
    const le16_t *units = (const le16_t *)data;
    for (size_t at = 0; at < size / sizeof(*units);) {
        char bytes[4];
        uint32_t c = utf16_next(units, size / sizeof(*units), &at);
        if (c == 0)
            break;
        str_append_n(&text, bytes, utf8_put(c, bytes));
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
