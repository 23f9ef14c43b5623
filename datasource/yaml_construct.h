/* The values of a tree, by the rules of PyYAML 6.0's SafeLoader (yaml/constructor.py). */
#pragma once

#include "datasource/yaml_tree.h"

/*
 * Sets type and text of every node that PyYAML makes a value of, and puts what "<<" merges into the
 * mappings. Refused, with -EINVAL and the place: unknown tags, lists and mappings as keys, "=" and
 * "<<" as values, dates that do not exist, text under a tag that does not take it.
 * The tree's warnings tell what PyYAML changes or drops without a word: keys given twice, numbers
 * that are not printed as they are written, and "yes" or null among the words of a list.
 */
int yaml_construct(struct yaml_tree *tree, struct error **err);
