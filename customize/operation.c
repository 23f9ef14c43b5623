#include "customize/operation.h"

#include <errno.h>
#include <string.h>

#include "customize/operations.h"
#include "customize/secret.h"

const struct customize_operation *const customize_operations[] = {
    &append_line_operation,   &delete_operation,     &hostname_operation,
    &mkdir_operation,         &password_operation,   &password_crypto_operation,
    &root_password_operation, &ssh_inject_operation, &timezone_operation,
    &upload_operation,        &write_operation,
};
const size_t customize_operation_count = ARRAY_SIZE(customize_operations);

const struct customize_operation *customize_operation_find(const char *name)
{
    for (size_t i = 0; i < customize_operation_count; i++)
        if (strcmp(customize_operations[i]->name, name) == 0)
            return customize_operations[i];
    return NULL;
}

static void step_release(struct customize_step *step)
{
    if (step->operation && step->operation->free_data)
        step->operation->free_data(step->data);
    secret_free(step->argument);
    *step = (struct customize_step){0};
}

int customize_plan_add(struct customize_plan *plan, const struct customize_operation *operation,
                       const char *argument, struct error **err)
{
    _cleanup_(step_release) struct customize_step step = {.operation = operation};
    if (operation->metavar && !argument)
        return error_set(err, EINVAL, "--%s needs an argument: %s", operation->name,
                         operation->metavar);
    if (argument) {
        step.argument = strdup(argument);
        if (!step.argument)
            return error_oom(err);
    }
    int r = operation->parse ? operation->parse(argument, &step.data, err) : 0;
    if (r == 0 && operation->check)
        r = operation->check(plan, &step, err);
    if (r < 0)
        return r;
    struct customize_step *steps = reallocarray(plan->steps, plan->count + 1, sizeof(*steps));
    if (!steps)
        return error_oom(err);
    plan->steps = steps;
    plan->steps[plan->count++] = step;
    step = (struct customize_step){0};
    return 0;
}

unsigned customize_plan_needs(const struct customize_plan *plan)
{
    unsigned needs = GUEST_CAN_EDIT;
    for (size_t i = 0; i < plan->count; i++)
        needs |= plan->steps[i].operation->needs;
    return needs;
}

void customize_plan_free(struct customize_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        step_release(&plan->steps[i]);
    free(plan->steps);
    *plan = (struct customize_plan){0};
}
