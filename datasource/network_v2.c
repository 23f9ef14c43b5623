/* Network-config version 2: devices by name, in sections by kind. The keys are those of netplan
 * 0.106, Debian 12's. */

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "datasource/network.h"

enum lost {
    LOST_NOWHERE,
    LOST_BY_NETWORKD,
    LOST_BY_OTHERS, /* than netplan */
    FAILS_OTHERS,   /* no network at all there */
};

static const struct section {
    const char *name;
    enum lost lost;
    bool has_devices;
    const char *keys; /* beside the common ones, with blanks around each */
} sections[] = {
    {"ethernets", LOST_NOWHERE, true,
     " link virtual-function-count embedded-switch-mode delay-virtual-functions-rebind "
     "infiniband-mode auth "},
    {"bonds", LOST_BY_NETWORKD, true, " interfaces parameters "},
    {"bridges", LOST_BY_NETWORKD, true, " interfaces parameters "},
    {"vlans", LOST_BY_NETWORKD, true, " id link "},
    {"wifis", LOST_BY_OTHERS, true, " access-points wakeonwlan regulatory-domain auth "},
    {"tunnels", FAILS_OTHERS, true,
     " mode local remote ttl key keys input-key output-key port peers mark id link "
     "mac-learning ageing limit type-of-service flow-label do-not-fragment neigh-suppress "
     "arp-proxy short-circuit notifications checksums extensions port-range "},
    {"modems", FAILS_OTHERS, true,
     " apn auto-config device-id network-id number password pin sim-id sim-operator-id username "},
    {"vrfs", FAILS_OTHERS, true, " interfaces table "},
    {"dummy-devices", FAILS_OTHERS, true, " "},
    {"virtual-ethernets", FAILS_OTHERS, true, " peer "},
    {"nm-devices", FAILS_OTHERS, false, " "},
    {"openvswitch", FAILS_OTHERS, false, " "},
};

/* What network_state.py reads of a device. */
static const char read_by_all[] =
    " dhcp4 dhcp6 dhcp4-overrides dhcp6-overrides addresses gateway4 gateway6 nameservers match "
    "set-name mtu wakeonlan routes interfaces parameters id link renderer ";

/* And what only netplan does. */
static const char read_by_netplan[] =
    " critical dhcp-identifier ipv6-privacy link-local ignore-carrier accept-ra ra-overrides "
    "ipv6-address-generation ipv6-address-token macaddress ipv6-mtu optional optional-addresses "
    "activation-mode routing-policy neigh-suppress openvswitch networkmanager emit-lldp "
    "receive-checksum-offload transmit-checksum-offload tcp-segmentation-offload "
    "tcp6-segmentation-offload generic-segmentation-offload generic-receive-offload "
    "large-receive-offload ";

/* Parameters of NET_CONFIG_TO_V2; over others, network_state.py fails. */
static const char bond_parameters[] =
    " ad-select arp-interval arp-ip-target arp-validate down-delay fail-over-mac-policy lacp-rate "
    "mii-monitor-interval min-links mode gratuitous-arp gratuitious-arp primary "
    "primary-reselect-policy up-delay transmit-hash-policy ";
static const char bridge_parameters[] =
    " ageing-time priority forward-delay hello-time max-age path-cost port-priority stp ";

/* One device, for messages. */
struct device {
    struct yaml_tree *tree;
    const struct section *section;
    const char *name;
    const struct yaml_node *map;
};

static bool is_among(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strstr(list, word); at && length > 0; at = strstr(at + 1, word))
        if (at[-1] == ' ' && at[length] == ' ')
            return true;
    return false;
}

static int warn_lost(const struct device *device, const struct yaml_node *node, const char *what,
                     struct error **err)
{
    return yaml_warn(device->tree, node->start, err,
                     "%.60s: %.60s is lost by all renderers but netplan (" NETWORK_OTHERS ")",
                     device->name, what);
}

static int warn_fails(const struct device *device, const struct yaml_node *node, const char *what,
                      struct error **err)
{
    return yaml_warn(device->tree, node->start, err,
                     "%.60s: over %.60s all renderers but netplan (" NETWORK_OTHERS
                     ") set up no network",
                     device->name, what);
}

