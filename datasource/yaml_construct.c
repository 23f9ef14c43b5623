#include "datasource/yaml_construct.h"

#include <errno.h>
#include <string.h>

#include "datasource/yaml_keys.h"
#include "datasource/yaml_resolve.h"
#include "datasource/yaml_scalar.h"

enum {
    /* Of nodes within nodes. The text is at most 64 deep, but an alias may go on into another
     * place. Python ends at 1,000 calls. */
    max_depth = 300,
    max_merged = 1000000,
};

struct work {
    struct yaml_tree *tree;
    size_t depth;
    size_t merged; /* nodes that "<<" added */
};

/* The tags that have a constructor. python/unicode is cloud-init's own (cloudinit/safeyaml.py). */
static const struct tag {
    const char *name;
    enum yaml_type type;
    bool is_pairs; /* a list of mappings with one key each */
} tags[] = {
    {"null", YAML_NULL, false},    {"bool", YAML_BOOL, false},
    {"int", YAML_INT, false},      {"float", YAML_FLOAT, false},
    {"str", YAML_TEXT, false},     {"python/unicode", YAML_TEXT, false},
    {"binary", YAML_BYTES, false}, {"timestamp", YAML_TIME, false},
    {"seq", YAML_LIST, false},     {"omap", YAML_LIST, true},
    {"pairs", YAML_LIST, true},    {"map", YAML_DICT, false},
    {"set", YAML_SET, false},
};

static const char remedy[] = "cloud-init's reader drops the whole document over this";

static int refuse(const struct work *work, const struct yaml_node *node, struct error **err,
                  const char *what)
{
    int r = yaml_refuse(work->tree, node->start, err, "%s", what);
    error_hint(err, "%s", remedy);
    return r;
}

static int find_tag(const struct work *work, const struct yaml_node *node, const struct tag **ret,
                    struct error **err)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    for (size_t i = 0; str_starts(node->tag, prefix) && i < ARRAY_SIZE(tags); i++)
        if (strcmp(node->tag + strlen(prefix), tags[i].name) == 0) {
            *ret = &tags[i];
            return 0;
        }
    _cleanup_free_ char *shown = str_printable(node->tag);
    int r = yaml_refuse(work->tree, node->start, err,
                        "the tag '%s' is none that cloud-init's reader knows", shown ? shown : "?");
    error_hint(err, "leave it out; text that begins with '!' goes into quotes");
    return r;
}

/* What the node's type is by its tag, or by its text. */
static int find_type(const struct work *work, const struct yaml_node *node, struct tag *ret,
                     struct error **err)
{
    const struct tag *tag = NULL;
    if (node->tag) {
        int r = find_tag(work, node, &tag, err);
        if (r == 0)
            *ret = *tag;
        return r;
    }
    *ret = (struct tag){.type = YAML_TEXT};
    if (node->kind == YAML_SEQUENCE)
        ret->type = YAML_LIST;
    else if (node->kind == YAML_MAPPING)
        ret->type = YAML_DICT;
    else if (node->is_plain)
        ret->type = yaml_resolve(node->value, node->length);
    return 0;
}

static bool is_special(const struct yaml_node *node, enum yaml_type type)
{
    return node->kind == YAML_SCALAR && node->is_plain &&
           yaml_resolve(node->value, node->length) == type;
}

/* Under the tag of a scalar, a mapping stands for the value of its key "=". */
static const struct yaml_node *scalar_of(const struct yaml_node *node)
{
    const struct yaml_node *found = node;
    for (size_t depth = 0; found && found->kind == YAML_MAPPING && depth < max_depth; depth++) {
        const struct yaml_node *map = found;
        found = NULL;
        for (size_t i = 0; !found && i < map->count; i += 2)
            if (is_special(yaml_target(map->items[i]), YAML_VALUE))
                found = yaml_target(map->items[i + 1]);
    }
    return found && found->kind == YAML_SCALAR ? found : NULL;
}

