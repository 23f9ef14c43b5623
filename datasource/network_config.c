#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "datasource/network.h"
#include "datasource/nocloud.h"
#include "datasource/yaml.h"

int network_refuse(const struct yaml_tree *tree, const struct yaml_node *node, struct error **err,
                   const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    int r = yaml_refuse(tree, node->start, err, "%s", text);
    error_hint(err, "correct it, or leave network-config out for DHCP; cloud-init would set up no "
                    "network with it");
    return r;
}

bool network_prefix_is_valid(const char *text, bool is_v6)
{
    struct in_addr mask;
    size_t length = strspn(text, "0123456789");
    if (length > 0 && length <= 3 && !text[length])
        return atoi(text) <= (is_v6 ? 128 : 32);
    if (is_v6 || inet_pton(AF_INET, text, &mask) != 1)
        return false;
    uint32_t bits = ntohl(mask.s_addr), other = ~bits;
    return (bits & (bits + 1)) == 0 || (other & (other + 1)) == 0;
}

int network_demand(const struct yaml_tree *tree, const struct yaml_node *map, const char *key,
                   enum yaml_type type, struct error **err)
{
    static const char *const names[] = {
        [YAML_TEXT] = "text", [YAML_LIST] = "a list", [YAML_DICT] = "a mapping"};
    const struct yaml_node *node = yaml_get(map, key);
    if (!node || node->type == type)
        return 0;
    return network_refuse(tree, node, err, "'%s' is %s to cloud-init's reader and not %s", key,
                          yaml_describe(node), names[type]);
}

int network_check_stp(const struct yaml_tree *tree, const struct yaml_node *stp, struct error **err)
{
    static const char *const words[] = {"on", "off", "1", "0"};
    if (!stp || stp->type == YAML_BOOL || stp->type == YAML_NULL)
        return 0;
    for (size_t i = 0; stp->text && i < ARRAY_SIZE(words); i++)
        if (strcmp(stp->text, words[i]) == 0)
            return 0;
    return network_refuse(tree, stp, err, "the bridge's 'stp' is neither on nor off");
}

bool network_address_parse(const char *text, struct network_address *ret)
{
    char host[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t length = strcspn(text, "/");
    if (length >= sizeof(host))
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    ret->has_prefix = text[length] == '/';
    ret->is_v6 = inet_pton(AF_INET6, host, &address) == 1;
    if (!ret->is_v6 && inet_pton(AF_INET, host, &address) != 1)
        return false;
    return !ret->has_prefix || network_prefix_is_valid(text + length + 1, ret->is_v6);
}

int network_check_mac(const struct yaml_tree *tree, const struct yaml_node *mac, struct error **err)
{
    if (!mac || mac->type == YAML_TEXT || mac->type == YAML_NULL)
        return 0;
    int r = yaml_refuse(tree, mac->start, err,
                        "the MAC address %.40s is %s to cloud-init's reader, not text",
                        mac->value ? mac->value : "", yaml_describe(mac));
    error_hint(err, "put it into quotes");
    return r;
}

static bool is_version(const struct yaml_node *version, const char *whole, const char *fraction)
{
    return (yaml_is(version, YAML_INT) || yaml_is(version, YAML_FLOAT)) && version->text &&
           (strcmp(version->text, whole) == 0 || strcmp(version->text, fraction) == 0);
}

static int bad_version(const struct yaml_tree *tree, const struct yaml_node *map,
                       const struct yaml_node *version, bool wrapped, struct error **err)
{
    int r;
    if (!version && wrapped)
        r = yaml_refuse(tree, map->start, err, "'network' has no 'version'");
    else if (!version)
        r = error_set(err, EINVAL, "%s: has neither 'version' nor 'network' at its top level",
                      tree->name);
    else if (version->type == YAML_TEXT)
        r = yaml_refuse(tree, version->start, err,
                        "'version' is the text '%.20s' to cloud-init's reader, not a number",
                        version->text);
    else
        r = yaml_refuse(tree, version->start, err,
                        "'version: %.20s' of network-config is not known",
                        version->value ? version->value : yaml_describe(version));
    error_hint(err, version && version->type == YAML_TEXT
                        ? "write it without quotes; cloud-init would set up no network"
                        : "begin it with 'version: 2' (or 1); an empty one is better left out");
    return r;
}

/* cloud-init takes off a key "network", and does not look at what is beside it. */
static int unwrap(struct yaml_tree *tree, const struct yaml_node **map, bool *ret_wrapped,
                  struct error **err)
{
    const struct yaml_node *network = yaml_get(*map, "network");
    *ret_wrapped = network;
    if (!network)
        return 0;
    if (network->type != YAML_DICT)
        return network_refuse(tree, network, err, "'network' is %s and not a mapping",
                              yaml_describe(network));
    int r = 0;
    for (size_t i = 0; r == 0 && i < (*map)->count; i += 2) {
        const struct yaml_node *key = yaml_target((*map)->items[i]);
        if (!yaml_is_text(key, "network"))
            r = yaml_warn(tree, key->start, err,
                          "cloud-init reads nothing beside 'network', as this '%.40s' is",
                          key->value ? key->value : "");
    }
    *map = network;
    return r;
}

static int check_tree(struct yaml_tree *tree, struct error **err)
{
    const struct yaml_node *map = tree->root;
    bool wrapped = false;
    int r = map && map->type == YAML_DICT ? unwrap(tree, &map, &wrapped, err) : 0;
    if (r < 0)
        return r;
    /* This alone leaves the guest's network unconfigured, on purpose. */
    if (yaml_is_text(yaml_get(map, "config"), "disabled"))
        return 0;
    const struct yaml_node *version = yaml_get(map, "version");
    if (is_version(version, "1", "1.0"))
        return network_check_v1(tree, map, err);
    if (is_version(version, "2", "2.0"))
        return network_check_v2(tree, map, err);
    return bad_version(tree, map, version, wrapped, err);
}

int nocloud_check_network_config(const struct nocloud_document *document, const char *name,
                                 struct reporter *reporter, struct error **err)
{
    return nocloud_check_mapping(document, name, check_tree, reporter, err);
}
