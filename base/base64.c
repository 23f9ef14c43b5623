#include "base/base64.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

void base64_append(struct str *str, const void *data, size_t size)
{
    /* A whole number of groups at a time, so that padding comes at the end alone. */
    enum { step = 3 * 256 };
    for (const uint8_t *bytes = data; size > 0;) {
        unsigned char text[step / 3 * 4 + 1];
        size_t part = size < step ? size : step;
        int length = EVP_EncodeBlock(text, bytes, (int)part);
        str_append_n(str, text, (size_t)length);
        bytes += part;
        size -= part;
    }
}

/* How many of the characters at the end are padding. -1: this is not base64. */
static int padding_of(const char *text, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int padding = 0;
    if (length % 4 != 0)
        return -1;
    for (; padding < 2 && length > 0 && text[length - 1] == '='; padding++)
        length--;
    for (size_t i = 0; i < length; i++)
        if (!memchr(digits, text[i], sizeof(digits) - 1))
            return -1;
    return padding;
}

int base64_decode(const char *text, size_t length, uint8_t **ret, size_t *ret_size,
                  struct error **err)
{
    /* EVP_DecodeBlock() takes white space at both ends for nothing, and padding for data. */
    int padding = padding_of(text, length);
    if (padding < 0 || length > INT_MAX)
        return -EINVAL;
    _cleanup_free_ uint8_t *bytes = malloc(length / 4 * 3 + 1);
    if (!bytes)
        return error_oom(err);
    int size = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
    if (size < padding)
        return -EINVAL;
    *ret = TAKE_PTR(bytes);
    *ret_size = (size_t)(size - padding);
    return 0;
}
