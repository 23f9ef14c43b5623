/* What building and editing share: the operations on one open guest, and the record of what they
 * did. Internal to builder. */
#pragma once

#include "builder/edit.h"

/* What the engine has to offer for the request's operations. */
unsigned edit_needs(const struct edit_request *request);

/*
 * Runs the request's operations on *guest, labels what was touched where the guest has SELinux, and
 * fills the result. *guest may be another one afterwards, on failure too; the caller closes it.
 */
int edit_guest(struct guest **guest, const struct edit_request *request, struct edit_result *result,
               struct error **err);

/* Adds a line for each entry; see struct edit_result. */
int edit_report_changes(const struct guest_journal *journal, struct strv *changes,
                        struct error **err);
/* The unified diff of all entries; caller frees. What not everybody may read in the guest is not
 * shown. diff(1) missing is -ENOENT. */
int edit_report_difference(struct guest *guest, const struct guest_journal *journal, char **ret,
                           struct error **err);
