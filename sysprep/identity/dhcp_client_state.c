#include "sysprep/operations.h"

const struct sysprep_operation sysprep_dhcp_client_state = {
    .name = "dhcp-client-state",
    .help = "remove the leases of the DHCP client",
    .manual = "Remove the leases of dhclient in /var/lib/dhclient and /var/lib/dhcp. The other "
              "clients are handled by dhcp-duid.",
    .by_default = true,
    .removes = {.trees = PATHS("/var/lib/dhclient/*", "/var/lib/dhcp/*")},
};
