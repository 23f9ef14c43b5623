/*
 * An SELinux policy's file contexts: which label a path gets. By file_contexts(5) and
 * selabel_file(5); the outcome is that of libselinux. The texts come from guests: the cost of every
 * look-up is bounded.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct file_contexts;

int file_contexts_new(struct file_contexts **ret, struct error **err);
void file_contexts_free(struct file_contexts *contexts); /* accepts NULL */
DEFINE_CLEANUP(struct file_contexts *, file_contexts_free);
#define _cleanup_file_contexts_ _cleanup_(file_contexts_freep)

/* Adds the lines "PATTERN [TYPE] CONTEXT" of file_contexts, .homedirs or .local, in that order: of
 * those that fit a path the last one counts, one without special characters before all others.
 * Lines that cannot be understood are passed over. Too many are -E2BIG. */
int file_contexts_add(struct file_contexts *contexts, const char *text, size_t size,
                      struct error **err);

enum file_contexts_aliases {
    FILE_CONTEXTS_LOCAL,        /* .subs; applied first */
    FILE_CONTEXTS_DISTRIBUTION, /* .subs_dist */
};

/* Adds the lines "ALIAS PATH": below ALIAS, everything is labelled as below PATH. */
int file_contexts_add_aliases(struct file_contexts *contexts, enum file_contexts_aliases which,
                              const char *text, size_t size, struct error **err);

/* *ret: the label, which lives as long as the contexts; NULL where the policy has none for it. Only
 * the file type of `mode` matters. -E2BIG: the patterns take longer than those of any known policy.
 * */
int file_contexts_lookup(struct file_contexts *contexts, const char *path, mode_t mode,
                         const char **ret, struct error **err);
