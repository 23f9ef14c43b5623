/* The reporter of the command line: messages and progress on standard error. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/report.h"

struct terminal;

/* Progress is shown only where standard error is a terminal. Valid until the process ends. */
struct terminal *terminal_new(void);
void terminal_set_levels(struct terminal *terminal, bool quiet, bool verbose);
struct reporter *terminal_reporter(struct terminal *terminal);

/* "kiln: message" and, on a line of its own, the remedy. */
void terminal_error(struct terminal *terminal, const struct error *error);
/* Columns of standard output, 80 where it is no terminal. */
unsigned terminal_columns(void);
void terminal_free(struct terminal *terminal);
