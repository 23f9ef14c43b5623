#include "cli/json.h"

#include <errno.h>
#include <stdio.h>

#include "base/str.h"

int json_print(json_t *value, struct error **err)
{
    if (!value)
        return error_oom(err);
    int r = json_dumpf(value, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(value);
    if (r < 0 || putchar('\n') == EOF)
        return error_sys(err, errno ? errno : EIO, "standard output: cannot write");
    return 0;
}

json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    _cleanup_free_ char *printable = str_printable(text);
    return printable ? json_string(printable) : NULL;
}
