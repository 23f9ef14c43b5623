#include "sysprep/family.h"
#include "sysprep/operations.h"

const struct sysprep_operation sysprep_net_nmconn = {
    .name = "net-nmconn",
    .help = "remove the connection profiles of NetworkManager",
    .manual =
        "Remove /etc/NetworkManager/system-connections/*.nmconnection from guests of the Red Hat "
        "family. Installers write them for the network card of this machine, with its UUID and "
        "often its MAC address; without them NetworkManager makes one up for each card.",
    .by_default = true,
    .applies = family_is_redhat,
    .removes = {.files = PATHS("/etc/NetworkManager/system-connections/*.nmconnection")},
};
