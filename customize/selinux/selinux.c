#include "customize/selinux/selinux.h"

#include <errno.h>
#include <string.h>

#include "base/quote.h"
#include "customize/selinux/policy.h"

static const char at_boot_mark[] = "/.autorelabel";

static bool has_selinux(struct guest *guest, const struct guest_info *info)
{
    return info->selinux || guest_exists(guest, "/etc/selinux/config");
}

static int label_at_boot(struct guest *guest, struct error **err)
{
    static const struct guest_file_attr attr = {.mode = 0644};
    return guest_write(guest, at_boot_mark, "", 0, &attr, err);
}

/* A policy that cannot be used, as opposed to a guest that cannot be written to. */
static bool is_policys_fault(int r)
{
    return r == -ENOENT || r == -E2BIG || r == -EFBIG || r == -EINVAL || r == -EISDIR;
}

/* Leaves the work to the guest itself; `why` is consumed. */
static int fall_back(struct guest *guest, struct error *why, struct reporter *reporter,
                     struct error **err)
{
    report(reporter, REPORT_WARNING, "%s: the guest will label all its files when it boots",
           error_message(why));
    error_free(why);
    return label_at_boot(guest, err);
}

/* setfiles(8) of the guest is a hundred times faster than one call of the appliance for each file.
 * It requires a kernel without SELinux. False: it failed. */
static bool label_by_program(struct guest *guest, const struct selinux_policy *policy,
                             const struct strv *excludes, bool all, struct reporter *reporter)
{
    _cleanup_str_ struct str script = {0};
    str_appendf(&script, "exec setfiles%s", all ? " -F" : "");
    for (size_t i = 0; selinux_pseudo[i]; i++)
        str_appendf(&script, " -e %s", selinux_pseudo[i]);
    for (size_t i = 0; excludes && i < excludes->count; i++) {
        str_append(&script, " -e ");
        quote_shell(&script, excludes->items[i]);
    }
    str_append(&script, " ");
    quote_shell(&script, policy->contexts_path);
    str_append(&script, " / </dev/null");
    _cleanup_guest_run_result_ struct guest_run_result result = {0};
    _cleanup_free_ char *text = str_take(&script, NULL);
    if (!text || guest_run(guest, text, &result, NULL) < 0)
        return false;
    if (result.status != 0)
        report(reporter, REPORT_DEBUG, "setfiles in the guest ended with status %d", result.status);
    return result.status == 0;
}

static int label_tree(struct guest *guest, struct selinux_policy *policy,
                      const struct strv *excludes, enum selinux_when when,
                      struct reporter *reporter, struct error **err)
{
    struct selinux_count count = {0};
    if (label_by_program(guest, policy, excludes, when == SELINUX_ALWAYS, reporter))
        return 0;
    int r = selinux_label_tree(guest, policy, excludes, when, reporter, &count, err);
    if (r == 0)
        report(reporter, REPORT_INFO, "SELinux: labelled %ju of %ju files",
               (uintmax_t)count.changed, (uintmax_t)count.seen);
    return r;
}

/* The paths to look at and how; the journal's own list changes with every label. */
struct work {
    struct strv paths;
    bool *created;
};

static void work_free(struct work *work)
{
    strv_free(&work->paths);
    free(work->created);
}

