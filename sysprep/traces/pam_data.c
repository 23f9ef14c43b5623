#include "sysprep/operations.h"

const struct sysprep_operation sysprep_pam_data = {
    .name = "pam-data",
    .help = "remove the run-time data of PAM",
    .manual = "Remove what pam_console, pam_faillock and pam_sepermit keep below /var/run, where "
              "that is on the disk.",
    .by_default = true,
    .removes = {.files = PATHS("/var/run/console/*", "/var/run/faillock/*", "/var/run/sepermit/*")},
};
