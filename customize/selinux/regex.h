/*
 * Perl-compatible patterns from outside, matched at a bounded cost: of memory, of steps, and of
 * depth.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* What matching needs beside patterns; one serves any number of them. */
struct regex_machine;

int regex_machine_new(struct regex_machine **ret, struct error **err);
void regex_machine_free(struct regex_machine *machine); /* accepts NULL */
DEFINE_CLEANUP(struct regex_machine *, regex_machine_free);

struct regex;

/* NULL: not a valid pattern, or one that is too large. Its dot fits every byte; bytes are not
 * taken for UTF-8. */
struct regex *regex_compile(const char *pattern, size_t length);
void regex_free(struct regex *regex); /* accepts NULL */

enum regex_verdict {
    REGEX_NO,
    REGEX_YES,
    REGEX_TOO_COSTLY, /* the limits were reached before it was clear */
};

/* Whether the pattern fits the whole subject. */
enum regex_verdict regex_fits(const struct regex *regex, struct regex_machine *machine,
                              const char *subject, size_t length);
