#include "builder/edit_guest.h"

#include <errno.h>
#include <string.h>

#include "customize/selinux/selinux.h"

unsigned edit_needs(const struct edit_work *work)
{
    unsigned wants = work->network ? customize_plan_wants(work->operations) : 0;
    unsigned needs = customize_plan_needs(work->operations) | wants;
    if (work->sysprep)
        needs |= sysprep_selection_needs(work->sysprep, work->sysprep_settings);
    /* A dry run pretends to do these. */
    const unsigned pretended = GUEST_CAN_RUN | GUEST_CAN_NETWORK | GUEST_CAN_MOUNT;
    return work->dry_run ? needs & ~pretended : needs;
}

int edit_check_ahead(const char *path, const struct guest_open_options *options,
                     const struct edit_work *work, struct error **err)
{
    if (!(options->capabilities & ~(unsigned)GUEST_CAN_EDIT) || options->drive_count > 0 ||
        options->resources.engine == GUEST_ENGINE_NATIVE)
        return 0;
    struct guest_open_options look = {.format = options->format, .resources = options->resources};
    look.resources.engine = GUEST_ENGINE_NATIVE;
    _cleanup_guest_ struct guest *guest = NULL;
    _cleanup_guest_info_ struct guest_info info = {0};
    if (guest_open(path, &look, &guest, NULL) < 0 || !guest_is_complete(guest) ||
        guest_inspect(guest, &info, NULL) < 0)
        return 0;
    return customize_plan_check(work->operations, &info, err);
}

static int wrap(struct guest **guest, const struct edit_work *work, struct error **err)
{
    struct guest *inner = TAKE_PTR(*guest);
    int r = guest_journal_open(inner, work->tell_difference, guest, err);
    if (r == 0 && work->dry_run)
        guest_journal_pretend(*guest);
    return r;
}

/* An operation that is repeated is reported once. */
static int note_operation(const char *name, struct edit_result *result, struct error **err)
{
    size_t count = result->operations.count;
    if (count > 0 && strcmp(result->operations.items[count - 1], name) == 0)
        return 0;
    return strv_add(&result->operations, name, err);
}

/* "--install vim": the option as given, without secrets. */
static int note_step(const struct customize_step *step, struct edit_result *result,
                     struct error **err)
{
    const struct customize_operation *operation = step->operation;
    int r = note_operation(operation->name, result, err);
    if (r < 0 || !(operation->needs & GUEST_CAN_RUN))
        return r;
    const char *argument = operation->secret ? "..." : step->argument;
    return strv_addf(&result->programs, err, "--%s%s%s", operation->name, argument ? " " : "",
                     argument ? argument : "");
}

/* Of sysprep's operation script, if it is among those that were done. */
static int note_scripts(const struct strv *scripts, struct edit_result *result, struct error **err)
{
    int r = 0;
    if (!strv_contains(&result->operations, "script"))
        return 0;
    for (size_t i = 0; r == 0 && i < scripts->count; i++)
        r = strv_addf(&result->programs, err, "--script %s", scripts->items[i]);
    return r;
}

static int note_steps(const struct customize_plan *plan, struct edit_result *result,
                      struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < plan->count; i++)
        r = note_step(&plan->steps[i], result, err);
    return r;
}

static int run_operations(const struct edit_work *work, struct customize_context *context,
                          struct edit_result *result, struct error **err)
{
    if (!work->sysprep) {
        int r = note_steps(work->operations, result, err);
        return r < 0 ? r : customize_run(work->operations, context, err);
    }
    struct sysprep_context sysprep = {.customize = context, .settings = work->sysprep_settings};
    int r = sysprep_run(work->sysprep, &sysprep, &result->operations, err);
    if (r == 0)
        r = note_scripts(&work->sysprep_settings->scripts, result, err);
    return r < 0 ? r : note_steps(work->operations, result, err);
}

/* The last change of all: what is made behind it would have no label. */
static int label(struct customize_context *context, struct error **err)
{
    int r = selinux_apply(context, err);
    if (r < 0 || !context->info->selinux || context->settings.labels != CUSTOMIZE_LABEL_TOUCHED)
        return r;
    const struct guest_journal *journal = guest_journal_of(context->guest);
    if (!journal)
        return error_oom(err);
    return selinux_label_touched(context->guest, context->info, journal, context->reporter, err);
}

static int tell(struct guest *guest, const struct edit_work *work, struct edit_result *result,
                struct error **err)
{
    if (!work->tell_changes && !work->tell_difference)
        return 0;
    const struct guest_journal *journal = guest_journal_of(guest);
    if (!journal)
        return error_oom(err);
    int r = work->tell_changes ? edit_report_changes(journal, &result->changes, err) : 0;
    if (r == 0 && work->tell_difference)
        r = edit_report_difference(guest, journal, &result->difference, err);
    return r;
}

int edit_guest(struct guest **guest, const struct edit_work *work, struct edit_result *result,
               struct error **err)
{
    int r = guest_inspect(*guest, &result->guest, err);
    if (r == 0)
        r = str_replace(&result->engine, guest_engine_used(*guest), err);
    if (r == 0)
        r = str_replace(&result->engine_reason, guest_engine_reason(*guest), err);
    if (r == 0)
        r = wrap(guest, work, err);
    if (r < 0)
        return r;
    struct customize_context context = {
        .guest = *guest, .info = &result->guest, .reporter = work->reporter};
    r = run_operations(work, &context, result, err);
    if (r == 0)
        r = label(&context, err);
    if (r == 0)
        r = tell(*guest, work, result, err);
    result->generated_passwords = context.generated_passwords;
    context.generated_passwords = (struct strv){0};
    customize_context_free(&context);
    *guest = guest_journal_unwrap(*guest);
    return r;
}
