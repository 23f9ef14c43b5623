/*
 * The operations that remove a guest's identity, so that each clone gets one of its own. One file
 * per operation, one array of all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/report.h"
#include "base/str.h"
#include "customize/operation.h"
#include "guest/guest.h"
#include "guest/inspect/inspect.h"

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

/*
 * What an operation removes: shell patterns as of guest/text/glob.h, in lists that end with NULL.
 * That nothing matches is fine, and links are removed, not followed.
 */
struct sysprep_removal {
    const char *const *trees; /* what matches, directories with all they hold */
    const char *const *files; /* what matches and is no directory */
    const char *const *below; /* the files at any depth in what matches; directories stay */
    const char *const *keep;  /* paths, not patterns, that stay all the same */
};

struct sysprep_operation {
    const char *name;
    const char *help;   /* one line */
    const char *manual; /* what it removes or changes, and why; a paragraph */
    bool by_default;
    bool on_devices; /* changes what lies below the files: runs when those are done */
    unsigned needs;  /* enum guest_capability beyond GUEST_CAN_EDIT */
    /* True where it applies to this guest. NULL: to every one. */
    bool (*applies)(const struct guest_info *info);
    struct sysprep_removal removes; /* for most operations this is all */
    /* What else there is to do, when that has been removed. NULL: nothing. */
    int (*perform)(struct sysprep_context *context, struct error **err);
    /* What must hold in the end, whatever the operations behind this one did. NULL: nothing. */
    int (*finish)(struct sysprep_context *context, struct error **err);
};

/*
 * In the order in which they run: by name, as virt-sysprep does, but the customizations after all
 * that, and behind them what removes what they may have created again. Listings sort by name.
 */
extern const struct sysprep_operation *const sysprep_operations[];
extern const size_t sysprep_operation_count;

const struct sysprep_operation *sysprep_operation_find(const char *name);

/* Which operations run: an array beside sysprep_operations. */
struct sysprep_selection {
    bool *chosen; /* sysprep_operation_count of them */
    bool given;   /* the user named operations: these are not the default set */
};

/* The default set. Caller frees with sysprep_selection_free(). */
int sysprep_selection_new(struct sysprep_selection *ret, struct error **err);
/* --operations: comma-separated names, "defaults" and "all"; a leading '-' takes one out. The first
 * time the set starts empty, later ones change what is chosen by then. An unknown name is -EINVAL,
 * and the message lists similar names. */
int sysprep_selection_set(struct sysprep_selection *selection, const char *operations,
                          struct error **err);
/* --enable: exactly these names; once only, and not behind --operations. */
int sysprep_selection_enable(struct sysprep_selection *selection, const char *operations,
                             struct error **err);
/* That no setting is for an operation that will not run: -EINVAL, before any image is touched. */
int sysprep_selection_check(const struct sysprep_selection *selection,
                            const struct sysprep_settings *settings, struct error **err);
/* Without what the customizations need: see customize_plan_needs(). */
unsigned sysprep_selection_needs(const struct sysprep_selection *selection,
                                 const struct sysprep_settings *settings);
bool sysprep_selection_has(const struct sysprep_selection *selection, const char *name);
void sysprep_selection_free(struct sysprep_selection *selection);
#define _cleanup_sysprep_selection_ _cleanup_(sysprep_selection_free)

/* Runs the chosen operations on the open guest. A guest that cannot be prepared this way (Windows)
 * is -EOPNOTSUPP with the way to do it. *ran: the names of those that ran, in order; also those
 * that ran before one that failed. */
int sysprep_run(const struct sysprep_selection *selection, struct sysprep_context *context,
                struct strv *ran, struct error **err);
