#include "customize/operation.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "customize/ops/operations.h"
#include "customize/program.h"

const struct customize_operation *const customize_operations[] = {
    &append_line_operation,
    &chmod_operation,
    &chown_operation,
    &commands_from_file_operation,
    &copy_operation,
    &copy_in_operation,
    &delete_operation,
    &edit_operation,
    &firstboot_operation,
    &firstboot_command_operation,
    &firstboot_install_operation,
    &hostname_operation,
    &inject_blnsvr_operation,
    &inject_qemu_ga_operation,
    &inject_virtio_win_operation,
    &install_operation,
    &link_operation,
    &mkdir_operation,
    &move_operation,
    &no_logfile_operation,
    &no_selinux_relabel_operation,
    &password_operation,
    &password_crypto_operation,
    &root_password_operation,
    &run_operation,
    &run_command_operation,
    &scrub_operation,
    &selinux_relabel_operation,
    &selinux_relabel_at_boot_operation,
    &selinux_relabel_exclude_operation,
    &sm_attach_operation,
    &sm_credentials_operation,
    &sm_register_operation,
    &sm_remove_operation,
    &sm_unregister_operation,
    &ssh_inject_operation,
    &tar_in_operation,
    &timezone_operation,
    &touch_operation,
    &truncate_operation,
    &truncate_recursive_operation,
    &uninstall_operation,
    &update_operation,
    &upload_operation,
    &write_operation,
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
    *step = (struct customize_step){0};
}

/* For one more step. The room is always a power of two, so that the count tells when it is used
 * up. */
static int make_room(struct customize_plan *plan, struct error **err)
{
    if (plan->count & (plan->count - 1))
        return 0;
    size_t room = plan->count ? 2 * plan->count : 1;
    struct customize_step *steps = reallocarray(plan->steps, room, sizeof(*steps));
    if (!steps)
        return error_oom(err);
    plan->steps = steps;
    return 0;
}

int customize_plan_add(struct customize_plan *plan, const struct customize_operation *operation,
                       const char *argument, struct error **err)
{
    _cleanup_(step_release) struct customize_step step = {.operation = operation};
    if (operation->metavar && !argument)
        return error_set(err, EINVAL, "--%s needs an argument: %s", operation->name,
                         operation->metavar);
    if (operation->expand)
        return operation->expand(plan, argument, err);
    int r = operation->parse ? operation->parse(argument, &step.data, err) : 0;
    if (r == 0)
        r = make_room(plan, err);
    if (r == 0 && argument) {
        step.argument = words_add(&plan->arguments, argument, err);
        r = step.argument ? 0 : -ENOMEM;
    }
    if (r == 0 && operation->check)
        r = operation->check(plan, &step, err);
    if (r < 0)
        return r;
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

unsigned customize_plan_wants(const struct customize_plan *plan)
{
    unsigned wants = 0;
    for (size_t i = 0; i < plan->count; i++)
        wants |= plan->steps[i].operation->wants;
    return wants;
}

static int require_network(const struct customize_operation *operation, struct error **err)
{
    if (!(operation->needs & GUEST_CAN_NETWORK))
        return 0;
    error_set(err, EINVAL, "--%s needs the network, and without --network there is none",
              operation->name);
    return error_hint(err, "give --network, or do it when the guest first boots, with "
                           "--firstboot-install or --firstboot-command");
}

int customize_plan_require(const struct customize_plan *plan, bool network, struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < plan->count; i++) {
        const struct customize_operation *operation = plan->steps[i].operation;
        r = network ? 0 : require_network(operation, err);
        if (r == 0 && operation->complete)
            r = operation->complete(plan, err);
    }
    return r;
}

int customize_plan_check(const struct customize_plan *plan, const struct guest_info *info,
                         struct error **err)
{
    int r = customize_plan_needs(plan) & GUEST_CAN_RUN ? program_require(info, err) : 0;
    for (size_t i = 0; r == 0 && i < plan->count; i++) {
        const struct customize_step *step = &plan->steps[i];
        if (!step->operation->require)
            continue;
        r = step->operation->require(step, info, err);
        if (r < 0)
            error_wrap(err, "--%s", step->operation->name);
    }
    return r;
}

static void keep_item(void *item)
{
    (void)item; /* it is a step's */
}

void customize_plan_free(struct customize_plan *plan)
{
    tdestroy(plan->accounts, keep_item);
    for (size_t i = 0; i < plan->count; i++)
        step_release(&plan->steps[i]);
    free(plan->steps);
    words_free(&plan->arguments);
    *plan = (struct customize_plan){0};
}
