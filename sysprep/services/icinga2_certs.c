#include "sysprep/operations.h"

/* https://icinga.com/docs/icinga-2/latest/doc/06-distributed-monitoring/ */
const struct sysprep_operation sysprep_icinga2_certs = {
    .name = "icinga2-certs",
    .help = "remove the certificate of an Icinga 2 agent",
    .manual = "Remove the certificate and key of this machine from /var/lib/icinga2/certs; the "
              "authority's certificate stays. Not a default: nothing makes others at boot.",
    .removes = {.files = PATHS("/var/lib/icinga2/certs/*"),
                .keep = PATHS("/var/lib/icinga2/certs/ca.crt")},
};
