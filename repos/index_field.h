/* One field of an index entry: its kind of value and its bounds. Internal to the index parser. */
#pragma once

#include <stdint.h>

#include "repos/index.h"

/*
 * Stores a field. `value` is the whole value, lines separated by newlines; changed in place. `seen`
 * gathers which fields the entry had. Unknown fields are ignored. -EINVAL for bad values and for a
 * field that comes twice; the message is without file and line.
 */
int index_field_set(struct index_entry *entry, uint32_t *seen, const char *key, const char *subkey,
                    char *value, struct error **err);

void index_entry_free(struct index_entry *entry);
