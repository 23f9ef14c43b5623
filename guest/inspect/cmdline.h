/* Parameters of a kernel command line, as systemd reads them (proc-cmdline.c): words are separated
 * by white space, quotes keep them together, "-" and "_" are equal in names. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* The value of NAME=VALUE, of which the last counts; *ret NULL: there is none. Caller frees. */
int cmdline_value(const char *line, const char *name, char **ret, struct error **err);

/* What systemd takes for "no": "0", "no", "n", "false", "f", "off". */
bool cmdline_is_false(const char *value);
