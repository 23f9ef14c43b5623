#include "sysprep/operations.h"

const struct sysprep_operation sysprep_dovecot_data = {
    .name = "dovecot-data",
    .help = "remove the data of the mail server Dovecot",
    .manual =
        "Remove the files in /var/lib/dovecot, among them its TLS parameters and instance list.",
    .by_default = true,
    .removes = {.files = PATHS("/var/lib/dovecot/*")},
};
