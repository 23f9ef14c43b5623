#include "sysprep/operations.h"

const struct sysprep_operation sysprep_udev_persistent_net = {
    .name = "udev-persistent-net",
    .help = "remove the names that udev gave to network cards",
    .manual = "Remove /etc/udev/rules.d/70-persistent-net.rules. It ties the name eth0 to the MAC "
              "address of this machine; the card of a clone would be called eth1.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/udev/rules.d/70-persistent-net.rules")},
};
