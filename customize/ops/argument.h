/* Helpers for the parse() functions of operations. `option` is the name without dashes. */
#pragma once

#include "base/error.h"

/* The parts of an argument "LEFT:RIGHT", which belong to the pair. */
struct argument_pair {
    char *left;
    char *right;
};

/* Splits at the first colon. LEFT may not be empty. `form` is the metavar, for the message; the
 * argument itself is not shown, as it may be long or a secret. */
int argument_split(const char *option, const char *form, const char *argument,
                   struct argument_pair **ret, struct error **err);
/* A customize_operation's free_data(): wipes both parts. Accepts NULL. */
void argument_pair_free(void *pair);
DEFINE_CLEANUP(struct argument_pair *, argument_pair_free);
#define _cleanup_argument_pair_ _cleanup_(argument_pair_freep)

/* Checks that the argument is a valid path in the guest. */
int argument_guest_path(const char *option, const char *path, struct error **err);
