/* Scalars as the constructors of PyYAML 6.0's SafeLoader make them (yaml/constructor.py). */
#pragma once

#include "datasource/yaml_tree.h"

struct yaml_made {
    /* What Python's str() prints of the value, with a NUL behind it (caller frees); bytes are
     * themselves. NULL for integers above 64 bits that are not written in decimal. */
    char *text;
    size_t length;
    const char
        *problem; /* NULL, or why PyYAML makes no value, to be put behind the scalar's text */
};

/* Makes a value of that type from a scalar's text. Fails only where memory runs out. */
int yaml_scalar_make(enum yaml_type type, const char *value, size_t length, struct yaml_made *ret,
                     struct error **err);
