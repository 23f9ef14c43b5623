#include "sysprep/operations.h"

/* https://docs.checkmk.com/latest/en/agent_linux.html */
const struct sysprep_operation sysprep_checkmk_agent = {
    .name = "checkmk-agent",
    .help = "remove the registrations of Checkmk's agent",
    .manual =
        "Remove the registrations of the agent of Checkmk, "
        "/var/lib/cmk-agent/registered_connections.json, with the certificates and UUIDs in it. A "
        "clone has to be registered.",
    .by_default = true,
    .removes = {.files = PATHS("/var/lib/cmk-agent/registered_connections.json")},
};
