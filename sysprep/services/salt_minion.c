#include "sysprep/operations.h"

/* https://docs.saltproject.io/en/latest/ref/configuration/minion.html, pki_dir and
 * minion_id_caching */
const struct sysprep_operation sysprep_salt_minion = {
    .name = "salt-minion",
    .help = "remove the keys and the id of the Salt minion",
    .manual =
        "Remove the key pair of this minion and its id, /etc/salt/pki/minion/minion.pem, "
        "minion.pub and /etc/salt/minion_id. The minion makes others when it starts; the master's "
        "key stays.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/salt/pki/minion/minion.{pem,pub}", "/etc/salt/minion_id")},
};
