#include "sysprep/operations.h"

/* https://github.com/GoogleCloudPlatform/guest-agent, instance_setup.go */
const struct sysprep_operation sysprep_google_guest_agent = {
    .name = "google-guest-agent",
    .help = "have Google's guest agent see a new instance",
    .manual =
        "Remove /etc/google_instance_id, by which the guest agent of Google Compute Engine knows "
        "whether the instance is a new one, for which it makes SSH host keys and sets up the "
        "network.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/google_instance_id")},
};
