#include "sysprep/operations.h"

const struct sysprep_operation sysprep_kerberos_hostkeytab = {
    .name = "kerberos-hostkeytab",
    .help = "remove the host keytab of Kerberos",
    .manual = "Remove /etc/krb5.keytab, which proves to others that a machine is this one.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/krb5.keytab")},
};
