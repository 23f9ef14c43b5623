#include "sysprep/operations.h"

const struct sysprep_operation sysprep_passwd_backups = {
    .name = "passwd-backups",
    .help = "remove /etc/passwd- and its kin",
    .manual = "Remove the backups that tools for accounts leave: passwd-, shadow-, group-, "
              "gshadow-, subuid- and subgid- in /etc. They may hold old password hashes.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/group-", "/etc/gshadow-", "/etc/passwd-", "/etc/shadow-",
                               "/etc/subgid-", "/etc/subuid-")},
};
