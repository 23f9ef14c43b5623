#include "sysprep/operations.h"

const struct sysprep_operation sysprep_cloud_init = {
    .name = "cloud-init",
    .help = "make cloud-init run as if for the first time",
    .manual =
        "Remove the state of cloud-init: instances, semaphores, cached data, seeds and what was "
        "written for this instance below /var/lib/cloud, and its logs. With it, cloud-init would "
        "take a clone for the machine that it has already set up. Scripts and handlers that were "
        "put there by hand stay, as does the network configuration, which cloud-init writes anew.",
    .by_default = true,
    .removes = {.trees =
                    PATHS("/var/lib/cloud/instance", "/var/lib/cloud/instances/*",
                          "/var/lib/cloud/data/*", "/var/lib/cloud/sem/*", "/var/lib/cloud/seed/*",
                          "/var/lib/cloud/scripts/vendor/*", "/var/log/cloud-init*.log*")},
};
