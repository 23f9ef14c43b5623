#include <sys/stat.h>

#include "sysprep/operations.h"

/* The number of the last at-job, by the places that distributions chose: Debian, SUSE, Red Hat. */
static const char *const counters[] = {
    "/var/spool/cron/atjobs/.SEQ",
    "/var/spool/atjobs/.SEQ",
    "/var/spool/at/.SEQ",
};

static int perform(struct sysprep_context *context, struct error **err)
{
    struct guest *guest = context->customize->guest;
    static const char none[] = "00000\n";
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(counters); i++) {
        struct guest_stat st;
        if (guest_stat(guest, counters[i], false, &st, NULL) == 0 && S_ISREG(st.mode))
            r = guest_replace(guest, counters[i], none, sizeof(none) - 1, err);
    }
    return r;
}

const struct sysprep_operation sysprep_cron_spool = {
    .name = "cron-spool",
    .help = "remove the cron jobs and at jobs of users",
    .manual = "Remove the jobs below /var/spool/cron, /var/spool/at, /var/spool/atjobs and "
              "/var/spool/atspool, and let the numbers of at jobs start again. The jobs of the "
              "system in /etc stay.",
    .by_default = true,
    .removes =
        {
            .files = PATHS("/var/spool/atjobs/*", "/var/spool/atspool/*"),
            .below = PATHS("/var/spool/cron", "/var/spool/at"),
            .keep = PATHS("/var/spool/cron/atjobs/.SEQ", "/var/spool/at/.SEQ"),
        },
    .perform = perform,
};
