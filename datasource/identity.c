#include "datasource/identity.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "datasource/yaml.h"

static bool is_label(const char *text, size_t length)
{
    if (length == 0 || length > 63 || text[0] == '-' || text[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
              (text[i] >= '0' && text[i] <= '9') || text[i] == '-'))
            return false;
    return true;
}

/* RFC 1123, section 2.1. */
static bool is_host_name(const char *text)
{
    bool valid = strlen(text) <= 253;
    for (const char *label = text; valid; label++) {
        size_t length = strcspn(label, ".");
        valid = is_label(label, length);
        label += length;
        if (!*label)
            break;
    }
    return valid;
}

bool identity_is_address(const char *text)
{
    struct in6_addr address;
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

int nocloud_check_hostname(const char *hostname, struct error **err)
{
    if (identity_is_address(hostname)) {
        int r = error_set(err, EINVAL, "'%s' is an IP address and not a host name", hostname);
        error_hint(err, "cloud-init would make another name of it; use one like web1");
        return r;
    }
    if (is_host_name(hostname))
        return 0;
    int r = error_set(err, EINVAL, "'%s' is not a valid host name", hostname);
    error_hint(err, "use letters, digits and inner hyphens, like web1 or web1.example.com; "
                    "63 characters between dots, 253 in all");
    return r;
}

int nocloud_check_instance_id(const char *id, struct error **err)
{
    size_t length = strlen(id);
    bool valid = length > 0 && length <= 128 && id[0] != '.';
    for (size_t i = 0; valid && i < length; i++)
        valid = id[i] > ' ' && id[i] < 0x7f && id[i] != '/';
    if (valid)
        return 0;
    int r = error_set(err, EINVAL, "'%s' is not a valid instance-id", id);
    error_hint(err, "use 1 to 128 printable ASCII characters without blanks and slashes, "
                    "not beginning with a dot");
    return r;
}

int identity_check_name(struct yaml_tree *tree, const struct yaml_node *map, const char *key,
                        struct error **err)
{
    const struct yaml_node *node = yaml_get(map, key);
    int r = 0;
    if (!node)
        return 0;
    const char *text = yaml_text(node);
    if (!text) {
        r = yaml_refuse(tree, node->start, err, "'%s' is %s to cloud-init's reader, not text", key,
                        yaml_describe(node));
        error_hint(err, "put it into quotes; cloud-init fails with an exception over this");
    } else if (identity_is_address(text)) {
        r = yaml_refuse(tree, node->start, err, "'%s' is the IP address '%s' and not a host name",
                        key, text);
        error_hint(err, "cloud-init would make another name of it; use one like web1");
    } else if (*text && !is_host_name(text)) {
        _cleanup_free_ char *shown = str_printable(text);
        r = yaml_warn(tree, node->start, err, "'%s' is '%s', which is not a valid host name", key,
                      shown ? shown : "?");
    }
    return r;
}

/* Names of other data sources, and misspellings. */
static int warn_of_unread(struct yaml_tree *tree, struct error **err)
{
    static const char *const unread[][2] = {
        {"hostname", "local-hostname"},         {"local_hostname", "local-hostname"},
        {"instance_id", "instance-id"},         {"instanceid", "instance-id"},
        {"public_keys", "public-keys"},         {"ssh_authorized_keys", "public-keys"},
        {"ssh-authorized-keys", "public-keys"},
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(unread); i++) {
        const struct yaml_node *node = yaml_get(tree->root, unread[i][0]);
        if (node)
            r = yaml_warn(tree, node->start, err,
                          "cloud-init does not read '%s' in the meta-data of NoCloud, but '%s'",
                          unread[i][0], unread[i][1]);
    }
    return r;
}

static bool is_list_of_text(const struct yaml_node *node)
{
    node = yaml_target(node);
    bool all = node->type == YAML_LIST;
    for (size_t i = 0; all && i < node->count; i++)
        all = yaml_is(node->items[i], YAML_TEXT);
    return all;
}

/* As normalize_pubkey_data() of cloudinit/sources/__init__.py takes them. */
static int check_public_keys(struct yaml_tree *tree, struct error **err)
{
    const struct yaml_node *keys = yaml_get(tree->root, "public-keys");
    if (!yaml_truth(keys) || keys->type == YAML_TEXT || is_list_of_text(keys))
        return 0;
    bool all = keys->type == YAML_DICT;
    for (size_t i = 1; all && i < keys->count; i += 2)
        all = yaml_is(keys->items[i], YAML_TEXT) || is_list_of_text(keys->items[i]);
    if (all)
        return 0;
    return yaml_warn(tree, keys->start, err,
                     "cloud-init does not read all of 'public-keys': it takes text, a list, "
                     "{name: key} and {name: [key, ...]}");
}

static int check_instance_id(struct yaml_tree *tree, struct error **err)
{
    const struct yaml_node *id = yaml_get(tree->root, "instance-id");
    if (!id || (id->type != YAML_BOOL && id->type != YAML_TIME) || strcmp(id->value, id->text) == 0)
        return 0;
    return yaml_warn(tree, id->start, err, "the instance-id '%s' is '%s' to cloud-init's reader",
                     id->value, id->text);
}

/* DataSourceNoCloud.py takes the documents from there, and only meta-data from the seed. */
static int check_seedfrom(struct yaml_tree *tree, struct error **err)
{
    static const char *const schemes[] = {"/", "file://", "http://", "https://"};
    const struct yaml_node *from = yaml_get(tree->root, "seedfrom");
    const char *text = yaml_text(from);
    if (!from)
        return 0;
    for (size_t i = 0; text && i < ARRAY_SIZE(schemes); i++)
        if (str_starts(text, schemes[i]))
            return yaml_warn(tree, from->start, err,
                             "cloud-init reads user-data and vendor-data from 'seedfrom', and not "
                             "those of this seed");
    int r = yaml_refuse(tree, from->start, err, "'seedfrom' is neither a path nor a URL");
    error_hint(err, "begin it with /, file://, http:// or https://; cloud-init would pass over the "
                    "whole seed");
    return r;
}

static int check_dsmode(struct yaml_tree *tree, struct error **err)
{
    const struct yaml_node *mode = yaml_get(tree->root, "dsmode");
    if (!mode || mode->type == YAML_NULL || yaml_is_text(mode, "local") ||
        yaml_is_text(mode, "net"))
        return 0;
    if (yaml_is_text(mode, "disabled"))
        return yaml_warn(tree, mode->start, err,
                         "cloud-init passes over the whole seed with 'dsmode: disabled'");
    return yaml_warn(tree, mode->start, err,
                     "'dsmode' is none of local, net and disabled, and cloud-init takes net");
}

static int check_tree(struct yaml_tree *tree, struct error **err)
{
    const struct yaml_node *hostname = yaml_get(tree->root, "local-hostname");
    int r = 0;
    /* null is taken for absent. */
    if (hostname && hostname->type != YAML_NULL)
        r = identity_check_name(tree, tree->root, "local-hostname", err);
    if (r == 0)
        r = check_instance_id(tree, err);
    if (r == 0)
        r = check_seedfrom(tree, err);
    if (r == 0)
        r = check_dsmode(tree, err);
    if (r == 0)
        r = yaml_warn_keys(tree, tree->root, err);
    if (r == 0)
        r = check_public_keys(tree, err);
    return r < 0 ? r : warn_of_unread(tree, err);
}

int identity_check_meta_data(const struct nocloud_document *document, const char *name,
                             struct reporter *reporter, struct error **err)
{
    return nocloud_check_mapping(document, name, check_tree, reporter, err);
}

int identity_value(const struct nocloud_document *document, const char *name, const char *key,
                   char **ret, struct error **err)
{
    _cleanup_yaml_tree_ struct yaml_tree *tree = NULL;
    int r = yaml_load(document->data, document->size, name, YAML_MAPPING, &tree, err);
    if (r < 0)
        return r;
    const struct yaml_node *node = yaml_get(tree->root, key);
    if (!node || node->type == YAML_NULL || (node->text && !*node->text))
        return 0;
    if (!node->text || strlen(node->text) != node->text_length)
        return error_set(err, EINVAL, "%s: '%s' must be a plain value", name, key);
    return str_replace(ret, node->text, err);
}
