/*
 * Messages and progress of library code: through the reporter that the command line hands down. A
 * NULL reporter prints nothing. Secrets never pass through here.
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"

enum report_level {
    REPORT_WARNING, /* something is wrong, the work goes on */
    REPORT_INFO,    /* what is being done, one line a stage */
    REPORT_DEBUG,   /* why a choice was made; shown with --verbose */
};

struct reporter {
    void (*message)(struct reporter *reporter, enum report_level level, const char *text);

    /* `done` of `total` units (bytes); total 0: not known. done == total ends the task. Called
     * often: the receiver thins it out. `task` is the same text throughout. */
    void (*progress)(struct reporter *reporter, const char *task, uint64_t done, uint64_t total);
};

void report(struct reporter *reporter, enum report_level level, const char *fmt, ...)
    _printf_(3, 4);
void report_progress(struct reporter *reporter, const char *task, uint64_t done, uint64_t total);
