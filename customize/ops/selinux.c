/*
 * --selinux-relabel  --no-selinux-relabel  --selinux-relabel-exclude DIR --selinux-relabel-at-boot:
 * they decide how customize_run() ends.
 */
#include <errno.h>

#include "customize/ops/argument.h"
#include "customize/ops/operations.h"

static int relabel_apply(const void *data, const char *argument, struct customize_context *context,
                         struct error **err)
{
    (void)data, (void)argument, (void)err;
    context->settings.labels = CUSTOMIZE_LABEL_ALL;
    return 0;
}

static int no_relabel_apply(const void *data, const char *argument,
                            struct customize_context *context, struct error **err)
{
    (void)data, (void)argument, (void)err;
    context->settings.labels = CUSTOMIZE_LABEL_NONE;
    return 0;
}

static int at_boot_apply(const void *data, const char *argument, struct customize_context *context,
                         struct error **err)
{
    (void)data, (void)argument, (void)err;
    context->settings.labels = CUSTOMIZE_LABEL_AT_BOOT;
    return 0;
}

static int exclude_parse(const char *argument, void **ret_data, struct error **err)
{
    (void)ret_data;
    return argument_guest_path("selinux-relabel-exclude", argument, err);
}

static int exclude_apply(const void *data, const char *argument, struct customize_context *context,
                         struct error **err)
{
    (void)data;
    return strv_add(&context->settings.relabel_excludes, argument, err);
}

/* One of them decides; two that differ are an error. */
static int check_alone(struct customize_plan *plan, const struct customize_step *step,
                       struct error **err)
{
    static const struct customize_operation *const choices[] = {
        &selinux_relabel_operation,
        &no_selinux_relabel_operation,
        &selinux_relabel_at_boot_operation,
    };
    for (size_t i = 0; i < plan->count; i++)
        for (size_t k = 0; k < ARRAY_SIZE(choices); k++)
            if (plan->steps[i].operation == choices[k] && choices[k] != step->operation)
                return error_set(err, EINVAL, "--%s and --%s exclude each other", choices[k]->name,
                                 step->operation->name);
    return 0;
}

const struct customize_operation selinux_relabel_operation = {
    .name = "selinux-relabel",
    .help = "give all files their SELinux labels by the guest's policy",
    .manual = "Label every file of an SELinux guest anew, by its own policy, without booting "
              "it. Without this option, only what was created gets its label, and what programs "
              "of the guest left without one, which is enough where the labels were right before. "
              "Other guests are left alone.",
    .example = "--selinux-relabel",
    .phase = CUSTOMIZE_SETTINGS,
    .check = check_alone,
    .apply = relabel_apply,
};

const struct customize_operation no_selinux_relabel_operation = {
    .name = "no-selinux-relabel",
    .help = "set no SELinux labels at all",
    .manual = "Leave the labels of an SELinux guest alone, those of new files as well.",
    .example = "--no-selinux-relabel",
    .phase = CUSTOMIZE_SETTINGS,
    .check = check_alone,
    .apply = no_relabel_apply,
};

const struct customize_operation selinux_relabel_at_boot_operation = {
    .name = "selinux-relabel-at-boot",
    .help = "have an SELinux guest label all its files at its next boot",
    .manual = "Make /.autorelabel in an SELinux guest, so that it labels all its files when it "
              "boots next, and then boots again. This is slow; see --selinux-relabel.",
    .example = "--selinux-relabel-at-boot",
    .phase = CUSTOMIZE_SETTINGS,
    .check = check_alone,
    .apply = at_boot_apply,
};

const struct customize_operation selinux_relabel_exclude_operation = {
    .name = "selinux-relabel-exclude",
    .metavar = "DIR",
    .help = "leave a directory alone in --selinux-relabel",
    .manual = "With --selinux-relabel, leave DIR and what is in it as they are. May be given "
              "several times.",
    .example = "--selinux-relabel-exclude /srv/backup",
    .phase = CUSTOMIZE_SETTINGS,
    .parse = exclude_parse,
    .apply = exclude_apply,
};
