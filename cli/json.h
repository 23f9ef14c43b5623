/* --json: jansson's values, printed as one indented document on standard output. */
#pragma once

#include <jansson.h>

#include "base/error.h"

/* Prints and releases value. NULL is out of memory. Returns 0, the exit status. */
int json_print(json_t *value, struct error **err);

/* json_string() for text that may not be UTF-8: printable. NULL text gives null. */
json_t *json_text(const char *text);
