#include "sysprep/operations.h"

const struct sysprep_operation sysprep_journal = {
    .name = "journal",
    .help = "remove the journal",
    .manual = "Remove what systemd-journald wrote to /var/log/journal. The directory stays, since "
              "it is what makes the journal persistent.",
    .by_default = true,
    .removes = {.trees = PATHS("/var/log/journal/*")},
};
