/* Taking lines out of the guest's configuration files. */
#pragma once

#include "guest/text/text.h"

typedef bool line_fn(const void *context, const struct line *line);

/* True for a line that starts with one of the prefixes, which end with NULL. A line_fn. */
bool line_starts_with(const void *prefixes, const struct line *line);

/* Removes the lines for which drop() says so; every other byte stays. A file without such lines,
 * or none at all, is left alone. */
int lines_remove(struct guest *guest, const char *path, line_fn *drop, const void *context,
                 struct error **err);

/* The same for every file that matches the pattern. */
int lines_remove_all(struct guest *guest, const char *pattern, line_fn *drop, const void *context,
                     struct error **err);
