#include "sysprep/operations.h"

/* ovs-ctl(8), --system-id=random */
const struct sysprep_operation sysprep_openvswitch_system_id = {
    .name = "openvswitch-system-id",
    .help = "remove the system id of Open vSwitch",
    .manual =
        "Remove /etc/openvswitch/system-id.conf, which is made again when Open vSwitch starts. "
        "Bridges and ports stay.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/openvswitch/system-id.conf")},
};
