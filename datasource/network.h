/*
 * Network-config, version 1 and 2, as cloud-init 22.4.2 renders it (cloudinit/net/). What makes it
 * set up no network at all is refused; what some of its renderers lose is a warning that names
 * them. Netplan gets version 2 as it stands; the other renderers get what
 * net/network_state.py makes of it.
 */
#pragma once

#include "datasource/yaml_tree.h"

#define NETWORK_OTHERS "eni, sysconfig, network-manager and networkd"

/* The mapping with "version". */
int network_check_v1(struct yaml_tree *tree, const struct yaml_node *map, struct error **err);
int network_check_v2(struct yaml_tree *tree, const struct yaml_node *map, struct error **err);

/* Refuses with the remark that the guest has no network then. */
int network_refuse(const struct yaml_tree *tree, const struct yaml_node *node, struct error **err,
                   const char *fmt, ...) _printf_(4, 5);

/* "10.1.2.3", "10.1.2.3/24", "10.1.2.3/255.255.255.0", "fe80::1/64". */
struct network_address {
    bool has_prefix;
    bool is_v6;
};
bool network_address_parse(const char *text, struct network_address *ret);

/* "24", or a mask like 255.255.255.0 or 0.0.0.255 without gaps. */
bool network_prefix_is_valid(const char *text, bool is_v6);

/* Refuses where the mapping has the key, and another type under it. */
int network_demand(const struct yaml_tree *tree, const struct yaml_node *map, const char *key,
                   enum yaml_type type, struct error **err);

/* "stp" of a bridge: a boolean, or what network_state.py takes for one. Absent is fine. */
int network_check_stp(const struct yaml_tree *tree, const struct yaml_node *stp,
                      struct error **err);

/* An absent one is fine. A number is what PyYAML makes of a MAC address of digits. */
int network_check_mac(const struct yaml_tree *tree, const struct yaml_node *mac,
                      struct error **err);
