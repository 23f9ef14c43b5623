#include "sysprep/operations.h"

const struct sysprep_operation sysprep_mail_spool = {
    .name = "mail-spool",
    .help = "remove mail from the spool",
    .manual = "Remove the mailboxes in /var/spool/mail and /var/mail.",
    .by_default = true,
    .removes = {.trees = PATHS("/var/spool/mail/*", "/var/mail/*")},
};
