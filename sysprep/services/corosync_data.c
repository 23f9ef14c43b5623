#include "sysprep/operations.h"

/* corosync-keygen(8); pcsd(8) */
const struct sysprep_operation sysprep_corosync_data = {
    .name = "corosync-data",
    .help = "remove the keys and the state of a Pacemaker cluster",
    .manual =
        "Remove the keys of Corosync, Pacemaker and Booth in /etc, what Corosync, Pacemaker and "
        "pcsd keep of their cluster in /var/lib, and pcsd's certificate. Not a default: the nodes "
        "of one cluster share these on purpose.",
    .removes = {.files = PATHS("/etc/{corosync,pacemaker,booth}/authkey", "/etc/booth/*.key",
                               "/var/lib/corosync/ringid_*",
                               "/var/lib/pcsd/"
                               "{known-hosts,tokens,pcs_settings.conf,pcs_users.conf,pcsd."
                               "cookiesecret,pcsd.crt,pcsd.key}",
                               "/var/lib/pacemaker/{cib,pengine}/*")},
};
