#include "sysprep/operations.h"

/* dockerd(8): engine-id since 23.0, the key of libtrust before */
const struct sysprep_operation sysprep_docker_id = {
    .name = "docker-id",
    .help = "remove the identity of the Docker engine",
    .manual = "Remove the key and the id of this machine's Docker engine, /etc/docker/key.json and "
              "/var/lib/docker/engine-id. It makes others when it starts. Images, containers and "
              "volumes stay.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/docker/key.json", "/var/lib/docker/engine-id")},
};
