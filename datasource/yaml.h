/*
 * YAML documents as cloud-init reads them, which is PyYAML's way. What PyYAML refuses is refused,
 * with -EINVAL and "name:line:column: problem" (both from 1, columns in characters): what
 * yaml_read() and yaml_construct() name. Aliases are not followed when a text is read, so that
 * "billion laughs" is but a short text here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "datasource/yaml_tree.h"

/* Reads and constructs a document. `expected` is the kind that it must have where it has any
 * content; YAML_NOTHING: all are fine. `name` must live as long as the tree. */
int yaml_load(const char *text, size_t size, const char *name, enum yaml_kind expected,
              struct yaml_tree **ret, struct error **err);

/* The same for the refusals and the warnings alone; the warnings are reported. */
int yaml_check(const char *text, size_t size, const char *name, enum yaml_kind expected,
               struct reporter *reporter, struct error **err);

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
