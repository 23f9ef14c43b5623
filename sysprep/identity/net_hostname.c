#include "sysprep/lines.h"
#include "sysprep/operations.h"

static int perform(struct sysprep_context *context, struct error **err)
{
    static const char *const keys[] = {"HOSTNAME=", "DHCP_HOSTNAME=", NULL};
    return lines_remove_all(context->customize->guest, "/etc/sysconfig/network-scripts/ifcfg-*",
                            line_starts_with, keys, err);
}

const struct sysprep_operation sysprep_net_hostname = {
    .name = "net-hostname",
    .help = "remove host names from network configuration",
    .manual = "Remove HOSTNAME= and DHCP_HOSTNAME= from "
              "/etc/sysconfig/network-scripts/ifcfg-*. The host name itself is handled by the "
              "operation hostname.",
    .by_default = true,
    .perform = perform,
};
