/*
 * Labels in SELinux guests: files that kiln made would have none, and the guest would be denied
 * them. They get their labels by the guest's own policy.
 */
#pragma once

#include "customize/operation.h"
#include "guest/guest.h"
#include "guest/inspect/inspect.h"
#include "guest/journal/journal.h"

/*
 * What was created since the journal was opened gets its label; what was only changed keeps the one
 * it has. Where programs of the guest ran, whatever has no label gets one. Other guests are left
 * alone. Where the policy cannot be used, the guest is set to label itself at its next boot, with a
 * warning.
 */
int selinux_label_touched(struct guest *guest, const struct guest_info *info,
                          const struct guest_journal *journal, struct reporter *reporter,
                          struct error **err);

/* Labels everything but what lies in one of the directories `excludes` (NULL: none). A guest
 * without SELinux is left alone; a message says so. */
int selinux_relabel(struct guest *guest, const struct guest_info *info, const struct strv *excludes,
                    struct reporter *reporter, struct error **err);

/* Has the guest label itself at its next boot. */
int selinux_relabel_at_boot(struct guest *guest, const struct guest_info *info,
                            struct reporter *reporter, struct error **err);

/*
 * What every change of a guest ends with, behind customize_run() and whatever else made files: does
 * what context->settings.labels asks for where that is more than CUSTOMIZE_LABEL_TOUCHED, and then
 * sets CUSTOMIZE_LABEL_NONE there: nothing is left to do. The caller does the default, with
 * selinux_label_touched().
 */
int selinux_apply(struct customize_context *context, struct error **err);
