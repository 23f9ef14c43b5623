/*
 * The operations that change a guest. One table holds them all; builder, customize and sysprep
 * offer the same rows, and the command line makes its options, its help and its manual check from
 * them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/report.h"
#include "base/str.h"
#include "guest/guest.h"
#include "guest/inspect/inspect.h"
#include "guest/text/words.h"

struct password_scheme;
struct subscription_credentials;

/* What becomes of the labels in an SELinux guest; see customize/selinux/selinux.h. */
enum customize_labels {
    CUSTOMIZE_LABEL_TOUCHED, /* what was created gets its label by the guest's policy */
    CUSTOMIZE_LABEL_ALL,
    CUSTOMIZE_LABEL_AT_BOOT, /* the guest does it when it boots */
    CUSTOMIZE_LABEL_NONE,
};

/* What steps of the phase CUSTOMIZE_SETTINGS decide for the others. What they point to belongs to
 * the plan. */
struct customize_settings {
    const struct password_scheme *password_scheme;       /* NULL: as the guest itself does it */
    const struct subscription_credentials *subscription; /* NULL: none given */
    bool no_logfile;                                     /* builder.log does not stay */
    enum customize_labels labels;
    struct strv relabel_excludes; /* guest directories that CUSTOMIZE_LABEL_ALL leaves alone */
};

/* The context of an operation. */
struct customize_context {
    struct guest *guest;
    const struct guest_info *info;
    struct reporter *reporter;
    struct customize_settings settings;
    /* "user\tpassword" for every `random` password, for the command line to show once. */
    struct strv generated_passwords;
};

/* When a step runs. Within a phase, the order of the command line counts. */
enum customize_phase {
    CUSTOMIZE_IN_ORDER, /* where it stands on the command line */
    CUSTOMIZE_SETTINGS, /* before all others: fills context->settings, touches nothing */
    CUSTOMIZE_LAST,     /* after all others */
};

struct customize_plan;
struct customize_operation;

/* A parsed request: one option as the user gave it. */
struct customize_step {
    const struct customize_operation *operation;
    const char *argument; /* as given, the plan's; NULL: takes none. May hold a secret */
    void *data;           /* what parse() made of it; the operation's own type */
};

struct customize_operation {
    const char *name;    /* the long option, without dashes */
    const char *metavar; /* "USER:SELECTOR"; NULL: no argument */
    const char *help;    /* one line */
    const char *manual;  /* a paragraph for the manual */
    const char *example; /* a whole option with argument */
    unsigned needs;      /* enum guest_capability beyond GUEST_CAN_EDIT */
    unsigned wants;      /* what it uses where it is to be had */
    bool secret;         /* the argument must not be shown */
    enum customize_phase phase;
    /* For what stands for others: adds those to the plan instead of itself. NULL: stands for
     * itself; then apply() is set. */
    int (*expand)(struct customize_plan *plan, const char *argument, struct error **err);
    /* Checks the argument and reads host files, before any image is touched. NULL: nothing to do.
     * A malformed argument is -EINVAL. */
    int (*parse)(const char *argument, void **ret_data, struct error **err);
    /* Checks a parsed step against those already in the plan. NULL: all go together. With success
     * the step becomes one of the plan's. */
    int (*check)(struct customize_plan *plan, const struct customize_step *step,
                 struct error **err);
    /* That the whole plan has what the step needs, before any image is opened. NULL: it needs
     * nothing. */
    int (*complete)(const struct customize_plan *plan, struct error **err);
    /* That the guest is one that it can be done to, before anything is touched. NULL: every one
     * is. */
    int (*require)(const struct customize_step *step, const struct guest_info *info,
                   struct error **err);
    int (*apply)(const void *data, const char *argument, struct customize_context *context,
                 struct error **err);
    void (*free_data)(void *data);
};

/* Sorted by name. */
extern const struct customize_operation *const customize_operations[];
extern const size_t customize_operation_count;

/* NULL: there is none of that name. */
const struct customize_operation *customize_operation_find(const char *name);

/* What the user asked for, in the order of the command line. */
struct customize_plan {
    struct customize_step *steps;
    size_t count;
    struct words arguments;
    void *accounts; /* password.c: whose passwords are set, see tsearch(3) */
};

/* Parses and checks `argument` (NULL for operations that take none) and appends the step, or the
 * steps that it stands for; those that came before a failure stay in the plan. */
int customize_plan_add(struct customize_plan *plan, const struct customize_operation *operation,
                       const char *argument, struct error **err);
/* The engine capabilities that all steps need together. */
unsigned customize_plan_needs(const struct customize_plan *plan);
/* Those that some steps use where they can be had. */
unsigned customize_plan_wants(const struct customize_plan *plan);
/* That the plan is complete and can be run with what the user allows, before any image is opened.
 * -EINVAL names the step that lacks another one, or the network when there is to be none. */
int customize_plan_require(const struct customize_plan *plan, bool network, struct error **err);
/* That the plan can be run on such a guest, before anything is touched: -EOPNOTSUPP where it
 * cannot, such as programs of a foreign architecture. customize_run() begins with it. */
int customize_plan_check(const struct customize_plan *plan, const struct guest_info *info,
                         struct error **err);
/* Wipes what may be secret. */
void customize_plan_free(struct customize_plan *plan);
#define _cleanup_customize_plan_ _cleanup_(customize_plan_free)

/*
 * Runs the steps on the open guest, in order, passwords last, as virt-customize does, and first
 * sets a random seed. A failed step ends the run; the message names it. `context` is filled by the
 * caller but for settings and generated_passwords.
 */
int customize_run(const struct customize_plan *plan, struct customize_context *context,
                  struct error **err);
/* Wipes and frees the generated passwords and the settings; the guest and the rest are the
 * caller's. */
void customize_context_free(struct customize_context *context);
