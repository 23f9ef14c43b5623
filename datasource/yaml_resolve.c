#include "datasource/yaml_resolve.h"

#include <string.h>

struct scan {
    const char *at;
    const char *end;
};

static bool at_end(const struct scan *scan)
{
    return scan->at == scan->end;
}

/* Passes one character of the set. */
static bool pass(struct scan *scan, const char *set)
{
    if (at_end(scan) || !*scan->at || !strchr(set, *scan->at))
        return false;
    scan->at++;
    return true;
}

/* Passes all characters of the set, and returns how many those were. */
static size_t pass_all(struct scan *scan, const char *set)
{
    const char *from = scan->at;
    while (pass(scan, set))
        ;
    return (size_t)(scan->at - from);
}

#define DIGITS "0123456789"

/* The rest is the set alone, once at least. */
static bool rest_is(struct scan scan, const char *set)
{
    return pass_all(&scan, set) > 0 && at_end(&scan);
}

static bool is_one_of(const char *text, size_t length, const char *const *words)
{
    for (; *words; words++)
        if (strlen(*words) == length && memcmp(*words, text, length) == 0)
            return true;
    return false;
}

/* ":59", once at least. */
static bool pass_sixtieths(struct scan *scan)
{
    size_t count = 0;
    for (struct scan next = *scan; pass(&next, ":"); count++) {
        if (pass(&next, "012345"))
            pass(&next, DIGITS);
        else if (!pass(&next, DIGITS))
            break;
        *scan = next;
    }
    return count > 0;
}

static bool is_int(struct scan scan)
{
    pass(&scan, "+-");
    if (pass(&scan, "0")) {
        if (at_end(&scan) || rest_is(scan, "01234567_"))
            return true;
        struct scan binary = scan;
        return (pass(&binary, "b") && rest_is(binary, "01_")) ||
               (pass(&scan, "x") && rest_is(scan, DIGITS "abcdefABCDEF_"));
    }
    if (pass_all(&scan, "123456789") == 0)
        return false;
    pass_all(&scan, DIGITS "_");
    return at_end(&scan) || (pass_sixtieths(&scan) && at_end(&scan));
}

/* Nothing, or an exponent, which must have a sign. */
static bool rest_is_exponent(struct scan scan)
{
    return at_end(&scan) || (pass(&scan, "eE") && pass(&scan, "+-") && rest_is(scan, DIGITS));
}

static bool is_float(struct scan scan)
{
    static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    if (is_one_of(scan.at, (size_t)(scan.end - scan.at), nans))
        return true;
    struct scan fraction = scan;
    if (pass(&fraction, ".") && pass(&fraction, DIGITS)) {
        pass_all(&fraction, DIGITS "_");
        return rest_is_exponent(fraction);
    }
    pass(&scan, "+-");
    if (is_one_of(scan.at, (size_t)(scan.end - scan.at), infinities))
        return true;
    if (!pass(&scan, DIGITS))
        return false;
    pass_all(&scan, DIGITS "_");
    bool sixtieths = pass_sixtieths(&scan);
    if (!pass(&scan, "."))
        return false;
    pass_all(&scan, DIGITS "_");
    return sixtieths ? at_end(&scan) : rest_is_exponent(scan);
}

/* A number of `min` to `max` digits. */
static bool pass_number(struct scan *scan, int min, int max, int *ret)
{
    int count = 0;
    *ret = 0;
    for (const char *digit = scan->at; count < max && pass(scan, DIGITS); digit = scan->at, count++)
        *ret = *ret * 10 + (*digit - '0');
    return count >= min;
}

/* ".25" in microseconds: what is behind them is cut off. */
static void pass_fraction(struct scan *scan, int *ret)
{
    if (!pass(scan, "."))
        return;
    int unit = 100000;
    for (const char *digit = scan->at; pass(scan, DIGITS); digit = scan->at, unit /= 10)
        *ret += (*digit - '0') * unit;
}

/* "Z", "+5", "-05:30", or nothing. */
static bool pass_zone(struct scan *scan, struct yaml_time *time)
{
    struct scan zone = *scan;
    int hours, minutes = 0;
    pass_all(&zone, " \t");
    if (pass(&zone, "Z")) {
        time->has_zone = true;
        *scan = zone;
        return true;
    }
    bool west = !at_end(&zone) && *zone.at == '-';
    if (!pass(&zone, "+-"))
        return true;
    if (!pass_number(&zone, 1, 2, &hours) ||
        (pass(&zone, ":") && !pass_number(&zone, 2, 2, &minutes)))
        return false;
    time->has_zone = true;
    time->zone = (hours * 60 + minutes) * (west ? -1 : 1);
    *scan = zone;
    return true;
}

static bool pass_time(struct scan *scan, struct yaml_time *time)
{
    if (!pass(scan, "Tt") && pass_all(scan, " \t") == 0)
        return false;
    if (!pass_number(scan, 1, 2, &time->hour) || !pass(scan, ":") ||
        !pass_number(scan, 2, 2, &time->minute) || !pass(scan, ":") ||
        !pass_number(scan, 2, 2, &time->second))
        return false;
    time->has_time = true;
    pass_fraction(scan, &time->microsecond);
    return pass_zone(scan, time);
}

bool yaml_time_parse(const char *text, size_t length, bool loose, struct yaml_time *ret)
{
    struct scan scan = {text, text + length};
    struct yaml_time time = {0};
    if (!pass_number(&scan, 4, 4, &time.year) || !pass(&scan, "-") ||
        !pass_number(&scan, 1, 2, &time.month) || !pass(&scan, "-") ||
        !pass_number(&scan, 1, 2, &time.day))
        return false;
    bool is_date = at_end(&scan);
    if (is_date ? !loose && length != strlen("2026-01-02")
                : !pass_time(&scan, &time) || !at_end(&scan))
        return false;
    *ret = time;
    return true;
}

enum yaml_type yaml_resolve(const char *text, size_t length)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const bools[] = {"yes",  "Yes",   "YES",   "no",    "No", "NO",  "true",
                                        "True", "TRUE",  "on",    "On",    "ON", "off", "Off",
                                        "OFF",  "false", "False", "FALSE", NULL};
    struct scan scan = {text, text + length};
    struct yaml_time time;
    if (is_one_of(text, length, nulls))
        return YAML_NULL;
    if (is_one_of(text, length, bools))
        return YAML_BOOL;
    if (is_float(scan))
        return YAML_FLOAT;
    if (is_int(scan))
        return YAML_INT;
    if (length == 2 && memcmp(text, "<<", 2) == 0)
        return YAML_MERGE;
    if (yaml_time_parse(text, length, false, &time))
        return YAML_TIME;
    return length == 1 && *text == '=' ? YAML_VALUE : YAML_TEXT;
}
