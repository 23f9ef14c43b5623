#include "sysprep/lines.h"
#include "sysprep/operations.h"

static int perform(struct sysprep_context *context, struct error **err)
{
    static const char *const keys[] = {"HWADDR=", NULL};
    return lines_remove_all(context->customize->guest, "/etc/sysconfig/network-scripts/ifcfg-*",
                            line_starts_with, keys, err);
}

const struct sysprep_operation sysprep_net_hwaddr = {
    .name = "net-hwaddr",
    .help = "remove MAC addresses from network configuration",
    .manual = "Remove HWADDR= from /etc/sysconfig/network-scripts/ifcfg-*. It ties the "
              "configuration to the network card of this machine.",
    .by_default = true,
    .perform = perform,
};
