/* --no-logfile */

#include "customize/ops/operations.h"

static int no_logfile_apply(const void *data, const char *argument,
                            struct customize_context *context, struct error **err)
{
    (void)data, (void)argument, (void)err;
    context->settings.no_logfile = true;
    return 0;
}

const struct customize_operation no_logfile_operation = {
    .name = "no-logfile",
    .help = "leave no log of what programs printed in the guest",
    .manual = "Overwrite and remove the guest's /tmp/builder.log at the end, which holds what "
              "--run, --install and their like printed, so that it does not tell how the image "
              "was made.",
    .example = "--no-logfile",
    .phase = CUSTOMIZE_SETTINGS,
    .apply = no_logfile_apply,
};
