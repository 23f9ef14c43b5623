/* Cloud-config archives: lists of texts, or of mappings with text under "content". After
 * _explode_archive() of cloudinit/user_data.py. */

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "datasource/pieces.h"
#include "datasource/yaml.h"

/* An item of an archive that names no type and begins with no known header is a cloud-config. */
static int check_guessed(struct checking *checking, const struct piece *piece, struct error **err)
{
    struct error *cause = NULL;
    int r = piece_check(checking, piece, &cause);
    if (r < 0 && r != -EINVAL)
        return error_move(err, cause);
    if (r < 0)
        report(checking->reporter, REPORT_WARNING,
               "%s: is dropped, since cloud-init takes an item without a header for a cloud-config",
               error_message(cause));
    error_free(cause);
    return 0;
}

/* What makes cloud-init fail with an exception, and lose the whole document. */
static int refuse_item(const struct yaml_tree *tree, const struct yaml_node *node, const char *what,
                       struct error **err)
{
    int r = yaml_refuse(tree, node->start, err, "%s", what);
    error_hint(err, "cloud-init fails over this item, and reads none of the others");
    return r;
}

static int check_item_keys(const struct yaml_tree *tree, const struct yaml_node *item,
                           struct error **err)
{
    static const char *const any[] = {"filename",           "launch-index",
                                      "content-type",       "content-disposition",
                                      "number-attachments", "type"};
    const struct yaml_node *type = yaml_get(item, "type");
    if (yaml_truth(type) && (!yaml_text(type) || !strchr(yaml_text(type), '/')))
        return refuse_item(tree, type, "'type' is no type like text/x-shellscript", err);
    for (size_t i = 0; i < item->count; i += 2) {
        const struct yaml_node *value = yaml_target(item->items[i + 1]);
        const char *key = yaml_text(item->items[i]);
        bool free_form = false;
        for (size_t k = 0; key && k < ARRAY_SIZE(any); k++)
            free_form = free_form || strcasecmp(key, any[k]) == 0;
        if (!key)
            return refuse_item(tree, item->items[i], "a key of an item is not text", err);
        if (!free_form && value->type != YAML_TEXT &&
            !(value->type == YAML_BYTES && strcmp(key, "content") == 0))
            return refuse_item(tree, value, "the value must be text in quotes, or '|' with lines",
                               err);
    }
    return 0;
}

static int check_item(struct checking *checking, const struct yaml_tree *tree, size_t number,
                      struct error **err)
{
    const struct yaml_node *item = yaml_target(tree->root->items[number]);
    const struct yaml_node *content = item, *type = NULL;
    int r = 0;
    if (item->type == YAML_DICT) {
        r = check_item_keys(tree, item, err);
        content = yaml_get(item, "content");
        type = yaml_get(item, "type");
    } else if (item->type != YAML_TEXT) {
        report(
            checking->reporter, REPORT_WARNING,
            "%s:%zu:%zu: is %s, no text and no mapping with 'content'; cloud-init passes over it",
            tree->name, item->start.line, item->start.column, yaml_describe(item));
        return 0;
    }
    if (r < 0)
        return r;
    _cleanup_free_ char *name = str_printf(err, "%s: item %zu", tree->name, number + 1);
    if (!name)
        return -ENOMEM;
    struct piece piece = {.name = name,
                          .type = yaml_truth(type) ? yaml_text(type) : NULL,
                          .filename = yaml_text(yaml_get(item, "filename")),
                          .data = content ? content->text : "",
                          .size = content ? content->text_length : 0,
                          .in_archive = true};
    if (piece.type)
        return piece_check(checking, &piece, err);
    const struct form *form = form_find_within(piece.data);
    if (form && form->type) {
        piece.type = form->type;
        return piece_check(checking, &piece, err);
    }
    piece.type = yaml_is(content, YAML_BYTES) ? "application/octet-stream" : CONFIG_TYPE;
    return check_guessed(checking, &piece, err);
}

int archive_check(struct checking *checking, const struct piece *piece, struct error **err)
{
    _cleanup_yaml_tree_ struct yaml_tree *tree = NULL;
    int r = yaml_load(piece->data, piece->size, piece->name, YAML_SEQUENCE, &tree, err);
    if (r < 0)
        return r;
    yaml_report(tree, checking->reporter);
    if (!yaml_truth(tree->root)) {
        report(checking->reporter, REPORT_WARNING, "%s: is an archive without items", piece->name);
        return 0;
    }
    for (size_t i = 0; r == 0 && i < tree->root->count; i++)
        r = check_item(checking, tree, i, err);
    return r;
}
