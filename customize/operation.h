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
#include "guest/inspect.h"

/* What an operation gets to work with. */
struct customize_context {
    struct guest *guest;
    const struct guest_info *info;
    struct reporter *reporter;
    /* "user\tpassword" for every `random` password, for the command line to show once. */
    struct strv generated_passwords;
};

/* A parsed request: one option as the user gave it. */
struct customize_step {
    const struct customize_operation *operation;
    char *argument; /* as given; NULL where the operation takes none. May hold a secret */
    void *data;     /* what parse() made of it; the operation's own type */
};

struct customize_operation {
    const char *name;    /* the long option, without dashes */
    const char *metavar; /* "USER:SELECTOR"; NULL: no argument */
    const char *help;    /* one line */
    const char *manual;  /* a paragraph for the manual */
    const char *example; /* a whole option with argument */
    unsigned needs;      /* enum guest_capability beyond GUEST_CAN_EDIT */
    bool secret;         /* the argument must not be shown */
    /* Checks the argument and reads host files, before any image is touched. NULL: nothing to do.
     */
    int (*parse)(const char *argument, void **ret_data, struct error **err);
    int (*apply)(const void *data, const char *argument, struct customize_context *context,
                 struct error **err);
    void (*free_data)(void *data);
};

/* Sorted by name. */
extern const struct customize_operation *const customize_operations[];
extern const size_t customize_operation_count;

const struct customize_operation *customize_operation_find(const char *name);

/* What the user asked for, in the order of the command line. */
struct customize_plan {
    struct customize_step *steps;
    size_t count;
};

int customize_plan_add(struct customize_plan *plan, const struct customize_operation *operation,
                       const char *argument, struct error **err);
/* The engine capabilities that all steps need together. */
unsigned customize_plan_needs(const struct customize_plan *plan);
void customize_plan_free(struct customize_plan *plan);
#define _cleanup_customize_plan_ _cleanup_(customize_plan_free)

/*
 * Runs the steps on the open guest, in order, passwords last, as virt-customize does, and first
 * sets a random seed. A failed step ends the run; the message names it. `context` is filled by the
 * caller but for generated_passwords.
 */
int customize_run(const struct customize_plan *plan, struct customize_context *context,
                  struct error **err);
void customize_context_free(struct customize_context *context);
