/* The executor: runs a plan on an open guest. */

#include <string.h>

#include "base/secret.h"
#include "customize/operation.h"
#include "customize/program.h"
#include "customize/random_seed.h"

static int run_phase(const struct customize_plan *plan, enum customize_phase phase,
                     struct customize_context *context, struct error **err)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct customize_step *step = &plan->steps[i];
        if (step->operation->phase != phase)
            continue;
        int r = step->operation->apply(step->data, step->argument, context, err);
        if (r < 0) {
            error_wrap(err, "--%s", step->operation->name);
            return r;
        }
    }
    return 0;
}

static int run_steps(const struct customize_plan *plan, struct customize_context *context,
                     struct error **err)
{
    int r = run_phase(plan, CUSTOMIZE_IN_ORDER, context, err);
    return r < 0 ? r : run_phase(plan, CUSTOMIZE_LAST, context, err);
}

/* What must not stay in the guest, whether the steps succeeded or not. */
static int clean_up(struct customize_context *context, const char *lent, struct error **err)
{
    int r = program_return_machine_id(context->guest, lent, err);
    if (r < 0)
        return error_wrap(err, "cannot restore the machine-id");
    if (context->settings.no_logfile)
        r = program_log_remove(context, err);
    return r < 0 ? error_wrap(err, "--no-logfile") : 0;
}

int customize_run(const struct customize_plan *plan, struct customize_context *context,
                  struct error **err)
{
    _cleanup_free_ char *lent = NULL;
    int r = customize_plan_check(plan, context->info, err);
    if (r == 0)
        r = run_phase(plan, CUSTOMIZE_SETTINGS, context, err);
    if (r == 0)
        r = random_seed_set(context, err);
    if (r < 0)
        return r;
    if (customize_plan_needs(plan) & GUEST_CAN_RUN)
        r = program_lend_machine_id(context->guest, &lent, err);
    if (r == 0)
        r = run_steps(plan, context, err);
    int cleaned = clean_up(context, lent, r < 0 ? NULL : err);
    return r < 0 ? r : cleaned;
}

void customize_context_free(struct customize_context *context)
{
    secret_strv_free(&context->generated_passwords);
    strv_free(&context->settings.relabel_excludes);
}
