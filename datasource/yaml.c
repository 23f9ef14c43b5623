#include "datasource/yaml.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "datasource/yaml_construct.h"
#include "datasource/yaml_read.h"
#include "datasource/yaml_resolve.h"

static const char *describe_kind(enum yaml_kind kind)
{
    switch (kind) {
    case YAML_SEQUENCE:
        return "a list (- item)";
    case YAML_MAPPING:
        return "a mapping (key: value)";
    default:
        return "a single value";
    }
}

/* The kind of document that cloud-init sees: "!!set {a}" is no mapping to it. */
static enum yaml_kind root_kind(const struct yaml_node *root)
{
    if (!root || root->type == YAML_NULL)
        return YAML_NOTHING;
    if (root->type == YAML_LIST)
        return YAML_SEQUENCE;
    return root->type == YAML_DICT ? YAML_MAPPING : YAML_SCALAR;
}

int yaml_load(const char *text, size_t size, const char *name, enum yaml_kind expected,
              struct yaml_tree **ret, struct error **err)
{
    _cleanup_yaml_tree_ struct yaml_tree *tree = NULL;
    int r = yaml_read(text, size, name, &tree, err);
    if (r == 0)
        r = yaml_construct(tree, err);
    if (r < 0)
        return r;
    enum yaml_kind kind = root_kind(tree->root);
    if (expected != YAML_NOTHING && kind != YAML_NOTHING && kind != expected)
        return yaml_refuse(tree, tree->root->start, err, "%s is expected here, not %s",
                           describe_kind(expected), describe_kind(kind));
    *ret = TAKE_PTR(tree);
    return 0;
}

int yaml_check(const char *text, size_t size, const char *name, enum yaml_kind expected,
               struct reporter *reporter, struct error **err)
{
    _cleanup_yaml_tree_ struct yaml_tree *tree = NULL;
    int r = yaml_load(text, size, name, expected, &tree, err);
    if (r == 0)
        yaml_report(tree, reporter);
    return r;
}

/* The kind of a value, as it is written. */
static enum yaml_kind value_kind(const struct yaml_node *value)
{
    bool is_null = value->is_plain && yaml_resolve(value->value, value->length) == YAML_NULL;
    return is_null ? YAML_NOTHING : value->kind;
}

static bool is_key(const struct yaml_node *node, const char *key)
{
    return node->kind == YAML_SCALAR && node->length == strlen(key) &&
           memcmp(node->value, key, node->length) == 0;
}

/* Where character number `index` begins, in bytes. */
static size_t byte_offset(const char *text, size_t size, size_t index)
{
    const char *at = text, *end = text + size;
    for (; index > 0 && at < end; index--)
        do
            at++;
        while (at < end && (*at & 0xc0) == 0x80);
    return (size_t)(at - text);
}

static int store_value(const struct yaml_tree *tree, const struct yaml_node *value,
                       struct yaml_found *found, struct error **err)
{
    found->present = true;
    found->kind = value_kind(value);
    found->start = value->start.index;
    found->end = value->end;
    if (found->kind != YAML_SCALAR)
        return str_replace(&found->scalar, NULL, err);
    if (memchr(value->value, '\0', value->length))
        return yaml_refuse(tree, value->start, err, "the value holds a NUL character");
    return str_replace(&found->scalar, value->value, err);
}

/* Searches the tree as it was read, before keys are merged into it. */
static int search(const struct yaml_tree *tree, const char *key, struct yaml_found *found,
                  struct error **err)
{
    const struct yaml_node *root = tree->root;
    int r = 0;
    found->is_empty = true;
    if (!root || root->kind != YAML_MAPPING)
        return 0;
    found->is_flow = root->is_flow;
    found->is_empty = root->count == 0;
    found->first_key = root->end;
    if (!found->is_empty && !found->is_flow)
        found->first_key = root->items[0]->start.index;
    if (!found->is_empty)
        found->indent = root->items[0]->start.column - 1;
    for (size_t i = 0; r == 0 && i + 1 < root->count; i += 2)
        if (is_key(root->items[i], key))
            r = store_value(tree, root->items[i + 1], found, err);
    return r;
}

int yaml_top_find(const char *text, size_t size, const char *name, const char *key,
                  struct yaml_found *ret, struct error **err)
{
    _cleanup_yaml_found_ struct yaml_found found = {0};
    _cleanup_yaml_tree_ struct yaml_tree *tree = NULL, *constructed = NULL;
    int r = yaml_load(text, size, name, YAML_NOTHING, &constructed, err);
    if (r == 0)
        r = yaml_read(text, size, name, &tree, err);
    if (r < 0)
        return r;
    found.root = root_kind(constructed->root);
    if (found.root == YAML_MAPPING)
        r = search(tree, key, &found, err);
    if (r < 0)
        return r;
    size_t mark = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    text += mark;
    size -= mark;
    found.first_key = byte_offset(text, size, found.first_key);
    found.start = byte_offset(text, size, found.start);
    found.end = byte_offset(text, size, found.end);
    *ret = found;
    found = (struct yaml_found){0};
    return 0;
}