static int construct_scalar(struct work *work, struct yaml_node *node, struct error **err)
{
    const struct yaml_node *scalar = scalar_of(node);
    struct yaml_made made;
    if (!scalar || (scalar != node && node->type == YAML_TIME))
        return refuse(work, node, err, "its tag is one of single values");
    int r = yaml_scalar_make(node->type, scalar->value, scalar->length, &made, err);
    if (r < 0)
        return r;
    node->text = made.text;
    node->text_length = made.length;
    if (!made.problem)
        return 0;
    _cleanup_free_ char *shown = str_printable(scalar->value);
    r = yaml_refuse(work->tree, node->start, err, "'%.60s' %s", shown ? shown : "?", made.problem);
    error_hint(err, "put it into quotes, without a tag, where it is text; %s", remedy);
    return r;
}

static int construct(struct work *work, struct yaml_node *node, struct error **err);

static int construct_list(struct work *work, struct yaml_node *node, struct error **err)
{
    int r = 0;
    if (node->kind != YAML_SEQUENCE)
        return refuse(work, node, err, "its tag is that of a list");
    for (size_t i = 0; r == 0 && i < node->count; i++)
        r = construct(work, node->items[i], err);
    return r < 0 ? r : yaml_note_list(work->tree, node, err);
}

/* !!omap and !!pairs: [{key: value}, ...]. Keys need not be hashable. */
static int construct_pairs(struct work *work, struct yaml_node *node, struct error **err)
{
    int r = 0;
    if (node->kind != YAML_SEQUENCE)
        return refuse(work, node, err, "its tag is that of a list");
    for (size_t i = 0; r == 0 && i < node->count; i++) {
        const struct yaml_node *pair = yaml_target(node->items[i]);
        if (pair->kind != YAML_MAPPING || pair->count != 2)
            return refuse(work, pair, err, "a mapping with one key is expected under this tag");
        r = construct(work, pair->items[0], err);
        if (r == 0)
            r = construct(work, pair->items[1], err);
    }
    return r;
}

static int flatten(struct work *work, struct yaml_node *map, struct error **err);

/* Adds the pairs of a mapping to *merged, a node that only holds them. */
static int merge_map(struct work *work, struct yaml_node *source, struct yaml_node *merged,
                     struct error **err)
{
    if (source->kind == YAML_ALIAS)
        source = source->target;
    if (source->kind != YAML_MAPPING)
        return refuse(work, source, err, "'<<' takes a mapping, or a list of mappings");
    int r = flatten(work, source, err);
    /* The source may be the mapping that is being flattened: its count grows later. */
    for (size_t i = 0, count = source->count; r == 0 && i < count; i++) {
        if (++work->merged > max_merged)
            return refuse(work, source, err, "'<<' merges more than a million keys and values");
        r = yaml_node_add(merged, source->items[i], err);
    }
    return r;
}

/* Of a list of mappings the first goes before the others: it is added last. */
static int merge(struct work *work, struct yaml_node *value, struct yaml_node *merged,
                 struct error **err)
{
    int r = 0;
    if (value->kind == YAML_ALIAS)
        value = value->target;
    if (value->kind != YAML_SEQUENCE)
        return merge_map(work, value, merged, err);
    for (size_t i = value->count; r == 0 && i > 0; i--)
        r = merge_map(work, value->items[i - 1], merged, err);
    return r;
}

/* Takes the key "<<" at `place`, and its value, out of the mapping. */
static void remove_pair(struct yaml_node *map, size_t place)
{
    memmove(map->items + place, map->items + place + 2,
            (map->count - place - 2) * sizeof(*map->items));
    map->count -= 2;
}

