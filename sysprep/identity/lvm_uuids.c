#include <errno.h>

#include "sysprep/operations.h"

static int perform(struct sysprep_context *context, struct error **err)
{
    struct error *cause = NULL;
    int r = guest_renew(context->customize->guest, GUEST_LVM_UUIDS, &cause);
    if (r != -EOPNOTSUPP)
        return r < 0 ? error_move(err, cause) : 0;
    /* The default set must not need an appliance for disks that hold no volumes. An engine that
     * cannot renew them cannot open a guest that lives on them either. */
    report(context->customize->reporter, REPORT_DEBUG, "No volumes to renew: %s",
           error_message(cause));
    error_free(cause);
    return 0;
}

const struct sysprep_operation sysprep_lvm_uuids = {
    .name = "lvm-uuids",
    .help = "give LVM physical volumes and volume groups new UUIDs",
    .manual = "Give all physical volumes and volume groups of LVM new random UUIDs, so that the "
              "disks of two clones can be attached to one machine.",
    .by_default = true,
    .on_devices = true,
    .perform = perform,
};