static int check_keys(const struct device *device, struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < device->map->count; i += 2) {
        const struct yaml_node *node = yaml_target(device->map->items[i]);
        const char *key = yaml_text(node);
        if (!key)
            return network_refuse(device->tree, node, err, "a key of '%.60s' is not text",
                                  device->name);
        if (is_among(read_by_all, key))
            continue;
        if (is_among(read_by_netplan, key) || is_among(device->section->keys, key))
            r = device->section->lost < LOST_BY_OTHERS ? warn_lost(device, node, key, err) : 0;
        else
            r = yaml_warn(device->tree, node->start, err,
                          "'%.60s' is no setting of '%.60s': netplan refuses the whole file over "
                          "it, the other renderers do not read it",
                          key, device->name);
    }
    return r;
}

static int check_match(const struct device *device, struct error **err)
{
    const struct yaml_node *match = yaml_get(device->map, "match");
    const struct yaml_node *new_name = yaml_get(device->map, "set-name");
    if (match && match->type != YAML_DICT)
        return network_refuse(device->tree, match, err, "'match' of '%.60s' is %s, not a mapping",
                              device->name, yaml_describe(match));
    int r = network_demand(device->tree, device->map, "set-name", YAML_TEXT, err);
    if (r == 0)
        r = network_check_mac(device->tree, yaml_get(match, "macaddress"), err);
    if (r == 0)
        r = network_check_mac(device->tree, yaml_get(device->map, "macaddress"), err);
    const struct yaml_node *name = yaml_get(match, "name");
    if (r == 0 && name && !yaml_get(match, "macaddress") && !yaml_is_text(name, device->name))
        r = yaml_warn(device->tree, name->start, err,
                      "%.60s: 'name' of 'match' is read by netplan only; " NETWORK_OTHERS
                      " set up a device that is called '%.60s'",
                      device->name, device->name);
    if (r == 0 && new_name && !match)
        r = yaml_warn(device->tree, new_name->start, err,
                      "%.60s: over 'set-name' without 'match', netplan refuses the whole file",
                      device->name);
    return r;
}

static int check_dhcp(const struct device *device, const char *key, struct error **err)
{
    static const char *const words[] = {"no", "false", "off", "n", "0"};
    const struct yaml_node *node = yaml_get(device->map, key);
    for (size_t i = 0; yaml_text(node) && i < ARRAY_SIZE(words); i++)
        if (strcasecmp(yaml_text(node), words[i]) == 0)
            return yaml_warn(device->tree, node->start, err,
                             "%.60s: '%s' is text, which all renderers but netplan "
                             "(" NETWORK_OTHERS ") take for true; write it without quotes",
                             device->name, key);
    if (yaml_is(node, YAML_BOOL) && !yaml_truth(node) && strcmp(key, "dhcp4") == 0 &&
        !yaml_truth(yaml_get(device->map, "addresses")) &&
        strcmp(device->section->name, "ethernets") == 0)
        return yaml_warn(device->tree, node->start, err,
                         "%.60s: without addresses, network-manager uses DHCP all the same",
                         device->name);
    return 0;
}

static int check_address(const struct device *device, const struct yaml_node *node,
                         struct error **err)
{
    struct network_address address;
    if (node->type == YAML_DICT)
        return warn_fails(device, node, "an address with settings", err);
    if (!yaml_text(node) || !network_address_parse(yaml_text(node), &address))
        return network_refuse(device->tree, node, err, "an address of '%.60s' is no IP address",
                              device->name);
    if (address.has_prefix)
        return 0;
    return yaml_warn(device->tree, node->start, err,
                     "%.60s: an address has no length of its network, like 10.1.2.3/24: netplan "
                     "refuses the whole file, the other renderers take /%d",
                     device->name, address.is_v6 ? 64 : 24);
}

/* network_demand() for all of `list`, which is one or NULL. */
static int demand_texts(const struct device *device, const struct yaml_node *list, const char *key,
                        struct error **err)
{
    for (size_t i = 0; list && list->type == YAML_LIST && i < list->count; i++)
        if (!yaml_is(list->items[i], YAML_TEXT))
            return network_refuse(device->tree, list->items[i], err, "'%s' of '%.60s' has %s in it",
                                  key, device->name, yaml_describe(list->items[i]));
    return 0;
}

/* A list, or absent. */
static int get_list(const struct device *device, const struct yaml_node *map, const char *key,
                    const struct yaml_node **ret, struct error **err)
{
    *ret = yaml_get(map, key);
    if (!*ret || (*ret)->type == YAML_LIST)
        return 0;
    return network_refuse(device->tree, *ret, err, "'%s' of '%.60s' is %s and not a list", key,
                          device->name, yaml_describe(*ret));
}

