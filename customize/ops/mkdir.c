/* --mkdir DIR */

#include "customize/ops/argument.h"
#include "customize/ops/operations.h"

static int mkdir_parse(const char *argument, void **ret_data, struct error **err)
{
    (void)ret_data;
    return argument_guest_path("mkdir", argument, err);
}

static int mkdir_apply(const void *data, const char *argument, struct customize_context *context,
                       struct error **err)
{
    (void)data;
    report(context->reporter, REPORT_INFO, "Making the directory %s", argument);
    return guest_mkdir_p(context->guest, argument, 0755, err);
}

const struct customize_operation mkdir_operation = {
    .name = "mkdir",
    .metavar = "DIR",
    .help = "make a directory, and those above it that are missing",
    .manual = "Make the directory DIR in the guest, with mode 0755 and owned by root, and the "
              "directories above it that are missing. A directory that is there already is left "
              "as it is.",
    .example = "--mkdir /srv/data",
    .parse = mkdir_parse,
    .apply = mkdir_apply,
};
