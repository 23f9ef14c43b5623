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
    if (address.has_prefix || yaml_get(map, "netmask") || yaml_get(map, "prefix"))
        return 0;
    return yaml_warn(tree, node->start, err,
                     "'%s' has no length of its network, like 10.1.2.3/24; cloud-init takes /%d",
                     key, address.is_v6 ? 64 : 24);
}

static int check_routes(struct yaml_tree *tree, const struct yaml_node *routes, struct error **err)
{
    int r = 0;
    for (size_t i = 0; routes && routes->type == YAML_LIST && r == 0 && i < routes->count; i++) {
        const struct yaml_node *route = yaml_target(routes->items[i]);
        r = check_address(tree, route, yaml_get(route, "network") ? "network" : "destination", err);
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
    return r < 0 ? r : check_routes(tree, yaml_get(subnet, "routes"), err);
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
    if (r == 0 && strcmp(known->type, "route") == 0)
        r = check_address(tree, command, "destination", err);
    if (r == 0 && known->lost)
        r = yaml_warn(tree, command->start, err, "an item of the type '%s' is lost by %s",
                      known->type, known->lost);
    return r < 0 ? r : check_subnets(tree, command, err);
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
    if (r == 0 && devices == 0)
        r = network_refuse(tree, config, err, "'config' sets up no device");
    return r;
}
