#include "sysprep/lines.h"
#include "sysprep/operations.h"

/* zabbix_agentd.conf: without Hostname= the item of HostnameItem= counts, system.hostname. */
static int perform(struct sysprep_context *context, struct error **err)
{
    static const char *const starts[] = {"Hostname=", NULL};
    return lines_remove_all(context->customize->guest,
                            "/etc/zabbix/{zabbix_agentd,zabbix_agent2}.conf", line_starts_with,
                            starts, err);
}

const struct sysprep_operation sysprep_zabbix_agent = {
    .name = "zabbix-agent",
    .help = "have the agent of Zabbix use the machine's host name",
    .manual = "Remove Hostname= from /etc/zabbix/zabbix_agentd.conf and zabbix_agent2.conf, upon "
              "which the agent takes the host name of the machine. Not a default, since the "
              "setting is made by hand.",
    .perform = perform,
};
