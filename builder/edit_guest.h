/* What building and editing share: the operations on one open guest, and the record of what they
 * did. Internal to builder. */
#pragma once

#include "builder/edit.h"

/* The capabilities that the work needs of an engine. */
unsigned edit_needs(const struct edit_work *work);

/*
 * That the operations can be done to the guest, before an appliance starts for it or the image is
 * copied: looks into it in this process. `options` are those with which it will be opened. 0 as
 * well where that cannot be told yet, since it takes the appliance to look; edit_guest() checks it
 * again.
 */
int edit_check_ahead(const char *path, const struct guest_open_options *options,
                     const struct edit_work *work, struct error **err);

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
