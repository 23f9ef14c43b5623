/* Editing existing images in place: what `kiln customize` and `kiln sysprep` do. */
#pragma once

#include "base/error.h"
#include "base/report.h"
#include "customize/operation.h"
#include "guest/guest.h"
#include "guest/inspect/inspect.h"
#include "guest/journal/journal.h"
#include "sysprep/operation.h"

/* What is done to a guest once it is open, and what is reported about it. */
struct edit_work {
    const struct customize_plan *operations; /* may be empty */
    const struct sysprep_selection *sysprep; /* NULL: none */
    const struct sysprep_settings *sysprep_settings;
    bool network;      /* programs in the guest may have it */
    bool dry_run;      /* nothing is written, and no program of the guest runs */
    bool tell_changes; /* fill edit_result.changes */
    bool tell_difference;
    struct reporter *reporter;
};

enum edit_atomicity {
    EDIT_AUTO,   /* all or nothing where that costs no copy of the image */
    EDIT_ATOMIC, /* all or nothing, also for a machine that loses power: works on a copy */
};

struct edit_request {
    const char *path;
    enum image_format format;
    const struct guest_drive *drives; /* further disks of the same guest */
    size_t drive_count;
    struct guest_resources resources;
    const char *mount_options;
    enum edit_atomicity atomicity;
    bool unseal;
    bool seal; /* once all is done */
    struct edit_work work;
};

struct edit_result {
    char *engine;
    char *engine_reason;
    struct guest_info guest;
    struct strv operations; /* that ran, in order; one that follows itself stands there once */
    struct strv programs;   /* steps that ran programs of the guest, or would: "--install vim" */
    struct strv generated_passwords;
    struct strv changes; /* one a path: "+ /a", "~ /b", "- /c", "= /d" for attributes */
    char *difference;    /* a unified diff, where it was asked for; NULL: none */
    uint64_t duration_ms;
};

void edit_result_free(struct edit_result *result);
#define _cleanup_edit_result_ _cleanup_(edit_result_free)

/* The image is changed as a whole or not at all: what fails before the changes are written leaves
 * it as it was, and the message says so. A sealed template is -EPERM. */
int edit_image(const struct edit_request *request, struct edit_result *ret, struct error **err);
