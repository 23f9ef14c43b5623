#include "guest/text/glob.h"
#include "guest/text/mention.h"
#include "sysprep/lines.h"
#include "sysprep/operations.h"

static const char state[] = "/var/lib/{snmp,net-snmp}/{snmpd,snmpapp,snmptrapd}.conf";

/* snmpd.conf(5), "SNMPv3 Configuration": keys of users are derived from the engine's id. */
static int perform(struct sysprep_context *context, struct error **err)
{
    static const char *const starts[] = {"oldEngineID", "engineBoots", NULL};
    struct guest *guest = context->customize->guest;
    bool users = false, any = false;
    int r = files_mention(guest, state, "usmUser", &users, err);
    if (r == 0 && users)
        r = files_mention(guest, state, starts[0], &any, err);
    if (r == 0 && any)
        report(context->customize->reporter, REPORT_WARNING,
               "The engine id of snmpd stays, since users of SNMPv3 have keys made for it; all "
               "clones will share it");
    return r < 0 || users ? r : lines_remove_all(guest, state, line_starts_with, starts, err);
}

const struct sysprep_operation sysprep_snmpd_engine_id = {
    .name = "snmpd-engine-id",
    .help = "remove the engine id of snmpd",
    .manual = "Remove the engine id of SNMPv3, and how often the engine was started, from what "
              "snmpd keeps in /var/lib/snmp or /var/lib/net-snmp. It makes another id when it "
              "starts. Where there are users of SNMPv3, whose keys are made for the id, it stays, "
              "with a warning.",
    .by_default = true,
    .perform = perform,
};
