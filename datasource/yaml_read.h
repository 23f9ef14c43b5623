/* YAML text to a tree, through libyaml, whose types stay inside yaml_read.c. */
#pragma once

#include "datasource/yaml_tree.h"

/*
 * Reads one document. Refused, with -EINVAL and "name:line:column: problem": malformed YAML, more
 * than 64 levels, more than a million nodes, more than one document, aliases that no anchor
 * precedes, and what libyaml accepts but PyYAML's scanner and composer do not: tabs outside quotes
 * and blocks of text, '?' in plain values within brackets, an anchor given twice. The other way
 * round, what libyaml refuses and PyYAML reads is refused as well ("[a:]", "%YAML 1.3"), and so is
 * the tag "!", which the two read in different ways. `name` must live as long as the tree.
 */
int yaml_read(const char *text, size_t size, const char *name, struct yaml_tree **ret,
              struct error **err);
