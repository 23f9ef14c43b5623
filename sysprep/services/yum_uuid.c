#include "sysprep/operations.h"

const struct sysprep_operation sysprep_yum_uuid = {
    .name = "yum-uuid",
    .help = "remove the UUID of yum",
    .manual = "Remove /var/lib/yum/uuid, by which mirrors count machines. Yum makes a new one.",
    .by_default = true,
    .removes = {.files = PATHS("/var/lib/yum/uuid")},
};
