#include "sysprep/operations.h"

static int perform(struct sysprep_context *context, struct error **err)
{
    const struct customize_plan *plan = context->settings->customizations;
    if (!plan || plan->count == 0)
        return 0;
    return customize_run(plan, context->customize, err);
}

const struct sysprep_operation sysprep_customize = {
    .name = "customize",
    .help = "make the customizations given as options",
    .manual = "Make the customizations given as options, such as --root-password or --write, when "
              "everything specific to the old machine has been removed.",
    .by_default = true,
    .perform = perform,
};
