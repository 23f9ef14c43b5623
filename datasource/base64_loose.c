#include "datasource/base64_loose.h"

#include <stdint.h>
#include <string.h>

static int base64_value(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(alphabet, c) : NULL;
    return found ? (int)(found - alphabet) : -1;
}

bool base64_loose_decode(const char *text, size_t length, char *bytes, size_t *ret_count)
{
    size_t count = 0, pads = 0, place = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < length; i++) {
        int digit = base64_value(text[i]);
        if (text[i] == '=' && place >= 2 && place + ++pads >= 4) {
            place = 0;
            break;
        }
        if (digit < 0)
            continue;
        pads = 0;
        bits = bits << 6 | (uint32_t)digit;
        if (place > 0)
            bytes[count++] = (char)(bits >> (6 - 2 * place));
        place = (place + 1) % 4;
    }
    bytes[count] = '\0';
    *ret_count = count;
    return place == 0;
}
