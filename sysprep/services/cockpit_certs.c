#include "sysprep/operations.h"

/* https://cockpit-project.org/guide/latest/https.html */
const struct sysprep_operation sysprep_cockpit_certs = {
    .name = "cockpit-certs",
    .help = "remove the self-signed certificate of Cockpit",
    .manual =
        "Remove the certificate and key that Cockpit made for this machine, "
        "/etc/cockpit/ws-certs.d/0-self-signed*. It makes others when it starts; certificates of "
        "other names stay.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/cockpit/ws-certs.d/0-self-signed*")},
};
