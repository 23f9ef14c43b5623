#include "base/shell.h"

#include <string.h>

void shell_quote(struct str *str, const char *text)
{
    str_append(str, "'");
    for (;;) {
        size_t length = strcspn(text, "'");
        str_append_n(str, text, length);
        text += length;
        if (!*text)
            break;
        str_append(str, "'\\''");
        text++;
    }
    str_append(str, "'");
}
