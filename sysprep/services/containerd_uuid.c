#include "sysprep/operations.h"

/* containerd's services/introspection, getUUID() */
const struct sysprep_operation sysprep_containerd_uuid = {
    .name = "containerd-uuid",
    .help = "remove the identity of containerd",
    .manual =
        "Remove the UUID of this machine's containerd, "
        "/var/lib/containerd/io.containerd.grpc.v1.introspection/uuid, which it makes again when "
        "it starts. Images and containers stay.",
    .by_default = true,
    .removes = {.files = PATHS("/var/lib/containerd/io.containerd.grpc.v1.introspection/uuid")},
};
