#include "sysprep/operations.h"

const struct sysprep_operation sysprep_kerberos_data = {
    .name = "kerberos-data",
    .help = "remove the database of the Kerberos server",
    .manual = "Remove what the key distribution centre keeps in /var/kerberos/krb5kdc, but for its "
              "configuration kadm5.acl and kdc.conf.",
    .removes = {.files = PATHS("/var/kerberos/krb5kdc/*"),
                .keep = PATHS("/var/kerberos/krb5kdc/kadm5.acl", "/var/kerberos/krb5kdc/kdc.conf")},
};
