#include "sysprep/operations.h"

const struct sysprep_operation sysprep_sssd_db_log = {
    .name = "sssd-db-log",
    .help = "remove the cache and logs of SSSD",
    .manual =
        "Remove the files in /var/lib/sss/db, which hold cached credentials, and in /var/log/sssd.",
    .by_default = true,
    .removes = {.files = PATHS("/var/log/sssd/*", "/var/lib/sss/db/*")},
};
