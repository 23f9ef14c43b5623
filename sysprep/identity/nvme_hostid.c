#include "sysprep/operations.h"

/* nvme-connect(1), --hostnqn and --hostid */
const struct sysprep_operation sysprep_nvme_hostid = {
    .name = "nvme-hostid",
    .help = "remove the NVMe host id and NQN",
    .manual =
        "Remove /etc/nvme/hostid and /etc/nvme/hostnqn, by which targets of NVMe over fabrics "
        "tell hosts apart. Without them nvme(1) takes the UUID of the virtual machine, or a "
        "random one. A guest that boots from such a target needs the operation left out.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/nvme/{hostid,hostnqn}")},
};
