#include <sys/stat.h>

#include "sysprep/operations.h"

static const char *const paths[] = {
    "/var/run/blkid.tab", "/etc/blkid/blkid.tab",   "/etc/blkid.tab",
    "/dev/.blkid.tab",    "/var/run/blkid.tab.old", "/etc/blkid/blkid.tab.old",
    "/etc/blkid.tab.old", "/dev/.blkid.tab.old",
};

/* A link stays: the distribution put it there to move the file elsewhere. */
static int perform(struct sysprep_context *context, struct error **err)
{
    struct guest *guest = context->customize->guest;
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(paths); i++) {
        struct guest_stat st;
        if (guest_stat(guest, paths[i], false, &st, NULL) == 0 && S_ISREG(st.mode))
            r = guest_unlink(guest, paths[i], err);
    }
    return r;
}

const struct sysprep_operation sysprep_blkid_tab = {
    .name = "blkid-tab",
    .help = "remove the cache of blkid",
    .manual = "Remove blkid.tab and blkid.tab.old from /etc, /etc/blkid, /var/run and /dev. They "
              "list the file systems of this machine.",
    .by_default = true,
    .perform = perform,
};
