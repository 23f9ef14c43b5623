/* Network-config version 1: a list of commands, each of a type. */

#include <errno.h>
#include <string.h>

#include "datasource/network.h"

/* The types and the keys without which network_state.py skips the command. */
static const struct command {
    const char *type;
    const char *needs[3];
    bool is_device;
    const char *lost; /* by which renderers it is lost, or NULL */
} commands[] = {
    {"physical", {"name"}, true, NULL},
    {"infiniband", {"name"}, true, NULL},
    {"loopback", {"name"}, false, NULL},
    {"bond", {"name", "bond_interfaces", "params"}, true, "networkd"},
    {"bridge", {"name", "bridge_interfaces"}, true, "networkd"},
    {"vlan", {"name", "vlan_id", "vlan_link"}, true, "networkd"},
    {"nameserver", {"address"}, false, "network-manager"},
    {"route", {"destination"}, false, "network-manager"},
};

static const struct command *find_command(const struct yaml_node *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (yaml_is_text(type, commands[i].type))
            return &commands[i];
    return NULL;
}

static bool is_known_subnet(const struct yaml_node *type)
{
    static const char *const types[] = {
        "dhcp",
        "dhcp4",
        "dhcp6",
        "static",
        "static6",
        "manual",
        "ipv6_slaac",
        "ipv6_dhcpv6-stateless",
        "ipv6_dhcpv6-stateful",
    };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (yaml_is_text(type, types[i]))
            return true;
    return false;
}

/* A missing length of the network is taken for 24 or 64 bits. */
static int check_address(struct yaml_tree *tree, const struct yaml_node *map, const char *key,
                         struct error **err)
{
    const struct yaml_node *node = yaml_get(map, key);
    struct network_address address;
    if (!node || !yaml_text(node) || !network_address_parse(yaml_text(node), &address))
        return network_refuse(tree, node ? node : map, err, "'%s' is no IP address", key);
    const struct yaml_node *mask = yaml_get(map, "netmask");
    if (!address.has_prefix && mask &&
        (!mask->text || !network_prefix_is_valid(mask->text, address.is_v6)))
        return network_refuse(tree, mask, err, "'netmask' is no mask of a network");
    if (address.has_prefix || mask || yaml_get(map, "prefix"))
        return 0;
    return yaml_warn(tree, node->start, err,
                     "'%s' has no length of its network, like 10.1.2.3/24; cloud-init takes /%d",
                     key, address.is_v6 ? 64 : 24);
}

static int check_metric(struct yaml_tree *tree, const struct yaml_node *route, struct error **err)
{
    const struct yaml_node *metric = yaml_get(route, "metric");
    if (!yaml_truth(metric) || metric->type == YAML_INT ||
        (yaml_text(metric) && !metric->text[strspn(metric->text, "0123456789")]))
        return 0;
    return network_refuse(tree, metric, err, "the metric of a route is no number");
}

/* Text with blanks between the names, or a list. */
static int check_names(struct yaml_tree *tree, const struct yaml_node *subnet, const char *key,
                       struct error **err)
{
    const struct yaml_node *names = yaml_get(subnet, key);
    if (!yaml_truth(names) || names->type == YAML_TEXT || names->type == YAML_LIST)
        return 0;
    return network_refuse(tree, names, err, "'%s' is %s, no text and no list", key,
                          yaml_describe(names));
}

static int check_routes(struct yaml_tree *tree, const struct yaml_node *subnet, struct error **err)
{
    const struct yaml_node *routes = yaml_get(subnet, "routes");
    int r = network_demand(tree, subnet, "routes", YAML_LIST, err);
    for (size_t i = 0; routes && r == 0 && i < routes->count; i++) {
        const struct yaml_node *route = yaml_target(routes->items[i]);
        r = check_address(tree, route, yaml_get(route, "network") ? "network" : "destination", err);
        if (r == 0)
            r = check_metric(tree, route, err);
        if (r == 0 && yaml_get(route, "metric"))
            r = yaml_warn(tree, route->start, err,
                          "the metric of a route is lost by "
                          "network-manager");
    }
    return r;
}

static int check_subnet(struct yaml_tree *tree, const struct yaml_node *subnet, struct error **err)
{
    const struct yaml_node *type = yaml_get(subnet, "type");
    if (!yaml_text(type))
        return network_refuse(tree, subnet, err, "a subnet is a mapping with 'type'");
    int r = 0;
    if (!is_known_subnet(type))
        r = yaml_warn(tree, type->start, err,
                      "'%.40s' is no type of subnet; sysconfig sets up no network over it, and the "
                      "other renderers lose it",
                      yaml_text(type));
    if (str_starts(yaml_text(type), "static"))
        r = check_address(tree, subnet, yaml_get(subnet, "address") ? "address" : "ip_address",
                          err);
    if (r == 0 && str_starts(yaml_text(type), "dhcp") &&
        (yaml_get(subnet, "dns_nameservers") || yaml_get(subnet, "dns_search")))
        r = yaml_warn(tree, subnet->start, err,
                      "DNS servers beside DHCP are lost by "
                      "network-manager");
    if (r == 0)
        r = check_names(tree, subnet, "dns_nameservers", err);
    if (r == 0)
        r = check_names(tree, subnet, "dns_search", err);
    return r < 0 ? r : check_routes(tree, subnet, err);
}

