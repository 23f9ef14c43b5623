#include "sysprep/operations.h"

const struct sysprep_operation sysprep_firewall_rules = {
    .name = "firewall-rules",
    .help = "remove the firewall rules",
    .manual =
        "Remove /etc/sysconfig/iptables and the services and zones that were added to firewalld in "
        "/etc/firewalld. Off by default, since a guest without its rules may be open to attack.",
    .removes = {.files = PATHS("/etc/sysconfig/iptables", "/etc/firewalld/services/*",
                               "/etc/firewalld/zones/*")},
};
