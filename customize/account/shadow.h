/* The guest's /etc/shadow, shadow(5). */
#pragma once

#include "guest/text/text.h"

/*
 * The text with the password field of `user` replaced; every other byte stays, malformed lines
 * included. The first entry of that name counts. -ENOENT: there is none.
 */
int shadow_set_field(const struct text *shadow, const char *user, const char *field,
                     struct text *ret, struct error **err);
