/*
 * YAML syntax, through libyaml, whose types stay inside yaml.c. Only events are walked, never a
 * tree, so that aliases cost nothing ("billion laughs" is but a short text here).
 *
 * Every function refuses, with -EINVAL and "name:line:column: problem" (both from 1, columns in
 * characters): malformed YAML, more than 64 levels, more than one document, aliases that no anchor
 * precedes, and tabs between tokens, which YAML allows in places but cloud-init's reader does not.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

enum yaml_kind {
    YAML_NOTHING, /* absent, empty, or null */
    YAML_SCALAR,
    YAML_SEQUENCE,
    YAML_MAPPING,
    YAML_ALIAS, /* a reference to an anchor; never the kind of a document */
};

/* Checks text. `expected` is the kind that the document must have where it has any content;
 * YAML_NOTHING: all are fine. */
int yaml_check(const char *text, size_t size, const char *name, enum yaml_kind expected,
               struct error **err);

/* Looks for a key of the top-level mapping; the first counts. *ret_kind tells what stands behind
 * it; *ret_scalar (may be NULL) is a copy of a scalar, else NULL; caller frees. */
int yaml_top_find(const char *text, size_t size, const char *name, const char *key,
                  enum yaml_kind *ret_kind, char **ret_scalar, struct error **err);

/* What yaml_top_edit() does to one key of the top-level mapping. */
struct yaml_edit {
    const char *key;
    const char *scalar;       /* the new value, written as a string; NULL: */
    const struct strv *items; /* strings to be added to the list behind the key */
};

/*
 * Writes the text anew with the edits made; what is not edited keeps its meaning, but comments are
 * lost. A list may be absent, a sequence, a scalar of several lines (each an item), or a mapping
 * (the items become its entry "kiln"). An empty text becomes a mapping. -EINVAL where the document
 * is no mapping. Caller frees *ret.
 */
int yaml_top_edit(const char *text, size_t size, const char *name, const struct yaml_edit *edits,
                  size_t count, char **ret, struct error **err);
