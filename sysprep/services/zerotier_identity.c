#include "sysprep/operations.h"

/* https://docs.zerotier.com/config/ */
const struct sysprep_operation sysprep_zerotier_identity = {
    .name = "zerotier-identity",
    .help = "remove the identity of a ZeroTier node",
    .manual =
        "Remove the identity and the secret of the local interface of ZeroTier One from "
        "/var/lib/zerotier-one. It makes others when it starts; the networks that it had joined "
        "stay.",
    .by_default = true,
    .removes = {.files = PATHS(
                    "/var/lib/zerotier-one/{identity.public,identity.secret,authtoken.secret}")},
};
