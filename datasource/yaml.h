/*
 * YAML syntax, through libyaml, whose types stay inside yaml.c. Only events are walked, never a
 * tree, so that aliases cost nothing ("billion laughs" is but a short text here).
 *
 * Every function refuses, with -EINVAL and "name:line:column: problem" (both from 1, columns in
 * characters): malformed YAML, more than 64 levels, more than one document, aliases that no anchor
 * precedes, and tabs outside quotes and blocks of text, which YAML allows in places but PyYAML, and
 * with it cloud-init, does not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

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

/* The result of a search for a key of the top-level mapping. Places are offsets in bytes, not
 * counting a byte order mark. */
struct yaml_found {
    enum yaml_kind root; /* of the whole document. Unless it is a mapping, the rest is empty */
    bool is_flow;        /* the mapping is written {...} */
    bool is_empty;       /* it has no keys */
    size_t first_key;    /* where keys begin */
    size_t indent;       /* column of the first key, from 0 */
    bool present;        /* the key is there; where it is there twice, the last one counts */
    enum yaml_kind kind; /* of its value */
    size_t start, end;   /* of a scalar value's text; of other kinds, only of what opens them */
    char *scalar;        /* the value, where it is a scalar other than null */
};

int yaml_top_find(const char *text, size_t size, const char *name, const char *key,
                  struct yaml_found *ret, struct error **err);
void yaml_found_free(struct yaml_found *found);
#define _cleanup_yaml_found_ _cleanup_(yaml_found_free)

/*
 * Copies text with one key of its top-level mapping set to `value`, which is YAML in flow style
 * ("\"web1\"", "[1, 2]"). All else stays as it was, comments included. A text without content
 * becomes a mapping. -EINVAL where the document is no mapping, or where the key holds a list or a
 * mapping. Caller frees *ret.
 */
int yaml_top_set(const char *text, size_t size, const char *name, const char *key,
                 const char *value, char **ret, struct error **err);
