/* The guest's /etc/shadow, shadow(5), and the same fields of /etc/passwd, passwd(5). */
#pragma once

#include "guest/text/text.h"

/*
 * The text with the password field of `user` replaced; every other byte stays, malformed lines
 * included. The first entry of that name counts. -ENOENT: there is none.
 */
int shadow_set_field(const struct text *shadow, const char *user, const char *field,
                     struct text *ret, struct error **err);

/* Whether the user has an entry with this password field: "x", say. NULL: with any. */
bool shadow_has_field(const struct text *shadow, const char *user, const char *field);
/*
 * Whether the user has an entry in this text of /etc/passwd by which the password does not stand in
 * /etc/shadow: pam_unix and busybox look there only where the field says so, and else take it for
 * the hash, an empty one for no password.
 */
bool passwd_holds_password(const struct text *passwd, const char *user);
