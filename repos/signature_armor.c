#include <string.h>

#include "repos/signature.h"

static const char begin_armor[] = "-----BEGIN PGP SIGNED MESSAGE-----";
static const char end_armor[] = "-----END PGP SIGNATURE-----";

/* The line that is exactly `wanted`, but for blanks at its end; NULL: there is none. *ret_end:
 * behind the line. */
static const char *find_line(const char *text, const char *end, const char *wanted,
                             const char **ret_end)
{
    size_t length = strlen(wanted);
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        const char *last = stop;
        while (last > text && strchr(" \t\r", last[-1]) && last[-1])
            last--;
        if ((size_t)(last - text) == length && memcmp(text, wanted, length) == 0) {
            *ret_end = newline ? newline + 1 : end;
            return text;
        }
        text = newline ? newline + 1 : end;
    }
    return NULL;
}

bool signature_is_clear_signed(const char *text, size_t size)
{
    const char *behind;
    return find_line(text, text + size, begin_armor, &behind) != NULL;
}

bool signature_find_block(const char *text, size_t size, const char **ret_block, size_t *ret_size)
{
    const char *behind = NULL;
    const char *begin = find_line(text, text + size, begin_armor, &behind);
    if (!begin || !find_line(behind, text + size, end_armor, &behind))
        return false;
    *ret_block = begin;
    *ret_size = (size_t)(behind - begin);
    return true;
}
