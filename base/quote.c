#include "base/quote.h"

#include <string.h>

/* Appends the text with each `c` in it replaced. */
static void replace(struct str *str, const char *text, char c, const char *replacement)
{
    const char *end;
    for (; (end = strchr(text, c)); text = end + 1) {
        str_append_n(str, text, (size_t)(end - text));
        str_append(str, replacement);
    }
    str_append(str, text);
}

void quote_shell(struct str *str, const char *text)
{
    str_append(str, "'");
    replace(str, text, '\'', "'\\''");
    str_append(str, "'");
}

void quote_commas(struct str *str, const char *text)
{
    replace(str, text, ',', ",,");
}
