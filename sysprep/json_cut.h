/*
 * Taking members out of JSON text (RFC 8259) without touching the rest.
 *
 * Not by jansson: it would write the whole text anew. That rewrites real numbers and escapes, keeps
 * one of members with equal names, and fails on integers beyond 64 bits and on one damaged value
 * anywhere, while the guest's program, which owns the file, accepts them. The other bytes stay as
 * they are, and a difference shows the cut alone.
 */
#pragma once

#include "guest/text/text.h"

/*
 * Removes the member at the path of names, which ends with NULL: {"data", "auth", NULL} is
 * .data.auth. Of members with the same name in one object the first counts; names are compared as
 * they are written, escapes and all. *ret_cut: there was one. Text that is no JSON is left as it
 * is, as far as that can be told without reading more than the way to the member.
 */
void json_cut(struct text *json, const char *const *path, bool *ret_cut);
