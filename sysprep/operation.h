/*
 * The operations that make a guest forget who it is, so that its clones can be somebody else. One
 * file per operation, one array of all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/report.h"
#include "base/str.h"
#include "customize/operation.h"
#include "guest/guest.h"
#include "guest/inspect.h"

/* What some operations let the user choose. */
struct sysprep_settings {
    struct strv remove_user_accounts; /* empty: all; see user-account */
    struct strv keep_user_accounts;
    struct strv scripts;    /* --script: run by `script`, on the host, in the guest's directory */
    const char *script_dir; /* --scriptdir: where the guest is mounted for them; NULL: made */
    const struct customize_plan *customizations; /* for `customize`; may be NULL */
};

struct sysprep_context {
    struct customize_context *customize; /* guest, info, reporter */
    const struct sysprep_settings *settings;
};

struct sysprep_operation {
    const char *name;
    const char *help;   /* one line */
    const char *manual; /* what it removes or changes, and why; a paragraph */
    bool by_default;
    unsigned needs; /* enum guest_capability beyond GUEST_CAN_EDIT */
    /* True where it applies to this guest. NULL: to every one. */
    bool (*applies)(const struct guest_info *info);
    int (*perform)(struct sysprep_context *context, struct error **err);
};

/* In the order in which they run, as far as it matters; listings sort by name. */
extern const struct sysprep_operation *const sysprep_operations[];
extern const size_t sysprep_operation_count;

const struct sysprep_operation *sysprep_operation_find(const char *name);

/* Which operations run: an array beside sysprep_operations. */
struct sysprep_selection {
    bool *chosen; /* sysprep_operation_count of them */
};

/* The default set. Caller frees with sysprep_selection_free(). */
int sysprep_selection_new(struct sysprep_selection *ret, struct error **err);
/* --operations: comma-separated names, "defaults" and "all"; a leading '-' takes one out. An
 * unknown name is -EINVAL, and the message lists what it could have been. */
int sysprep_selection_set(struct sysprep_selection *selection, const char *operations,
                          struct error **err);
/* --enable: exactly these. */
int sysprep_selection_enable(struct sysprep_selection *selection, const char *operations,
                             struct error **err);
unsigned sysprep_selection_needs(const struct sysprep_selection *selection);
void sysprep_selection_free(struct sysprep_selection *selection);
#define _cleanup_sysprep_selection_ _cleanup_(sysprep_selection_free)

/* Runs the chosen operations on the open guest. A guest that cannot be prepared this way (Windows)
 * is -EOPNOTSUPP with the way to do it. *ran: the names of those that ran, in order. */
int sysprep_run(const struct sysprep_selection *selection, struct sysprep_context *context,
                struct strv *ran, struct error **err);
