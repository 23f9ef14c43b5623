#include "sysprep/operations.h"

const struct sysprep_operation sysprep_dhcp_duid = {
    .name = "dhcp-duid",
    .help = "remove the identities that DHCP clients keep",
    .manual = "Remove the DUIDs, secret keys and leases of systemd-networkd, NetworkManager, "
              "dhcpcd, dhclient and wicked. Clones that show the same DUID or client id to a DHCP "
              "server get the same address.",
    .by_default = true,
    .removes = {.trees = PATHS("/var/lib/systemd/network/*"),
                .files = PATHS("/var/lib/NetworkManager/{secret_key,seen-bssids,timestamps}",
                               "/var/lib/NetworkManager/{*.lease,dhclient*.conf}",
                               "/var/lib/dhcpcd*/{duid,secret,*.lease,*.lease6}",
                               "/var/db/dhcpcd/{duid,secret,*.lease,*.lease6}",
                               "/etc/dhcpcd.{duid,secret}", "/var/lib/dhcp/*.leases*",
                               "/var/lib/dhclient/*.leases*",
                               "/var/lib/wicked/{duid,iaid,lease-*}.xml")},
};
