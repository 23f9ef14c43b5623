#include "sysprep/operations.h"

const struct sysprep_operation sysprep_dhcp_server_state = {
    .name = "dhcp-server-state",
    .help = "remove the leases of the DHCP server",
    .manual = "Remove the leases of dhcpd in /var/lib/dhcpd.",
    .by_default = true,
    .removes = {.trees = PATHS("/var/lib/dhcpd/*")},
};
