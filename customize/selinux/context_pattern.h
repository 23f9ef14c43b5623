/* The pattern of a file context, and the part of it that is plain text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct context_pattern {
    char *text;           /* as written: a Perl-compatible pattern for the whole path */
    char *prefix;         /* what every path that fits begins with, escapes removed */
    size_t prefix_length; /* bytes */
    bool literal;         /* the prefix is all there is: no special characters */
};

int context_pattern_parse(const char *text, size_t length, struct context_pattern *ret,
                          struct error **err);
void context_pattern_free(struct context_pattern *pattern);
