#include "datasource/yaml_scalar.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/checked.h"
#include "datasource/base64_loose.h"
#include "datasource/yaml_resolve.h"

/* sys.int_info.default_max_str_digits of Python 3.11. */
enum { max_digits = 4300 };

static char *without_underscores(const char *value, size_t length)
{
    char *clean = malloc(length + 1), *to = clean;
    if (!clean)
        return NULL;
    for (size_t i = 0; i < length; i++)
        if (value[i] != '_')
            *to++ = value[i];
    *to = '\0';
    return clean;
}

/* Takes off a sign. */
static bool is_negative(const char **at)
{
    bool negative = **at == '-';
    *at += **at == '-' || **at == '+';
    return negative;
}

/* The text without the white space around it, which Python's int() and float() allow. */
static void strip(const char **at, const char **end)
{
    while (*at < *end && isspace((unsigned char)**at))
        ++*at;
    while (*end > *at && isspace((unsigned char)(*end)[-1]))
        --*end;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* A whole number as Python's int(text, base) takes it, without underscores. */
struct number {
    bool negative;
    bool is_large; /* does not fit into 64 bits */
    uint64_t value;
    const char *digits; /* without leading zeros */
    size_t count;
};

static bool parse_number(const char *at, const char *end, int base, struct number *ret)
{
    struct number number = {0};
    strip(&at, &end);
    if (at < end)
        number.negative = is_negative(&at);
    const char *prefix = base == 2 ? "0b" : base == 8 ? "0o" : "0x";
    if (base != 10 && end - at > 2 && strncasecmp(at, prefix, 2) == 0)
        at += 2;
    if (at == end)
        return false;
    while (end - at > 1 && *at == '0')
        at++;
    number.digits = at;
    number.count = (size_t)(end - at);
    for (; at < end; at++) {
        int digit = digit_value(*at);
        if (digit >= base)
            return false;
        number.is_large = number.is_large ||
                          !checked_mul(number.value, (uint64_t)base, &number.value) ||
                          !checked_add(number.value, (uint64_t)digit, &number.value);
    }
    *ret = number;
    return base != 10 || number.count <= max_digits;
}

/* "12:30:45", and what Python would also take between the colons. */
static bool parse_sixtieths(const char *at, struct number *ret)
{
    struct number sum = {0};
    for (bool more = true; more;) {
        const char *end = strchrnul(at, ':');
        struct number part;
        /* A sign within, and white space, only stand under an explicit tag. */
        if (!parse_number(at, end, 10, &part) || part.negative)
            return false;
        sum.is_large = sum.is_large || part.is_large || !checked_mul(sum.value, 60, &sum.value) ||
                       !checked_add(sum.value, part.value, &sum.value);
        more = *end == ':';
        at = end + 1;
    }
    *ret = sum;
    return true;
}

static char *print_number(const struct number *number, bool decimal, struct error **err)
{
    const char *sign = number->negative && (number->is_large || number->value > 0) ? "-" : "";
    return decimal ? str_printf(err, "%s%.*s", sign, (int)number->count, number->digits)
                   : str_printf(err, "%s%llu", sign, (unsigned long long)number->value);
}

static int make_int(const char *clean, struct yaml_made *made, struct error **err)
{
    const char *at = clean, *end = strchr(clean, '\0');
    struct number number;
    bool negative = is_negative(&at), decimal = false, valid;
    if (str_starts(at, "0b"))
        valid = parse_number(at + 2, end, 2, &number);
    else if (str_starts(at, "0x"))
        valid = parse_number(at + 2, end, 16, &number);
    else if (*at == '0')
        valid = parse_number(at, end, 8, &number);
    else if (strchr(at, ':'))
        valid = parse_sixtieths(at, &number);
    else
        valid = decimal = parse_number(at, end, 10, &number);
    if (!valid)
        made->problem =
            end - clean > max_digits ? "has more than 4300 digits" : "is no whole number";
    if (!valid || (number.is_large && !decimal))
        return 0;
    number.negative = number.negative != negative;
    made->text = print_number(&number, decimal, err);
    return made->text ? 0 : -ENOMEM;
}

/* Python's float(), whose text is lower case and has no underscores. */
static bool parse_float(const char *at, const char *end, double *ret)
{
    char text[1024];
    strip(&at, &end);
    size_t length = (size_t)(end - at);
    if (length >= sizeof(text))
        return false;
    memcpy(text, at, length);
    text[length] = '\0';
    const char *digits = text;
    is_negative(&digits);
    bool word =
        strcmp(digits, "inf") == 0 || strcmp(digits, "infinity") == 0 || strcmp(digits, "nan") == 0;
    /* strtod() knows hexadecimal numbers as well, and "nan(...)". */
    if (!word && digits[strspn(digits, "0123456789.e+-")])
        return false;
    char *rest;
    *ret = strtod(text, &rest);
    return rest != text && !*rest;
}

/* The shortest digits that mean the same number, as Python's repr() writes them. */
static char *print_float(double value, struct error **err)
{
    char digits[40], text[40];
    if (isnan(value))
        return str_printf(err, "nan");
    if (isinf(value))
        return str_printf(err, value < 0 ? "-inf" : "inf");
    for (int precision = 0; precision < 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*e", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    char *exponent = strchr(digits, 'e');
    int power = (int)strtol(exponent + 1, NULL, 10);
    int count = (int)(exponent - digits) - (*digits == '-');
    count -= count > 1; /* the point */
    if (power < -4 || power >= 16)
        return str_printf(err, "%.*se%+03d", (int)(exponent - digits), digits, power);
    int decimals = count - 1 - power;
    snprintf(text, sizeof(text), "%.*f", decimals > 1 ? decimals : 1, value);
    return str_printf(err, "%s", text);
}

static bool parse_float_sixtieths(const char *at, double *ret)
{
    double parts[64], base = 1;
    size_t count = 0;
    for (bool more = true; more; count++) {
        const char *end = strchrnul(at, ':');
        if (count == ARRAY_SIZE(parts) || !parse_float(at, end, &parts[count]))
            return false;
        more = *end == ':';
        at = end + 1;
    }
    for (*ret = 0; count > 0; base *= 60)
        *ret += parts[--count] * base;
    return true;
}

static int make_float(char *clean, struct yaml_made *made, struct error **err)
{
    for (char *c = clean; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    const char *at = clean;
    bool negative = is_negative(&at), valid = true;
    double value;
    if (strcmp(at, ".inf") == 0)
        value = INFINITY;
    else if (strcmp(at, ".nan") == 0)
        value = NAN;
    else if (strchr(at, ':'))
        valid = parse_float_sixtieths(at, &value);
    else
        valid = parse_float(at, strchr(at, '\0'), &value);
    if (!valid) {
        made->problem = "is no number, or has more than 1000 digits";
        return 0;
    }
    made->text = print_float(negative ? -value : value, err);
    return made->text ? 0 : -ENOMEM;
}

static bool is_true_word(const char *word, bool *ret)
{
    static const char *const words[2][3] = {{"no", "false", "off"}, {"yes", "true", "on"}};
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 3; k++)
            if (strcasecmp(word, words[i][k]) == 0) {
                *ret = i == 1;
                return true;
            }
    return false;
}

static bool is_date(const struct yaml_time *time)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (time->year % 4 == 0 && time->year % 100 != 0) || time->year % 400 == 0;
    return time->year >= 1 && time->month >= 1 && time->month <= 12 && time->day >= 1 &&
           time->day <= days[time->month - 1] && (leap || time->month != 2 || time->day <= 28);
}

static int make_time(const char *value, size_t length, struct yaml_made *made, struct error **err)
{
    struct yaml_time time;
    if (!yaml_time_parse(value, length, true, &time)) {
        made->problem = "is no date";
        return 0;
    }
    int zone = abs(time.zone);
    if (!is_date(&time) || time.hour > 23 || time.minute > 59 || time.second > 59 ||
        zone >= 24 * 60) {
        made->problem = "is read as a date, and there is no such date";
        return 0;
    }
    _cleanup_str_ struct str text = {0};
    str_appendf(&text, "%04d-%02d-%02d", time.year, time.month, time.day);
    if (time.has_time)
        str_appendf(&text, " %02d:%02d:%02d", time.hour, time.minute, time.second);
    if (time.microsecond > 0)
        str_appendf(&text, ".%06d", time.microsecond);
    if (time.has_zone)
        str_appendf(&text, "%c%02d:%02d", time.zone < 0 ? '-' : '+', zone / 60, zone % 60);
    made->text = str_take(&text, err);
    return made->text ? 0 : -ENOMEM;
}

static int make_bytes(const char *value, size_t length, struct yaml_made *made, struct error **err)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)value[i] >= 0x80) {
            made->problem = "is under '!!binary' and not ASCII";
            return 0;
        }
    made->text = malloc(length + 1);
    if (!made->text)
        return error_oom(err);
    if (!base64_loose_decode(value, length, made->text, &made->length))
        made->problem = "is under '!!binary' and not whole base64";
    return 0;
}

