#include "customize/ssh_key.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/fdio.h"

/* Longer than any key: 16384 bits of RSA are 2.8 kB. */
enum { blob_max = 16384 };

static const size_t file_max = 1 << 20;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* RFC 4648, section 4. Returns the number of bytes, or 0 when the text is not sound. */
static size_t base64_decode(const char *text, size_t length, uint8_t *out)
{
    if (length == 0 || length % 4 != 0 || length / 4 * 3 > blob_max)
        return 0;
    size_t padding = 0;
    while (padding < 2 && text[length - 1 - padding] == '=')
        padding++;
    uint32_t bits = 0;
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        int value = i >= length - padding ? 0 : base64_value(text[i]);
        if (value < 0)
            return 0;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 3)
            continue;
        out[count++] = (uint8_t)(bits >> 16);
        out[count++] = (uint8_t)(bits >> 8);
        out[count++] = (uint8_t)bits;
    }
    return count - padding;
}

/* A string of RFC 4251, section 5: a length and so many bytes. */
static bool take_string(const uint8_t *blob, size_t size, size_t *offset, const uint8_t **ret,
                        size_t *ret_length)
{
    if (size - *offset < 4)
        return false;
    const uint8_t *p = blob + *offset;
    uint32_t length = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    if (!range_within(*offset + 4, length, size))
        return false;
    *ret = p + 4;
    *ret_length = length;
    *offset += 4 + (size_t)length;
    return true;
}

static bool blob_fits_type(const struct ssh_key *key)
{
    uint8_t blob[blob_max];
    size_t size = base64_decode(key->blob, key->blob_length, blob);
    size_t offset = 0;
    const uint8_t *name;
    size_t length;
    if (!take_string(blob, size, &offset, &name, &length) || length != key->type_length ||
        memcmp(name, key->type, length) != 0 || offset == size)
        return false;
    /* Certificates hold numbers as well, so that their end cannot be told in this simple way. */
    if (memmem(key->type, key->type_length, "-cert-", strlen("-cert-")))
        return true;
    /* All else is strings to the end: a key that was cut off shows. */
    while (offset < size)
        if (!take_string(blob, size, &offset, &name, &length))
            return false;
    return true;
}

static size_t skip_blanks(const char *line, size_t length, size_t at)
{
    while (at < length && is_blank(line[at]))
        at++;
    return at;
}

static size_t skip_word(const char *line, size_t length, size_t at)
{
    while (at < length && !is_blank(line[at]))
        at++;
    return at;
}

/* Options end at a blank outside of double quotes. */
static size_t skip_options(const char *line, size_t length, size_t at)
{
    bool quoted = false;
    for (; at < length && (quoted || !is_blank(line[at])); at++) {
        if (line[at] == '\\' && at + 1 < length && line[at + 1] == '"')
            at++;
        else if (line[at] == '"')
            quoted = !quoted;
    }
    return at < length ? at : length;
}

static bool parse_type_and_blob(const char *line, size_t length, size_t at, struct ssh_key *key)
{
    size_t end = skip_word(line, length, at);
    key->type = line + at;
    key->type_length = end - at;
    at = skip_blanks(line, length, end);
    end = skip_word(line, length, at);
    key->blob = line + at;
    key->blob_length = end - at;
    return blob_fits_type(key);
}

bool ssh_key_parse(const char *line, size_t length, struct ssh_key *ret)
{
    size_t start = skip_blanks(line, length, 0);
    struct ssh_key key = {.options = line + start};
    if (!parse_type_and_blob(line, length, start, &key)) {
        size_t end = skip_options(line, length, start);
        key.options_length = end - start;
        if (!parse_type_and_blob(line, length, skip_blanks(line, length, end), &key))
            return false;
    }
    *ret = key;
    return true;
}

static bool same_part(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

bool ssh_key_equal(const struct ssh_key *a, const struct ssh_key *b)
{
    return same_part(a->options, a->options_length, b->options, b->options_length) &&
           same_part(a->blob, a->blob_length, b->blob, b->blob_length);
}

static int complain(const char *line, size_t length, const char *name, struct error **err)
{
    error_set(err, EINVAL, "%s: holds no SSH public key where one is expected", name);
    if (memmem(line, length, "PRIVATE KEY", strlen("PRIVATE KEY"))) {
        error_hint(err, "This is a private key. Give the public one: usually the file that ends "
                        "in .pub.");
        return -EINVAL;
    }
    error_hint(err,
               "A public key is one line, as in the files ~/.ssh/id_*.pub, and must be whole.");
    return -EINVAL;
}

int ssh_keys_parse(const char *text, size_t size, const char *name, struct strv *keys,
                   struct error **err)
{
    const char *end = text + size;
    size_t before = keys->count;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = newline ? (size_t)(newline - text) : (size_t)(end - text);
        const char *line = text;
        text += length + (newline ? 1 : 0);
        while (length > 0 && (is_blank(line[length - 1]) || line[length - 1] == '\r'))
            length--;
        size_t start = skip_blanks(line, length, 0);
        if (start == length || line[start] == '#')
            continue;
        struct ssh_key key;
        if (memchr(line, '\0', length) || !ssh_key_parse(line, length, &key))
            return complain(line, length, name, err);
        int r = strv_take(keys, strndup(line + start, length - start), err);
        if (r < 0)
            return r;
    }
    return keys->count > before ? 0 : complain("", 0, name, err);
}

int ssh_keys_read(const char *path, struct strv *keys, struct error **err)
{
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = file_read(path, file_max, &text, &size, err);
    return r < 0 ? r : ssh_keys_parse(text, size, path, keys, err);
}
