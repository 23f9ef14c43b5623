/* Shell patterns on the guest's directories, by the rules of glob(3) with GLOB_BRACE. */
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "guest/guest.h"

/*
 * Appends the existing paths that match the absolute pattern, those of one directory sorted by
 * name. '*', '?' and '[...]' match within a name, and no leading dot; '{a,b}' stands for both; a
 * backslash takes the special meaning away. Links are not followed in the last name. None at all is
 * not an error. A pattern that stands for more than 1024 others by its braces is -E2BIG.
 */
int glob_expand(struct guest *guest, const char *pattern, struct strv *paths, struct error **err);
