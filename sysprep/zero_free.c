#include "sysprep/operations.h"

static int perform(struct sysprep_context *context, struct error **err)
{
    uint64_t freed = 0;
    char size[16];
    int r = guest_trim(context->customize->guest, &freed, err);
    if (r == 0)
        report(context->customize->reporter, REPORT_INFO, "Free space gave back %s",
               format_size(freed, size));
    return r;
}

const struct sysprep_operation sysprep_zero_free = {
    .name = "zero-free",
    .help = "make free space holes of the image",
    .manual = "Give the free blocks of every file system back, so that the image takes less room "
              "and what was deleted cannot be read from it any more. Off by default, since it may "
              "take long. Runs last.",
    .on_devices = true,
    .perform = perform,
};
