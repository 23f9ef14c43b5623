#include "sysprep/operations.h"

/* https://tailscale.com/kb/1278/tailscaled, --statedir */
const struct sysprep_operation sysprep_tailscale_state = {
    .name = "tailscale-state",
    .help = "remove the identity of a Tailscale node",
    .manual =
        "Remove the keys and the state of this node from /var/lib/tailscale. A clone has to be "
        "logged in; until then it is no node.",
    .by_default = true,
    .removes = {.trees = PATHS("/var/lib/tailscale/{certs,profile-data,ssh}"),
                .files = PATHS("/var/lib/tailscale/tailscaled.{state,log.conf,log1.txt,log2.txt}")},
};
