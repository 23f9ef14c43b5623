/* Taking members out of JSON text (RFC 8259) without touching the rest. */
#pragma once

#include "guest/text/text.h"

/*
 * Removes the member at the path of names, which ends with NULL: {"data", "auth", NULL} is
 * .data.auth. Of members with the same name in one object the first counts; names are compared as
 * they are written, escapes and all. *ret_cut: there was one. Text that is no JSON is left as it
 * is, as far as that can be told without reading more than the way to the member.
 */
void json_cut(struct text *json, const char *const *path, bool *ret_cut);