static int check_addresses(const struct device *device, struct error **err)
{
    const struct yaml_node *list;
    int r = get_list(device, device->map, "addresses", &list, err);
    for (size_t i = 0; list && r == 0 && i < list->count; i++)
        r = check_address(device, yaml_target(list->items[i]), err);
    return r;
}

static int check_nameservers(const struct device *device, struct error **err)
{
    const struct yaml_node *servers = yaml_get(device->map, "nameservers");
    if (!servers)
        return 0;
    if (servers->type != YAML_DICT)
        return network_refuse(device->tree, servers, err,
                              "'nameservers' of '%.60s' is %s and not a mapping", device->name,
                              yaml_describe(servers));
    static const char *const keys[] = {"addresses", "search"};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(keys); i++) {
        const struct yaml_node *list = yaml_get(servers, keys[i]);
        if (yaml_is(list, YAML_TEXT))
            r = yaml_warn(device->tree, list->start, err,
                          "%.60s: over '%s' that is text and not a list, netplan refuses the whole "
                          "file",
                          device->name, keys[i]);
        else
            r = get_list(device, servers, keys[i], &list, err);
        if (r == 0)
            r = demand_texts(device, list, keys[i], err);
    }
    if (r < 0)
        return r;
    if (!yaml_truth(yaml_get(servers, "addresses")))
        return warn_lost(device, servers, "'nameservers' without 'addresses'", err);
    if (yaml_truth(yaml_get(device->map, "addresses")))
        return 0;
    return yaml_warn(device->tree, servers->start, err,
                     "%.60s: nameservers beside DHCP are lost by eni and network-manager",
                     device->name);
}

static int check_route(const struct device *device, const struct yaml_node *route,
                       struct error **err)
{
    const struct yaml_node *to = yaml_get(route, "to");
    struct network_address address;
    int r = 0;
    if (yaml_is_text(to, "default"))
        r = warn_fails(device, to, "'to: default' (0.0.0.0/0 is the same)", err);
    else if (!yaml_text(to) || !network_address_parse(yaml_text(to), &address))
        return network_refuse(device->tree, to ? to : route, err,
                              "a route of '%.60s' has no network under 'to'", device->name);
    else if (!address.has_prefix)
        r = yaml_warn(device->tree, to->start, err,
                      "%.60s: a route has no length of its network, like 10.0.0.0/8; all renderers "
                      "but netplan (" NETWORK_OTHERS ") take /%d",
                      device->name, address.is_v6 ? 64 : 24);
    const struct yaml_node *via = yaml_get(route, "via");
    if (r == 0 && via && (!yaml_text(via) || !network_address_parse(yaml_text(via), &address)))
        return network_refuse(device->tree, via, err,
                              "'via' of a route of '%.60s' is no IP address", device->name);
    for (size_t i = 0; r == 0 && i < route->count; i += 2) {
        const struct yaml_node *key = yaml_target(route->items[i]);
        if (!yaml_is_text(key, "to") && !yaml_is_text(key, "via"))
            r = warn_lost(device, key, yaml_text(key) ? yaml_text(key) : "a key", err);
    }
    return r;
}

static int check_routes(const struct device *device, struct error **err)
{
    const struct yaml_node *list;
    int r = get_list(device, device->map, "routes", &list, err);
    for (size_t i = 0; list && r == 0 && i < list->count; i++)
        r = check_route(device, yaml_target(list->items[i]), err);
    bool has_subnet = yaml_truth(yaml_get(device->map, "addresses")) ||
                      yaml_truth(yaml_get(device->map, "dhcp4")) ||
                      yaml_truth(yaml_get(device->map, "dhcp6"));
    if (r == 0 && yaml_truth(list) && !has_subnet)
        r = warn_lost(device, list, "'routes' without addresses and DHCP", err);
    return r;
}

static int check_parameters(const struct device *device, const char *known, struct error **err)
{
    const struct yaml_node *map = yaml_get(device->map, "parameters"), *members;
    int r = get_list(device, device->map, "interfaces", &members, err);
    if (r == 0 && !members)
        r = warn_fails(device, device->map, "missing 'interfaces'", err);
    if (r < 0 || !map)
        return r;
    if (map->type != YAML_DICT)
        return network_refuse(device->tree, map, err,
                              "'parameters' of '%.60s' is %s, not a mapping", device->name,
                              yaml_describe(map));
    r = network_check_stp(device->tree, yaml_get(map, "stp"), err);
    for (size_t i = 0; r == 0 && i < map->count; i += 2) {
        const struct yaml_node *key = yaml_target(map->items[i]);
        if (!yaml_text(key) || !is_among(known, yaml_text(key)))
            r = warn_fails(device, key, yaml_text(key) ? yaml_text(key) : "a parameter", err);
    }
    return r;
}

