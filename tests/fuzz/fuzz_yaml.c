/* The documents of a seed: hostile YAML must be refused or edited, and an edit must hold. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "datasource/identity.h"
#include "datasource/nocloud.h"
#include "datasource/user_data.h"
#include "datasource/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth)
        abort();
}

static void edit(const char *text, size_t size, const char *key, const char *value)
{
    _cleanup_free_ char *changed = NULL;
    _cleanup_yaml_found_ struct yaml_found found = {0};
    if (yaml_top_set(text, size, "fuzz", key, value, &changed, NULL) < 0)
        return;
    require(yaml_check(changed, strlen(changed), "fuzz", YAML_MAPPING, NULL, NULL) == 0);
    require(yaml_top_find(changed, strlen(changed), "fuzz", key, &found, NULL) == 0);
    require(found.present && found.kind == (*value == '[' ? YAML_SEQUENCE : YAML_SCALAR));
    require(found.kind == YAML_SEQUENCE || strcmp(found.scalar, "web1") == 0);
}

/* Every value that the top level gives can be looked at. */
static void look(const char *text, size_t size)
{
    _cleanup_yaml_tree_ struct yaml_tree *tree = NULL;
    if (yaml_load(text, size, "fuzz", YAML_MAPPING, &tree, NULL) < 0 || !tree->root)
        return;
    for (size_t i = 0; i < tree->root->count; i++) {
        const struct yaml_node *node = yaml_target(tree->root->items[i]);
        const char *found = yaml_text(node);
        require(!found || strlen(found) <= node->text_length);
        require(yaml_truth(node) || !found || node->text_length == 0);
        require(*yaml_describe(node));
        yaml_get(node, "a");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_error_ struct error *err = NULL;
    _cleanup_yaml_found_ struct yaml_found found = {0};
    _cleanup_accounts_ struct user_data_accounts accounts = {0};
    _cleanup_free_ char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    struct nocloud_document document = {.data = text, .size = size};
    if (yaml_check(text, size, "fuzz", YAML_NOTHING, NULL, &err) < 0)
        require(err && *error_message(err));
    if (yaml_top_find(text, size, "fuzz", "a", &found, NULL) == 0 && found.present)
        require(found.start <= found.end && found.end <= size);
    look(text, size);
    edit(text, size, "a", "\"web1\"");
    edit(text, size, "instance-id", "\"web1\"");
    edit(text, size, "public-keys", "[\"ssh-rsa \\\"\"]");
    user_data_check(&document, "fuzz", NULL, &accounts, NULL);
    identity_check_meta_data(&document, "fuzz", NULL, NULL);
    nocloud_check_network_config(&document, "fuzz", NULL, NULL);
    return 0;
}