static int collect(const struct guest_journal *journal, struct work *work, struct error **err)
{
    work->created = calloc(journal->count + 1, sizeof(*work->created));
    if (!work->created)
        return error_oom(err);
    for (size_t i = 0; i < journal->count; i++) {
        const struct guest_journal_entry *entry = &journal->entries[i];
        if (entry->change == GUEST_CHANGE_REMOVED ||
            (entry->change == GUEST_CHANGE_ATTRIBUTES && !entry->remade))
            continue;
        work->created[work->paths.count] = entry->change == GUEST_CHANGE_CREATED;
        int r = strv_add(&work->paths, entry->path, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int label_work(struct guest *guest, struct selinux_policy *policy, const struct work *work,
                      struct reporter *reporter, struct error **err)
{
    struct selinux_count count = {0};
    for (size_t i = 0; i < work->paths.count; i++) {
        struct guest_stat st;
        if (guest_stat(guest, work->paths.items[i], false, &st, NULL) < 0)
            continue;
        int r =
            selinux_label_path(guest, policy, work->paths.items[i], &st,
                               work->created[i] ? SELINUX_ALWAYS : SELINUX_IF_MISSING, &count, err);
        if (r < 0)
            return r;
    }
    report(reporter, REPORT_DEBUG, "SELinux: labelled %ju of %ju changed files",
           (uintmax_t)count.changed, (uintmax_t)count.seen);
    return 0;
}

int selinux_label_touched(struct guest *guest, const struct guest_info *info,
                          const struct guest_journal *journal, struct reporter *reporter,
                          struct error **err)
{
    if (!info->selinux || (journal->count == 0 && !journal->programs_ran))
        return 0;
    _cleanup_(work_free) struct work work = {0};
    bool programs_ran = journal->programs_ran;
    int r = collect(journal, &work, err);
    if (r < 0)
        return r;
    _cleanup_selinux_policy_ struct selinux_policy policy = {0};
    struct error *cause = NULL;
    r = selinux_policy_load(guest, &policy, &cause);
    if (r == 0)
        r = label_work(guest, &policy, &work, reporter, &cause);
    if (r == 0 && programs_ran)
        r = label_tree(guest, &policy, NULL, SELINUX_IF_MISSING, reporter, &cause);
    if (r < 0 && is_policys_fault(r))
        return fall_back(guest, cause, reporter, err);
    return r < 0 ? error_move(err, cause) : 0;
}

int selinux_relabel(struct guest *guest, const struct guest_info *info, const struct strv *excludes,
                    struct reporter *reporter, struct error **err)
{
    if (!has_selinux(guest, info)) {
        report(reporter, REPORT_INFO, "SELinux: this guest has none, nothing is labelled");
        return 0;
    }
    report(reporter, REPORT_INFO, "SELinux: labelling all files");
    _cleanup_selinux_policy_ struct selinux_policy policy = {0};
    struct error *cause = NULL;
    int r = selinux_policy_load(guest, &policy, &cause);
    if (r == 0)
        r = label_tree(guest, &policy, excludes, SELINUX_ALWAYS, reporter, &cause);
    if (r < 0 && is_policys_fault(r))
        return fall_back(guest, cause, reporter, err);
    if (r < 0)
        return error_move(err, cause);
    return guest_remove(guest, at_boot_mark, err);
}

int selinux_relabel_at_boot(struct guest *guest, const struct guest_info *info,
                            struct reporter *reporter, struct error **err)
{
    if (!has_selinux(guest, info)) {
        report(reporter, REPORT_INFO, "SELinux: this guest has none, nothing is labelled");
        return 0;
    }
    report(reporter, REPORT_INFO, "SELinux: the guest will label its files when it boots");
    return label_at_boot(guest, err);
}

int selinux_apply(struct customize_context *context, struct error **err)
{
    struct customize_settings *settings = &context->settings;
    int r = 0;
    switch (settings->labels) {
    case CUSTOMIZE_LABEL_TOUCHED:
    case CUSTOMIZE_LABEL_NONE:
        return 0;
    case CUSTOMIZE_LABEL_AT_BOOT:
        r = selinux_relabel_at_boot(context->guest, context->info, context->reporter, err);
        break;
    case CUSTOMIZE_LABEL_ALL:
        r = selinux_relabel(context->guest, context->info, &settings->relabel_excludes,
                            context->reporter, err);
        break;
    }
    if (r < 0)
        return error_wrap(err, "cannot set SELinux labels");
    settings->labels = CUSTOMIZE_LABEL_NONE;
    return 0;
}
