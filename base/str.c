#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

static bool reserve(struct str *str, size_t extra)
{
    if (str->failed)
        return false;
    if (extra < str->capacity - str->length)
        return true;
    size_t capacity = str->capacity ? str->capacity : 64;
    while (capacity - str->length <= extra) {
        if (capacity > SIZE_MAX / 2) {
            str->failed = true;
            return false;
        }
        capacity *= 2;
    }
    char *data = realloc(str->data, capacity);
    if (!data) {
        str->failed = true;
        return false;
    }
    str->data = data;
    str->capacity = capacity;
    return true;
}

void str_append_n(struct str *str, const void *bytes, size_t count)
{
    if (!reserve(str, count))
        return;
    if (count)
        memcpy(str->data + str->length, bytes, count);
    str->length += count;
    str->data[str->length] = '\0';
}

void str_append(struct str *str, const char *text)
{
    str_append_n(str, text, strlen(text));
}

void str_appendf(struct str *str, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text;
    int length = vasprintf(&text, fmt, args);
    va_end(args);
    if (length < 0) {
        str->failed = true;
        return;
    }
    str_append_n(str, text, (size_t)length);
    free(text);
}

char *str_take(struct str *str, struct error **err)
{
    str_append_n(str, "", 0);
    if (str->failed) {
        str_free(str);
        error_oom(err);
        return NULL;
    }
    char *data = str->data;
    *str = (struct str){0};
    return data;
}

void str_free(struct str *str)
{
    free(str->data);
    *str = (struct str){0};
}

int strv_take(struct strv *list, char *text, struct error **err)
{
    if (!text)
        return error_oom(err);
    char **items = reallocarray(list->items, list->count + 2, sizeof(*items));
    if (!items) {
        free(text);
        return error_oom(err);
    }
    items[list->count++] = text;
    items[list->count] = NULL;
    list->items = items;
    return 0;
}

int strv_add(struct strv *list, const char *text, struct error **err)
{
    return strv_take(list, strdup(text), err);
}

int strv_addf(struct strv *list, struct error **err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text;
    int length = vasprintf(&text, fmt, args);
    va_end(args);
    return strv_take(list, length < 0 ? NULL : text, err);
}

bool strv_contains(const struct strv *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

void strv_free(struct strv *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct strv){0};
}

char *str_printf(struct error **err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text;
    int length = vasprintf(&text, fmt, args);
    va_end(args);
    if (length < 0) {
        error_oom(err);
        return NULL;
    }
    return text;
}

int str_replace(char **slot, const char *text, struct error **err)
{
    char *copy = NULL;
    if (text) {
        copy = strdup(text);
        if (!copy)
            return error_oom(err);
    }
    free(*slot);
    *slot = copy;
    return 0;
}

bool str_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
    size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

char *str_strip(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

int parse_u64(const char *text, const char *what, uint64_t *ret, struct error **err)
{
    uint64_t value = 0;
    if (!*text)
        return error_set(err, EINVAL, "%s: a number is expected, not an empty string", what);
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9')
            return error_set(err, EINVAL, "%s: '%s' is not a number", what, text);
        if (!checked_mul(value, 10, &value) || !checked_add(value, (uint64_t)(*p - '0'), &value))
            return error_set(err, ERANGE, "%s: %s is too large", what, text);
    }
    *ret = value;
    return 0;
}

/* Reads "digits[.digits]" and points *ret_end behind it. strtod() would also take signs, exponents,
 * hexadecimal and "nan". */
static bool read_decimal(const char *text, const char **ret_end, long double *ret)
{
    size_t whole = strspn(text, "0123456789");
    size_t length = whole;
    if (whole == 0)
        return false;
    if (text[whole] == '.')
        length += 1 + strspn(text + whole + 1, "0123456789");
    if (text[length - 1] == '.' || length >= 40)
        return false;
    char number[40];
    memcpy(number, text, length);
    number[length] = '\0';
    *ret = strtold(number, NULL);
    *ret_end = text + length;
    return true;
}

struct unit {
    const char *suffix;
    uint64_t factor;
};

static int parse_with_units(const char *text, const char *what, const struct unit *units,
                            const char *examples, uint64_t *ret, struct error **err)
{
    const char *suffix;
    long double number;
    if (!read_decimal(text, &suffix, &number))
        return error_set(err, EINVAL, "%s: '%s' is not valid; use %s", what, text, examples);
    for (; units->suffix; units++) {
        if (strcasecmp(suffix, units->suffix) != 0)
            continue;
        long double scaled = number * units->factor;
        if (scaled > (long double)INT64_MAX)
            return error_set(err, ERANGE, "%s: %s is too large", what, text);
        *ret = (uint64_t)scaled;
        return 0;
    }
    return error_set(err, EINVAL, "%s: '%s' has an unknown unit '%s'; use %s", what, text, suffix,
                     examples);
}

/* `bare` is what a number without a unit counts. */
static int parse_bytes(const char *text, const char *what, uint64_t bare, uint64_t *ret_bytes,
                       struct error **err)
{
    const struct unit units[] = {
        {"", bare},        {"b", 1},
        {"k", 1ull << 10}, {"kib", 1ull << 10},
        {"m", 1ull << 20}, {"mib", 1ull << 20},
        {"g", 1ull << 30}, {"gib", 1ull << 30},
        {"t", 1ull << 40}, {"tib", 1ull << 40},
        {NULL, 0},
    };
    return parse_with_units(text, what, units, "a size like 512M, 10G or 1.5T", ret_bytes, err);
}

int parse_size(const char *text, const char *what, uint64_t *ret_bytes, struct error **err)
{
    return parse_bytes(text, what, 1, ret_bytes, err);
}

int parse_memory(const char *text, const char *what, uint64_t *ret_bytes, struct error **err)
{
    return parse_bytes(text, what, 1 << 20, ret_bytes, err);
}

int parse_duration(const char *text, const char *what, uint64_t *ret_ms, struct error **err)
{
    static const struct unit units[] = {
        {"ms", 1}, {"", 1000}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}, {NULL, 0},
    };
    return parse_with_units(text, what, units, "a time like 90s, 2m or 1h", ret_ms, err);
}

const char *format_size(uint64_t bytes, char buf[static 16])
{
    static const char units[] = "KMGTPE";
    if (bytes < 1024) {
        snprintf(buf, 16, "%u", (unsigned)bytes);
        return buf;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    while (value >= 1023.95 && unit + 2 < sizeof(units)) {
        value /= 1024;
        unit++;
    }
    snprintf(buf, 16, value < 99.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
    return buf;
}

/* Length of the well-formed UTF-8 sequence at p (RFC 3629, section 4), or 0. */
static size_t utf8_length(const unsigned char *p)
{
    size_t length;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        length = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        length = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        length = 4;
    else
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return length;
}

bool str_is_utf8(const char *text, size_t size)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + size;
    for (size_t length; p < end; p += length) {
        length = utf8_length(p);
        if (length == 0)
            return false;
    }
    return true;
}

char *str_printable(const char *text)
{
    _cleanup_str_ struct str out = {0};
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        size_t length = utf8_length(p);
        /* C1 controls (U+0080..U+009F) drive terminals as well as C0 does. */
        bool control = length == 1 ? (*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f
                                   : length == 2 && p[0] == 0xc2 && p[1] < 0xa0;
        if (length == 0 || control) {
            str_appendf(&out, "\\x%02x", *p);
            p++;
            continue;
        }
        str_append_n(&out, p, length);
        p += length;
    }
    return str_take(&out, NULL);
}

void hex_encode(const uint8_t *bytes, size_t count, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * count] = '\0';
}