/* Puts what "<<" names before the mapping's own keys, which so go before it. */
static int flatten(struct work *work, struct yaml_node *map, struct error **err)
{
    struct yaml_node *merged = NULL;
    int r = 0;
    if (++work->depth > max_depth)
        return refuse(work, map, err, "'<<' leads through more than 300 mappings");
    for (size_t i = 0; r == 0 && i + 1 < map->count;) {
        const struct yaml_node *key = yaml_target(map->items[i]);
        if (!is_special(key, YAML_MERGE)) {
            i += 2;
            continue;
        }
        struct yaml_node *value = map->items[i + 1];
        remove_pair(map, i);
        if (!merged)
            r = yaml_node_new(work->tree, YAML_MAPPING, &merged, err);
        if (r == 0)
            r = merge(work, value, merged, err);
    }
    work->depth--;
    if (r < 0 || !merged)
        return r;
    for (size_t i = 0; r == 0 && i < map->count; i++)
        r = yaml_node_add(merged, map->items[i], err);
    if (r < 0)
        return r;
    free(map->items);
    map->items = TAKE_PTR(merged->items);
    map->count = merged->count;
    map->capacity = merged->capacity;
    merged->count = 0;
    return 0;
}

/* As a key, "=" is text. */
static int construct_key(struct work *work, struct yaml_node *key, struct error **err)
{
    struct yaml_node *node = key->kind == YAML_ALIAS ? key->target : key;
    if (is_special(node, YAML_VALUE))
        node->is_plain = false;
    int r = construct(work, key, err);
    if (r < 0)
        return r;
    if (node->type == YAML_LIST || node->type == YAML_DICT || node->type == YAML_SET) {
        r = yaml_refuse(work->tree, key->start, err, "%s stands where only a plain key may",
                        yaml_describe(node));
        error_hint(err, "put it into quotes where it is text, as in \"{{ name }}\"; %s", remedy);
    }
    return r;
}

static int construct_map(struct work *work, struct yaml_node *node, struct error **err)
{
    if (node->kind != YAML_MAPPING)
        return refuse(work, node, err, "its tag is that of a mapping");
    /* The node's own keys, since merged ones are there to be replaced. */
    struct yaml_keys own = {0};
    int r = yaml_keys_take(&own, node, err);
    if (r == 0)
        r = flatten(work, node, err);
    for (size_t i = 0; r == 0 && i + 1 < node->count; i += 2) {
        r = construct_key(work, node->items[i], err);
        if (r == 0)
            r = construct(work, node->items[i + 1], err);
        if (r == 0 && node->items[i + 1]->kind == YAML_SCALAR)
            r = yaml_note_scalar(work->tree, node->items[i], node->items[i + 1], err);
    }
    if (r == 0)
        r = yaml_keys_compare(&own, work->tree, err);
    yaml_keys_free(&own);
    return r;
}

static int construct_type(struct work *work, struct yaml_node *node, bool is_pairs,
                          struct error **err)
{
    switch (node->type) {
    case YAML_LIST:
        return is_pairs ? construct_pairs(work, node, err) : construct_list(work, node, err);
    case YAML_DICT:
    case YAML_SET:
        return construct_map(work, node, err);
    case YAML_MERGE:
        return refuse(work, node, err, "'<<' stands where no mapping is merged; quote it");
    case YAML_VALUE:
        return refuse(work, node, err, "'=' alone is not text; quote it");
    default:
        return construct_scalar(work, node, err);
    }
}

static int construct(struct work *work, struct yaml_node *node, struct error **err)
{
    struct tag tag = {0};
    if (node->kind == YAML_ALIAS)
        node = node->target;
    if (node->is_constructed)
        return 0;
    node->is_constructed = true;
    int r = find_type(work, node, &tag, err);
    if (r < 0)
        return r;
    node->type = tag.type;
    if (++work->depth > max_depth)
        return refuse(work, node, err, "nested deeper than 300 levels, through aliases");
    r = construct_type(work, node, tag.is_pairs, err);
    work->depth--;
    return r;
}

int yaml_construct(struct yaml_tree *tree, struct error **err)
{
    struct work work = {.tree = tree};
    return tree->root ? construct(&work, tree->root, err) : 0;
}
