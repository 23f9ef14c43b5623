#include "sysprep/operations.h"

const struct sysprep_operation sysprep_smolt_uuid = {
    .name = "smolt-uuid",
    .help = "remove the hardware UUID of Smolt",
    .manual =
        "Remove the UUIDs that the hardware profiler Smolt keeps in /etc/sysconfig and /etc/smolt.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/sysconfig/hw-uuid", "/etc/smolt/uuid", "/etc/smolt/hw-uuid")},
};
