#include "guest/inspect/version.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *skip_unknown(const char *text)
{
    while (*text && !is_digit(*text) && !is_letter(*text) && !strchr("-.~^", *text))
        text++;
    return text;
}

static int compare_lengths(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

/* Numbers of any length. Moves both behind theirs. */
static int compare_numbers(const char **a, const char **b)
{
    *a += strspn(*a, "0");
    *b += strspn(*b, "0");
    size_t m = strspn(*a, "0123456789"), n = strspn(*b, "0123456789");
    int order = compare_lengths(m, n);
    if (order == 0)
        order = strncmp(*a, *b, m);
    *a += m;
    *b += n;
    return order;
}

static int compare_words(const char **a, const char **b)
{
    size_t m = 0, n = 0;
    while (is_letter((*a)[m]))
        m++;
    while (is_letter((*b)[n]))
        n++;
    int order = strncmp(*a, *b, m < n ? m : n);
    if (order == 0)
        order = compare_lengths(m, n);
    *a += m;
    *b += n;
    return order;
}

int version_compare(const char *a, const char *b)
{
    for (;;) {
        a = skip_unknown(a);
        b = skip_unknown(b);
        /* A pre-release comes before everything, even before the end. */
        if (*a == '~' || *b == '~') {
            if (*a != *b)
                return *a == '~' ? -1 : 1;
            a++, b++;
            continue;
        }
        if (*a == '\0' || *b == '\0')
            return (*a != '\0') - (*b != '\0');
        /* What a separator follows is older than what goes on. */
        bool separated = false;
        for (const char *separator = "-^."; *separator && !separated; separator++) {
            if (*a != *separator && *b != *separator)
                continue;
            if (*a != *b)
                return *a == *separator ? -1 : 1;
            separated = true;
        }
        if (separated) {
            a++, b++;
            continue;
        }
        int order = is_digit(*a) || is_digit(*b) ? compare_numbers(&a, &b) : compare_words(&a, &b);
        if (order != 0)
            return order;
    }
}
