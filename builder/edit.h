/* Editing existing images in place: what `kiln customize` and `kiln sysprep` do. */
#pragma once

#include "base/error.h"
#include "base/report.h"
#include "customize/operation.h"
#include "guest/guest.h"
#include "guest/inspect.h"
#include "guest/journal.h"
#include "sysprep/operation.h"

enum edit_atomicity {
    EDIT_AUTO,   /* all or nothing where that costs no copy of the image */
    EDIT_ATOMIC, /* all or nothing, also for a machine that loses power: works on a copy */
};

struct edit_request {
    const char *path;
    enum image_format format;
    const struct guest_drive *drives; /* further disks of the same guest */
    size_t drive_count;
    enum guest_engine engine;
    bool kvm_healthy;
    bool network; /* programs in the guest may have it */
    uint64_t memory;
    unsigned cpus;
    const char *mount_options;
    enum edit_atomicity atomicity;
    bool dry_run;
    bool keep_contents; /* for a diff of what changed */
    bool unseal;
    bool seal;                               /* once all is done */
    const struct customize_plan *operations; /* may be empty */
    const struct sysprep_selection *sysprep; /* NULL: none */
    const struct sysprep_settings *sysprep_settings;
    struct reporter *reporter;
};

struct edit_result {
    char *engine;
    char *engine_reason;
    struct guest_info guest;
    struct strv operations; /* that ran, in order */
    struct strv generated_passwords;
    char *changes; /* one line a path: "+ /a", "~ /b", "- /c", "= /d" for attributes; NULL: none */
    char *difference; /* a unified diff, where it was asked for; NULL: none */
    uint64_t duration_ms;
};

void edit_result_free(struct edit_result *result);
#define _cleanup_edit_result_ _cleanup_(edit_result_free)

/* On failure *err says what has been changed already, where that is not nothing. */
int edit_image(const struct edit_request *request, struct edit_result *ret, struct error **err);