static int copy(const char *text, size_t length, struct yaml_made *made, struct error **err)
{
    made->text = malloc(length + 1);
    if (!made->text)
        return error_oom(err);
    memcpy(made->text, text, length);
    made->text[length] = '\0';
    made->length = length;
    return 0;
}

static int make_bool(const char *value, size_t length, struct yaml_made *made, struct error **err)
{
    bool truth;
    if (strlen(value) == length && is_true_word(value, &truth))
        return copy(truth ? "True" : "False", truth ? 4 : 5, made, err);
    made->problem = "is no boolean";
    return 0;
}

static int make_number(enum yaml_type type, const char *value, size_t length,
                       struct yaml_made *made, struct error **err)
{
    if (memchr(value, '\0', length)) {
        made->problem = "holds a NUL character";
        return 0;
    }
    _cleanup_free_ char *clean = without_underscores(value, length);
    if (!clean)
        return error_oom(err);
    return type == YAML_INT ? make_int(clean, made, err) : make_float(clean, made, err);
}

static int make(enum yaml_type type, const char *value, size_t length, struct yaml_made *made,
                struct error **err)
{
    switch (type) {
    case YAML_NULL:
        return copy("None", 4, made, err);
    case YAML_BOOL:
        return make_bool(value, length, made, err);
    case YAML_INT:
    case YAML_FLOAT:
        return make_number(type, value, length, made, err);
    case YAML_TIME:
        return make_time(value, length, made, err);
    case YAML_BYTES:
        return make_bytes(value, length, made, err);
    default:
        return copy(value, length, made, err);
    }
}

int yaml_scalar_make(enum yaml_type type, const char *value, size_t length, struct yaml_made *ret,
                     struct error **err)
{
    struct yaml_made made = {0};
    int r = make(type, value, length, &made, err);
    if (r < 0 || made.problem) {
        free(made.text);
        made.text = NULL;
    } else if (made.text && made.length == 0) {
        made.length = type == YAML_TEXT || type == YAML_BYTES ? 0 : strlen(made.text);
    }
    *ret = made;
    return r;
}
