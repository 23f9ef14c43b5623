#include "sysprep/operations.h"

/* https://github.com/Azure/WALinuxAgent, azurelinuxagent/pa/deprovision/default.py */
const struct sysprep_operation sysprep_waagent_state = {
    .name = "waagent-state",
    .help = "have Azure's agent provision again",
    .manual =
        "Remove what the Azure Linux agent keeps of its machine below /var/lib/waagent, and its "
        "logs, as waagent -deprovision does. It provisions a clone as a new machine.",
    .by_default = true,
    .removes = {.trees = PATHS("/var/lib/waagent/*"), .files = PATHS("/var/log/waagent.log*")},
};
