#include "sysprep/operations.h"

/* https://docs.chef.io/config_rb_client/, client_key */
const struct sysprep_operation sysprep_chef_client = {
    .name = "chef-client",
    .help = "remove the key of the Chef client",
    .manual = "Remove the private key of this node, client.pem in /etc/chef or /etc/cinc. A clone "
              "registers with the validation key, if there is one.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/{chef,cinc}/client.pem")},
};
