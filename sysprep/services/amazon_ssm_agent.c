#include "sysprep/operations.h"

/* https://docs.aws.amazon.com/systems-manager/latest/userguide/hybrid-multicloud-ssm-agent-
 * install-linux.html */
const struct sysprep_operation sysprep_amazon_ssm_agent = {
    .name = "amazon-ssm-agent",
    .help = "remove the registration of Amazon's SSM agent",
    .manual =
        "Remove the registration, the keys and the instances that the SSM agent of Amazon keeps "
        "below /var/lib/amazon/ssm, and its logs. A clone registers as a machine of its own.",
    .by_default = true,
    .removes = {.trees = PATHS("/var/lib/amazon/ssm/{i-*,mi-*,registration,Vault,ipc}",
                               "/var/log/amazon/ssm/*")},
};
