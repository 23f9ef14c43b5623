#include "sysprep/operations.h"

const struct sysprep_operation sysprep_rhn_systemid = {
    .name = "rhn-systemid",
    .help = "remove the system id of Red Hat Network",
    .manual = "Remove systemid and osad-auth.conf from /etc/sysconfig/rhn.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/sysconfig/rhn/systemid", "/etc/sysconfig/rhn/osad-auth.conf")},
};
