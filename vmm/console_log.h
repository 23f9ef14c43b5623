/* Where the bytes of a console are kept. Private to vmm/. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A guest that prints without end must not fill the host's disk. */
#define CONSOLE_LOG_MAX (UINT64_C(64) << 20)

struct console_log {
    int fd;         /* the caller's; -1: nothing is kept */
    int screen;     /* the caller's: is shown all; -1: none */
    uint64_t total; /* bytes that came, whether kept or not */
};

/* Shows and logs the bytes; those beyond CONSOLE_LOG_MAX are not logged, and a line in the log
 * states that. A pipe whose reader does not read blocks this until the deadline: -ETIMEDOUT. */
int console_log_write(struct console_log *log, const char *bytes, size_t count, uint64_t deadline,
                      struct error **err);
