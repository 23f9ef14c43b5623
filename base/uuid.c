#include "base/uuid.h"

#include <stdio.h>

#include "base/random.h"
#include "base/str.h"

void uuid_format(const uint8_t raw[static 16], char text[static UUID_TEXT_SIZE])
{
    char hex[33];
    hex_encode(raw, 16, hex);
    snprintf(text, UUID_TEXT_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
             hex + 20);
}

void guid_format(const uint8_t raw[static 16], char text[static UUID_TEXT_SIZE])
{
    /* UEFI 2.10, appendix A. */
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t as_it_reads[16];
    for (size_t i = 0; i < sizeof(order); i++)
        as_it_reads[i] = raw[order[i]];
    uuid_format(as_it_reads, text);
}

int uuid_random(uint8_t ret[static 16], struct error **err)
{
    int r = random_bytes(ret, 16, err);
    if (r < 0)
        return r;
    ret[6] = (uint8_t)((ret[6] & 0x0f) | 0x40);
    ret[8] = (uint8_t)((ret[8] & 0x3f) | 0x80);
    return 0;
}
