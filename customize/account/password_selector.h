/* Where a password comes from: the SELECTOR of --root-password and --password. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

enum password_source {
    PASSWORD_DISABLED, /* no password fits */
    PASSWORD_RANDOM,   /* to be generated */
    PASSWORD_GIVEN,
};

struct password_selector {
    enum password_source source;
    bool locked;
    char *password; /* for PASSWORD_GIVEN; at most 511 bytes, no newline */
};

/*
 * password:TEXT, file:FILE (its first line; "-" is standard input), random, disabled, or locked
 * with any of these behind a colon. Messages of `option` (without dashes) never show the text.
 */
int password_selector_parse(const char *option, const char *text, struct password_selector *ret,
                            struct error **err);
void password_selector_free(struct password_selector *selector);
#define _cleanup_password_selector_ _cleanup_(password_selector_free)
