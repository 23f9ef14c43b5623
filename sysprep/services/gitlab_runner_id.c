#include "sysprep/operations.h"

/* https://docs.gitlab.com/runner/fleet_scaling/#generation-of-system_id-identifiers */
const struct sysprep_operation sysprep_gitlab_runner_id = {
    .name = "gitlab-runner-id",
    .help = "remove the system id of GitLab Runner",
    .manual =
        "Remove /etc/gitlab-runner/.runner_system_id, by which GitLab tells machines apart that "
        "share a runner's configuration. It is made again when the runner starts.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/gitlab-runner/.runner_system_id")},
};
