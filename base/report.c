#include "base/report.h"

#include <stdarg.h>
#include <stdio.h>

void report(struct reporter *reporter, enum report_level level, const char *fmt, ...)
{
    if (!reporter || !reporter->message)
        return;
    va_list args;
    va_start(args, fmt);
    char *text;
    int length = vasprintf(&text, fmt, args);
    va_end(args);
    if (length < 0)
        return;
    reporter->message(reporter, level, text);
    free(text);
}

void report_progress(struct reporter *reporter, const char *task, uint64_t done, uint64_t total)
{
    if (reporter && reporter->progress)
        reporter->progress(reporter, task, done, total);
}
