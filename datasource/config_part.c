/* What is checked inside a cloud-config: host names, mergers, and whom its users let in. */

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "datasource/identity.h"
#include "datasource/user_data.h"

void user_data_accounts_free(struct user_data_accounts *accounts)
{
    free(accounts->users);
    *accounts = (struct user_data_accounts){0};
}

/* Names with commas between them. */
static bool names_default(const char *text)
{
    for (const char *at = text; at;) {
        at += strspn(at, ", \t\r\n");
        size_t length = strcspn(at, ",");
        const char *end = at + length;
        while (length > 0 && strchr(" \t\r\n", at[length - 1]))
            length--;
        if (length == strlen("default") && memcmp(at, "default", length) == 0)
            return true;
        at = *end ? end : NULL;
    }
    return false;
}

/* As util.is_true() of cloud-init. */
static bool is_true(const struct yaml_node *node)
{
    static const char *const words[] = {"true", "1", "on", "yes"};
    node = yaml_target(node);
    for (size_t i = 0; node->text && i < ARRAY_SIZE(words); i++)
        if (strcasecmp(node->text, words[i]) == 0)
            return true;
    return false;
}

static bool item_is_default(const struct yaml_node *item)
{
    item = yaml_target(item);
    if (item->type == YAML_TEXT)
        return names_default(item->text);
    if (item->type == YAML_DICT) {
        const struct yaml_node *name = yaml_get(item, "name");
        return !name || yaml_is_text(name, "default");
    }
    bool found = false;
    for (size_t i = 0; item->type == YAML_LIST && i < item->count; i++)
        found = found || (yaml_text(item->items[i]) && names_default(yaml_text(item->items[i])));
    return found;
}

/* As normalize_users_groups() of cloudinit/distros/ug_util.py. */
static bool has_default_user(const struct yaml_node *users)
{
    bool found = users->type == YAML_TEXT && names_default(users->text);
    if (users->type == YAML_DICT) {
        const struct yaml_node *entry = yaml_get(users, "default");
        found = entry && (entry->type == YAML_DICT || is_true(entry));
    }
    for (size_t i = 0; users->type == YAML_LIST && i < users->count; i++)
        found = found || item_is_default(users->items[i]);
    return found;
}

static int note_users(const struct yaml_tree *tree, struct user_data_accounts *accounts,
                      struct error **err)
{
    const struct yaml_node *users = yaml_get(tree->root, "users");
    const struct yaml_node *root_off = yaml_get(tree->root, "disable_root");
    if (yaml_truth(yaml_get(tree->root, "user")))
        accounts->has_users = accounts->has_default = true;
    else if (users) {
        accounts->has_users = true;
        accounts->has_default = has_default_user(users);
        free(accounts->users);
        accounts->users =
            str_printf(err, "%s:%zu:%zu", tree->name, users->start.line, users->start.column);
        if (!accounts->users)
            return -ENOMEM;
    }
    if (yaml_truth(yaml_get(tree->root, "ssh_authorized_keys")))
        accounts->has_keys = true;
    if (root_off)
        accounts->root_may = !is_true(root_off);
    return 0;
}

/* The name of a merger, like "dict(replace)". */
static bool is_merger(const char *text, size_t length, bool *is_dict)
{
    static const char *const names[] = {"dict", "list", "str"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t name = strlen(names[i]);
        if (length < name || strncasecmp(text, names[i], name) != 0)
            continue;
        *is_dict = *is_dict || i == 0;
        return length == name ||
               (length > name + 1 && text[name] == '(' && text[length - 1] == ')');
    }
    return false;
}

/* "list(append)+dict(replace)". */
static bool are_mergers(const char *text, size_t *count, bool *has_dict)
{
    for (const char *at = text; at;) {
        at += strspn(at, " \t\n");
        size_t length = strcspn(at, "+");
        const char *end = at + length;
        while (length > 0 && strchr(" \t\n", at[length - 1]))
            length--;
        if (length > 0 && (at[length - 1] != ')' || !is_merger(at, length, has_dict)))
            return false;
        *count += length > 0;
        at = *end ? end + 1 : NULL;
    }
    return true;
}

/* {name: dict, settings: [replace]} or [dict, replace]. */
static bool is_merger_item(const struct yaml_node *item, bool *has_dict)
{
    item = yaml_target(item);
    const char *name = yaml_text(yaml_get(item, "name"));
    if (item->type == YAML_LIST && item->count > 0)
        name = yaml_text(item->items[0]);
    else if (!yaml_get(item, "settings"))
        return false;
    return name && is_merger(name, strlen(name), has_dict);
}

/* How the document is merged with what is there before, which is nothing or other parts
 * (cloudinit/mergers/): without a merger of mappings, nothing of the document is taken. */
static int check_mergers(struct yaml_tree *tree, struct error **err)
{
    const struct yaml_node *how = yaml_get(tree->root, "merge_how");
    bool has_dict = false, known = true;
    size_t count = 0;
    if (!how || how->type == YAML_NULL)
        how = yaml_get(tree->root, "merge_type");
    if (!how || how->type == YAML_NULL)
        return 0;
    if (how->type == YAML_TEXT)
        known = are_mergers(how->text, &count, &has_dict);
    else if (how->type == YAML_LIST)
        for (count = 0; known && count < how->count; count++)
            known = is_merger_item(how->items[count], &has_dict);
    else
        known = false;
    if (known && (has_dict || count == 0))
        return 0;
    int r = known ? yaml_refuse(tree, how->start, err, "no merger is one of mappings, like dict()")
                  : yaml_refuse(tree, how->start, err, "is no list of mergers");
    error_hint(err,
               "write 'list(append)+dict(no_replace,recurse_list)+str()'; cloud-init drops the "
               "whole document over this");
    return r;
}

int user_data_check_config(struct yaml_tree *tree, struct user_data_accounts *accounts,
                           struct error **err)
{
    int r = yaml_warn_keys(tree, tree->root, err);
    if (r == 0)
        r = check_mergers(tree, err);
    if (r == 0)
        r = identity_check_name(tree, tree->root, "hostname", err);
    if (r == 0)
        r = identity_check_name(tree, tree->root, "fqdn", err);
    return r < 0 || !accounts ? r : note_users(tree, accounts, err);
}
