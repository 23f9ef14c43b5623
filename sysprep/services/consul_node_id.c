#include "sysprep/operations.h"

/* https://developer.hashicorp.com/consul/docs/reference/agent/configuration-file/node, node_id */
const struct sysprep_operation sysprep_consul_node_id = {
    .name = "consul-node-id",
    .help = "remove the identities of Consul and Nomad",
    .manual =
        "Remove the ids of this machine as a node of Consul and a client of Nomad from their data "
        "directories in /opt and /var/lib. The agents make others when they start.",
    .by_default = true,
    .removes = {.files = PATHS("/{opt,var/lib}/consul/{data/,}node-id",
                               "/{opt,var/lib}/nomad/{data/,}client/{client-id,secret-id}")},
};
