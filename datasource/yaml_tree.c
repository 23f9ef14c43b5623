#include "datasource/yaml_tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* PyYAML needs some kilobytes for each. */
enum { max_nodes = 1000000, max_reported = 20 };

int yaml_node_new(struct yaml_tree *tree, enum yaml_kind kind, struct yaml_node **ret,
                  struct error **err)
{
    if (tree->count == max_nodes) {
        int r = error_set(err, EINVAL, "%s: has more than %d values", tree->name, max_nodes);
        error_hint(err, "a seed is for settings; fetch large data from within the guest");
        return r;
    }
    struct yaml_node *node = calloc(1, sizeof(*node));
    if (!node)
        return error_oom(err);
    node->kind = kind;
    node->next = tree->nodes;
    tree->nodes = node;
    tree->count++;
    *ret = node;
    return 0;
}

int yaml_node_add(struct yaml_node *node, struct yaml_node *item, struct error **err)
{
    if (node->count == node->capacity) {
        size_t capacity = node->capacity ? node->capacity * 2 : 4;
        struct yaml_node **items = reallocarray(node->items, capacity, sizeof(*items));
        if (!items)
            return error_oom(err);
        node->items = items;
        node->capacity = capacity;
    }
    node->items[node->count++] = item;
    return 0;
}

_printf_(1, 0) static char *vformat(const char *fmt, va_list args)
{
    char *text;
    return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

int yaml_refuse(const struct yaml_tree *tree, struct yaml_place place, struct error **err,
                const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    _cleanup_free_ char *text = vformat(fmt, args);
    va_end(args);
    return text ? error_set(err, EINVAL, "%s:%zu:%zu: %s", tree->name, place.line, place.column,
                            text)
                : error_oom(err);
}

int yaml_warn(struct yaml_tree *tree, struct yaml_place place, struct error **err, const char *fmt,
              ...)
{
    va_list args;
    va_start(args, fmt);
    _cleanup_free_ char *text = vformat(fmt, args);
    va_end(args);
    if (!text)
        return error_oom(err);
    return strv_addf(&tree->warnings, err, "%s:%zu:%zu: %s", tree->name, place.line, place.column,
                     text);
}

void yaml_report(const struct yaml_tree *tree, struct reporter *reporter)
{
    const struct strv *warnings = &tree->warnings;
    for (size_t i = 0; i < warnings->count && i < max_reported; i++)
        report(reporter, REPORT_WARNING, "%s", warnings->items[i]);
    if (warnings->count > max_reported)
        report(reporter, REPORT_WARNING, "%s: %zu more warnings like these", tree->name,
               warnings->count - max_reported);
}

const struct yaml_node *yaml_target(const struct yaml_node *node)
{
    return node && node->kind == YAML_ALIAS ? node->target : node;
}

bool yaml_is(const struct yaml_node *node, enum yaml_type type)
{
    node = yaml_target(node);
    return node && node->type == type;
}

const char *yaml_text(const struct yaml_node *node)
{
    return yaml_is(node, YAML_TEXT) ? yaml_target(node)->text : NULL;
}

bool yaml_is_text(const struct yaml_node *node, const char *text)
{
    const char *found = yaml_text(node);
    return found && yaml_target(node)->text_length == strlen(text) && strcmp(found, text) == 0;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    map = yaml_target(map);
    if (!map || map->type != YAML_DICT)
        return NULL;
    for (size_t i = map->count; i >= 2; i -= 2)
        if (yaml_is_text(map->items[i - 2], key))
            return yaml_target(map->items[i - 1]);
    return NULL;
}

bool yaml_truth(const struct yaml_node *node)
{
    node = yaml_target(node);
    if (!node)
        return false;
    switch (node->type) {
    case YAML_NULL:
        return false;
    case YAML_BOOL:
        return strcmp(node->text, "True") == 0;
    case YAML_INT:
    case YAML_FLOAT:
        return !node->text || (strcmp(node->text, "0") != 0 && strcmp(node->text, "0.0") != 0 &&
                               strcmp(node->text, "-0.0") != 0);
    case YAML_TEXT:
    case YAML_BYTES:
        return node->text_length > 0;
    case YAML_LIST:
    case YAML_DICT:
    case YAML_SET:
        return node->count > 0;
    default:
        return true;
    }
}

const char *yaml_describe(const struct yaml_node *node)
{
    static const char *const names[] = {
        [YAML_NULL] = "null",      [YAML_BOOL] = "a boolean", [YAML_INT] = "a number",
        [YAML_FLOAT] = "a number", [YAML_TEXT] = "text",      [YAML_TIME] = "a date",
        [YAML_BYTES] = "bytes",    [YAML_LIST] = "a list",    [YAML_DICT] = "a mapping",
        [YAML_SET] = "a set",      [YAML_MERGE] = "'<<'",     [YAML_VALUE] = "'='",
    };
    node = yaml_target(node);
    return node ? names[node->type] : "nothing";
}

int yaml_warn_keys(struct yaml_tree *tree, const struct yaml_node *map, struct error **err)
{
    int r = 0;
    for (size_t i = 0; map && map->type == YAML_DICT && r == 0 && i < map->count; i += 2) {
        const struct yaml_node *key = yaml_target(map->items[i]);
        if (key->type == YAML_TEXT)
            continue;
        _cleanup_free_ char *shown = str_printable(key->value ? key->value : "");
        r = yaml_warn(tree, map->items[i]->start, err,
                      "the key '%.60s' is %s to cloud-init's reader and not text, and is not read",
                      shown ? shown : "?", yaml_describe(key));
    }
    return r;
}

void yaml_tree_free(struct yaml_tree *tree)
{
    if (!tree)
        return;
    for (struct yaml_node *node = tree->nodes, *next; node; node = next) {
        next = node->next;
        free(node->tag);
        free(node->value);
        free(node->text);
        free(node->items);
        free(node);
    }
    strv_free(&tree->warnings);
    free(tree);
}