static int check_kind(const struct device *device, struct error **err)
{
    const char *section = device->section->name;
    if (strcmp(section, "bonds") == 0)
        return check_parameters(device, bond_parameters, err);
    if (strcmp(section, "bridges") == 0)
        return check_parameters(device, bridge_parameters, err);
    if (strcmp(section, "vlans") != 0 || (yaml_is(yaml_get(device->map, "id"), YAML_INT) &&
                                          yaml_text(yaml_get(device->map, "link"))))
        return 0;
    return network_refuse(device->tree, device->map, err,
                          "the VLAN '%.60s' needs 'id', a number, and 'link', the name of a device",
                          device->name);
}

static int check_device(const struct device *device, struct error **err)
{
    int r = check_keys(device, err);
    if (r == 0)
        r = network_demand(device->tree, device->map, "dhcp4-overrides", YAML_DICT, err);
    if (r == 0)
        r = network_demand(device->tree, device->map, "dhcp6-overrides", YAML_DICT, err);
    if (r == 0)
        r = check_match(device, err);
    if (r == 0)
        r = check_dhcp(device, "dhcp4", err);
    if (r == 0)
        r = check_dhcp(device, "dhcp6", err);
    if (r == 0)
        r = check_addresses(device, err);
    if (r == 0)
        r = check_nameservers(device, err);
    if (r == 0)
        r = check_routes(device, err);
    return r < 0 ? r : check_kind(device, err);
}

static int check_section(struct yaml_tree *tree, const struct section *section,
                         const struct yaml_node *map, size_t *devices, struct error **err)
{
    int r = 0;
    if (map->type != YAML_DICT)
        return network_refuse(tree, map, err, "'%s' is %s and not a mapping of devices",
                              section->name, yaml_describe(map));
    for (size_t i = 0; r == 0 && section->has_devices && i < map->count; i += 2) {
        const struct yaml_node *name = yaml_target(map->items[i]);
        struct device device = {.tree = tree,
                                .section = section,
                                .name = yaml_text(name),
                                .map = yaml_target(map->items[i + 1])};
        if (!device.name)
            return network_refuse(tree, name, err, "the name of a device is %s, not text",
                                  yaml_describe(name));
        if (device.map->type != YAML_DICT)
            return network_refuse(tree, device.map, err, "'%.60s' is %s and not a mapping",
                                  device.name, yaml_describe(device.map));
        ++*devices;
        r = check_device(&device, err);
    }
    return r;
}

static const struct section *find_section(const struct yaml_node *key)
{
    for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
        if (yaml_is_text(key, sections[i].name))
            return &sections[i];
    return NULL;
}

static int warn_of_section(struct yaml_tree *tree, const struct section *section,
                           const struct yaml_node *key, struct error **err)
{
    switch (section->lost) {
    case LOST_BY_NETWORKD:
        return yaml_warn(tree, key->start, err, "'%s' is lost by networkd", section->name);
    case LOST_BY_OTHERS:
        return yaml_warn(tree, key->start, err,
                         "'%s' is lost by all renderers but netplan (" NETWORK_OTHERS ")",
                         section->name);
    case FAILS_OTHERS:
        return yaml_warn(tree, key->start, err,
                         "over '%s' all renderers but netplan (" NETWORK_OTHERS
                         ") set up no network",
                         section->name);
    default:
        return 0;
    }
}

int network_check_v2(struct yaml_tree *tree, const struct yaml_node *map, struct error **err)
{
    size_t devices = 0;
    int r = 0;
    for (size_t i = 0; r == 0 && i < map->count; i += 2) {
        const struct yaml_node *key = yaml_target(map->items[i]);
        const struct section *section = find_section(key);
        if (yaml_is_text(key, "version") || yaml_is_text(key, "renderer"))
            continue;
        if (!section)
            return network_refuse(tree, key, err, "'%.60s' is no section of version 2",
                                  yaml_text(key) ? yaml_text(key) : yaml_describe(key));
        r = check_section(tree, section, yaml_target(map->items[i + 1]), &devices, err);
        if (r == 0)
            r = warn_of_section(tree, section, key, err);
    }
    if (r == 0 && devices == 0)
        r = network_refuse(tree, map, err,
                           "version 2 names no device, and the guest would have only 'lo'");
    return r;
}
