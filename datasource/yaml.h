/* YAML syntax, through libyaml; its types stay inside yaml.c. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* Checks that text is one or more well-formed YAML documents, at most 64 levels deep. -EINVAL with
 * "name:line:column: problem". */
int yaml_check(const char *text, size_t size, const char *name, struct error **err);

/* The scalar behind a key of the top-level mapping: *ret is a copy, or NULL where the key is absent
 * or no scalar. */
int yaml_top_scalar(const char *text, size_t size, const char *name, const char *key, char **ret,
                    struct error **err);
