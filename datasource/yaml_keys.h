/* What PyYAML drops or changes without a word, as warnings of the tree. */
#pragma once

#include "datasource/yaml_tree.h"

/* The keys that a mapping has of its own. Zero-initialise. */
struct yaml_keys {
    struct yaml_node **items;
    size_t count;
};

int yaml_keys_take(struct yaml_keys *keys, const struct yaml_node *map, struct error **err);
/* Warns of keys that are the same to Python, once they are constructed: 1, 1.0 and true are. */
int yaml_keys_compare(const struct yaml_keys *keys, struct yaml_tree *tree, struct error **err);
void yaml_keys_free(struct yaml_keys *keys);

/* Warns where a constructed scalar is a number that reads otherwise than it is written. `key` is
 * that of its mapping, or NULL. */
int yaml_note_scalar(struct yaml_tree *tree, const struct yaml_node *key,
                     const struct yaml_node *node, struct error **err);
/* The same for the items of a constructed list; warns of booleans, nulls and dates among words as
 * well. */
int yaml_note_list(struct yaml_tree *tree, const struct yaml_node *list, struct error **err);
