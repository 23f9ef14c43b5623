#include "sysprep/operations.h"

/* insights-core's insights/client/constants.py */
const struct sysprep_operation sysprep_insights_client = {
    .name = "insights-client",
    .help = "remove the registration with Red Hat Insights",
    .manual = "Remove the machine id of the Insights client and the marks of its registration from "
              "/etc/insights-client. Its configuration stays.",
    .by_default = true,
    .removes = {.files = PATHS(
                    "/etc/insights-client/"
                    "{machine-id,.registered,.unregistered,.lastupload,.last-upload.results}")},
};
