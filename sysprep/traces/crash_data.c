#include "sysprep/operations.h"

const struct sysprep_operation sysprep_crash_data = {
    .name = "crash-data",
    .help = "remove kernel crash dumps",
    .manual = "Remove the dumps that kdump wrote to /var/crash and /var/log/dump.",
    .by_default = true,
    .removes = {.trees = PATHS("/var/crash/*", "/var/log/dump/*")},
};
