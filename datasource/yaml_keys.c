#include "datasource/yaml_keys.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

int yaml_keys_take(struct yaml_keys *keys, const struct yaml_node *map, struct error **err)
{
    keys->items = calloc(map->count / 2 + 1, sizeof(*keys->items));
    if (!keys->items)
        return error_oom(err);
    for (size_t i = 0; i < map->count; i += 2)
        keys->items[keys->count++] = map->items[i];
    return 0;
}

void yaml_keys_free(struct yaml_keys *keys)
{
    free(keys->items);
    *keys = (struct yaml_keys){0};
}

/* One way to write each key: numbers as Python compares them. */
struct same {
    char class;
    char *number; /* of a float or boolean, owned; else NULL */
    const char *text;
    size_t length;
    struct yaml_place place;
};

static int number_key(struct same *same, const struct yaml_node *node, struct error **err)
{
    double value = node->type == YAML_BOOL ? *node->text == 'T' : strtod(node->text, NULL);
    /* From 2^53 on there are whole numbers only. */
    if (isfinite(value) && (fabs(value) >= 9007199254740992.0 || value == (double)(long long)value))
        same->number = str_printf(err, "%.0f", value == 0 ? 0 : value);
    else
        same->number = str_printf(err, "%s", node->text);
    same->text = same->number;
    return same->number ? 0 : -ENOMEM;
}

/* False in *ret_known for integers whose value is not known. */
static int same_of(const struct yaml_node *key, struct same *same, bool *ret_known,
                   struct error **err)
{
    static const char classes[] = {
        [YAML_NULL] = 'z', [YAML_BOOL] = 'n', [YAML_INT] = 'n',  [YAML_FLOAT] = 'n',
        [YAML_TEXT] = 's', [YAML_TIME] = 't', [YAML_BYTES] = 'b'};
    const struct yaml_node *node = yaml_target(key);
    *ret_known = node->text && node->type <= YAML_BYTES;
    if (!*ret_known)
        return 0;
    *same = (struct same){.class = classes[node->type],
                          .text = node->text,
                          .length = node->text_length,
                          .place = key->start};
    int r = 0;
    if (node->type == YAML_BOOL || node->type == YAML_FLOAT)
        r = number_key(same, node, err);
    if (r == 0 && same->class != 's' && same->class != 'b')
        same->length = strlen(same->text);
    return r;
}

static bool is_same(const void *item, const void *key)
{
    const struct same *a = item, *b = key;
    return a->class == b->class && a->length == b->length &&
           memcmp(a->text, b->text, a->length) == 0;
}

static int compare(struct hash *known, struct same *same, struct yaml_tree *tree,
                   struct error **err)
{
    uint64_t code = hash_text(hash_number((uint64_t)same->class), same->text);
    const struct same *first = hash_find(known, code, is_same, same);
    if (!first)
        return hash_add(known, code, same, err);
    _cleanup_free_ char *shown = str_printable(same->text);
    return yaml_warn(tree, same->place, err,
                     "the key '%s' is given a second time, first in line %zu; cloud-init uses the "
                     "last one only",
                     shown ? shown : "?", first->place.line);
}

int yaml_keys_compare(const struct yaml_keys *keys, struct yaml_tree *tree, struct error **err)
{
    struct hash known = {0};
    size_t count = 0;
    struct same *all = calloc(keys->count + 1, sizeof(*all));
    int r = all ? 0 : error_oom(err);
    for (size_t i = 0; r == 0 && i < keys->count; i++) {
        bool is_known;
        const struct yaml_node *key = yaml_target(keys->items[i]);
        if (!key->is_constructed)
            continue; /* "<<" */
        r = same_of(keys->items[i], &all[count], &is_known, err);
        if (r == 0 && is_known)
            r = compare(&known, &all[count++], tree, err);
    }
    for (size_t i = 0; i < count; i++)
        free(all[i].number);
    hash_free(&known);
    free(all);
    return r;
}

/* File modes are octal on purpose, and mean the same to cloud-init. */
static bool is_mode(const struct yaml_node *key)
{
    static const char *const names[] = {"permissions", "mode", "umask", "perms"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (yaml_is_text(key, names[i]))
            return true;
    return false;
}

int yaml_note_scalar(struct yaml_tree *tree, const struct yaml_node *key,
                     const struct yaml_node *node, struct error **err)
{
    if (node->kind != YAML_SCALAR || !node->is_plain || !node->text ||
        (node->type != YAML_INT && node->type != YAML_FLOAT) ||
        strcmp(node->value, node->text) == 0)
        return 0;
    if (is_mode(key) && node->type == YAML_INT && node->value[0] == '0')
        return 0;
    bool is_sixtieths = strchr(node->value, ':');
    return yaml_warn(tree, node->start, err,
                     "%.80s is the number %.80s%s to cloud-init's reader; quote it where it is "
                     "text",
                     node->value, node->text, is_sixtieths ? " (base 60)" : "");
}

int yaml_note_list(struct yaml_tree *tree, const struct yaml_node *list, struct error **err)
{
    bool has_text = false;
    int r = 0;
    for (size_t i = 0; i < list->count; i++)
        has_text = has_text || yaml_is(list->items[i], YAML_TEXT);
    for (size_t i = 0; r == 0 && i < list->count; i++) {
        const struct yaml_node *item = list->items[i];
        r = yaml_note_scalar(tree, NULL, item, err);
        bool is_word =
            item->type == YAML_BOOL || item->type == YAML_NULL || item->type == YAML_TIME;
        if (r == 0 && has_text && item->kind == YAML_SCALAR && item->is_plain && is_word)
            r = yaml_warn(tree, item->start, err,
                          "'%s' among the words of a list is %s to cloud-init's reader, and "
                          "printed as '%s'; quote it where it is text",
                          item->value, yaml_describe(item), item->text);
    }
    return r;
}
