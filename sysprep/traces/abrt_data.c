#include "sysprep/operations.h"

const struct sysprep_operation sysprep_abrt_data = {
    .name = "abrt-data",
    .help = "remove the crash data that ABRT collected",
    .manual = "Remove what the Automatic Bug Reporting Tool keeps in /var/spool/abrt.",
    .by_default = true,
    .removes = {.trees = PATHS("/var/spool/abrt/*")},
};