static int check_subnets(struct yaml_tree *tree, const struct yaml_node *command,
                         struct error **err)
{
    const struct yaml_node *subnets = yaml_get(command, "subnets");
    int r = 0;
    if (!yaml_truth(subnets))
        return 0;
    if (subnets->type != YAML_LIST)
        return network_refuse(tree, subnets, err, "'subnets' is %s and not a list",
                              yaml_describe(subnets));
    for (size_t i = 0; r == 0 && i < subnets->count; i++)
        r = check_subnet(tree, yaml_target(subnets->items[i]), err);
    return r;
}

/* What the command lacks, or NULL. */
static const char *missing_key(const struct command *known, const struct yaml_node *command)
{
    for (size_t i = 0; i < ARRAY_SIZE(known->needs) && known->needs[i]; i++)
        if (!yaml_get(command, known->needs[i]))
            return known->needs[i];
    return NULL;
}

static int check_types(struct yaml_tree *tree, const struct yaml_node *command, struct error **err)
{
    static const struct {
        const char *key;
        enum yaml_type type;
    } types[] = {{"name", YAML_TEXT},
                 {"params", YAML_DICT},
                 {"bond_interfaces", YAML_LIST},
                 {"bridge_interfaces", YAML_LIST}};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(types); i++)
        r = network_demand(tree, command, types[i].key, types[i].type, err);
    return r < 0
               ? r
               : network_check_stp(tree, yaml_get(yaml_get(command, "params"), "bridge_stp"), err);
}

static int check_command(struct yaml_tree *tree, const struct yaml_node *command, size_t *devices,
                         struct error **err)
{
    const struct yaml_node *type = yaml_get(command, "type");
    const struct command *known = find_command(type);
    if (!type)
        return network_refuse(tree, command, err, "an item of 'config' is a mapping with 'type'");
    if (!known)
        return network_refuse(tree, type, err, "'%.40s' is no type of network-config version 1",
                              yaml_text(type) ? yaml_text(type) : yaml_describe(type));
    const char *missing = missing_key(known, command);
    if (missing)
        return yaml_warn(tree, command->start, err,
                         "an item of the type '%s' without '%s' is skipped by cloud-init",
                         known->type, missing);
    *devices += known->is_device;
    int r = network_check_mac(tree, yaml_get(command, "mac_address"), err);
    if (r == 0)
        r = check_types(tree, command, err);
    if (r == 0 && strcmp(known->type, "route") == 0) {
        r = check_address(tree, command, "destination", err);
        if (r == 0)
            r = check_metric(tree, command, err);
    }
    if (r == 0 && known->lost)
        r = yaml_warn(tree, command->start, err, "an item of the type '%s' is lost by %s",
                      known->type, known->lost);
    return r < 0 ? r : check_subnets(tree, command, err);
}

/* A nameserver's "interface" is the name of another item. */
static int check_interface(struct yaml_tree *tree, const struct yaml_node *config,
                           const struct yaml_node *command, struct error **err)
{
    const struct yaml_node *name = yaml_get(command, "interface");
    if (!name || !yaml_is_text(yaml_get(command, "type"), "nameserver"))
        return 0;
    for (size_t i = 0; yaml_text(name) && i < config->count; i++)
        if (yaml_is_text(yaml_get(config->items[i], "name"), yaml_text(name)))
            return 0;
    return network_refuse(tree, name, err, "the 'interface' of a nameserver is set up nowhere");
}

int network_check_v1(struct yaml_tree *tree, const struct yaml_node *map, struct error **err)
{
    const struct yaml_node *config = yaml_get(map, "config");
    size_t devices = 0;
    int r = 0;
    if (!config || config->type != YAML_LIST)
        return network_refuse(tree, config ? config : map, err,
                              "version 1 has no list of settings under 'config'");
    for (size_t i = 0; r == 0 && i < config->count; i++)
        r = check_command(tree, yaml_target(config->items[i]), &devices, err);
    for (size_t i = 0; r == 0 && i < config->count; i++)
        r = check_interface(tree, config, config->items[i], err);
    if (r == 0 && devices == 0)
        r = network_refuse(tree, config, err, "'config' sets up no device");
    return r;
}
