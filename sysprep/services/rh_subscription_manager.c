#include "sysprep/operations.h"

const struct sysprep_operation sysprep_rh_subscription_manager = {
    .name = "rh-subscription-manager",
    .help = "remove the registration with Red Hat Subscription Management",
    .manual = "Remove the certificates in /etc/pki/consumer and /etc/pki/entitlement, so that "
              "clones register as machines of their own.",
    .by_default = true,
    .removes = {.trees = PATHS("/etc/pki/consumer/*", "/etc/pki/entitlement/*")},
};
