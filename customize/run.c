/* The executor: runs a plan on an open guest. */

#include <string.h>

#include "customize/operation.h"
#include "customize/random_seed.h"
#include "customize/secret.h"

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

int customize_run(const struct customize_plan *plan, struct customize_context *context,
                  struct error **err)
{
    int r = run_phase(plan, CUSTOMIZE_SETTINGS, context, err);
    if (r == 0)
        r = random_seed_set(context, err);
    if (r == 0)
        r = run_phase(plan, CUSTOMIZE_IN_ORDER, context, err);
    if (r == 0)
        r = run_phase(plan, CUSTOMIZE_LAST, context, err);
    return r;
}

void customize_context_free(struct customize_context *context)
{
    struct strv *passwords = &context->generated_passwords;
    for (size_t i = 0; i < passwords->count; i++)
        explicit_bzero(passwords->items[i], strlen(passwords->items[i]));
    strv_free(passwords);
}
