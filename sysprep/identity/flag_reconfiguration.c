#include "sysprep/operations.h"

static int perform(struct sysprep_context *context, struct error **err)
{
    struct guest *guest = context->customize->guest;
    static const struct guest_file_attr attr = {.mode = 0644};
    if (guest_exists(guest, "/.unconfigured"))
        return 0;
    return guest_write(guest, "/.unconfigured", "", 0, &attr, err);
}

const struct sysprep_operation sysprep_flag_reconfiguration = {
    .name = "flag-reconfiguration",
    .help = "make the guest ask for its settings at the next boot",
    .manual = "Make the file /.unconfigured, upon which guests of the Red Hat family ask at the "
              "console for a root password, a time zone and so on. The boot waits for the answers.",
    .perform = perform,
};
