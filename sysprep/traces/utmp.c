#include "sysprep/operations.h"

const struct sysprep_operation sysprep_utmp = {
    .name = "utmp",
    .help = "remove the list of who is logged in",
    .manual = "Remove /var/run/utmp where that is on the disk.",
    .by_default = true,
    .removes = {.files = PATHS("/var/run/utmp")},
};
