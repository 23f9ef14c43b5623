/* What building and editing share: the operations on one open guest, and the record of what they
 * did. Internal to builder. */
#pragma once

#include "builder/edit.h"

/* The capabilities that the work needs of an engine. */
unsigned edit_needs(const struct edit_work *work);

/*
 * Does the work on *guest, labels what was touched where the guest has SELinux, and fills the
 * result. *guest may be another one afterwards, on failure too; the caller closes it.
 */
int edit_guest(struct guest **guest, const struct edit_work *work, struct edit_result *result,
               struct error **err);

/* Adds a line for each entry; see struct edit_result. */
int edit_report_changes(const struct guest_journal *journal, struct strv *changes,
                        struct error **err);
/* The unified diff of all entries; caller frees. What not everybody may read in the guest is not
 * shown. diff(1) missing is -ENOENT. */
int edit_report_difference(struct guest *guest, const struct guest_journal *journal, char **ret,
                           struct error **err);
