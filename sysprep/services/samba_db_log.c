#include "sysprep/operations.h"

const struct sysprep_operation sysprep_samba_db_log = {
    .name = "samba-db-log",
    .help = "remove the databases and logs of Samba",
    .manual = "Remove the files in /var/log/samba and /var/lib/samba and in their directories. The "
              "machine account in a domain is among them.",
    .by_default = true,
    .removes = {.files = PATHS("/var/log/samba/old/*", "/var/log/samba/*", "/var/lib/samba/*/*",
                               "/var/lib/samba/*")},
};
