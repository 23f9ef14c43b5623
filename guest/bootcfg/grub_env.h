/* GRUB's variables, and the environment block in which it keeps some (GRUB manual, "Environment
 * block"). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct grub_variable {
    char *name;
    char *value;
    bool exported; /* seen in contexts that are opened later */
};

/* A context: submenus and configurations that are loaded have their own. */
struct grub_env {
    struct grub_variable *items;
    size_t count;
    struct grub_env *outer; /* NULL: the first one */
};

/* -E2BIG beyond 1,000 variables. */
int grub_env_set(struct grub_env *env, const char *name, const char *value, struct error **err);
void grub_env_unset(struct grub_env *env, const char *name);
/* One that was never set is set to "". */
int grub_env_export(struct grub_env *env, const char *name, struct error **err);
/* NULL for what was never set. */
const char *grub_env_get(const struct grub_env *env, const char *name);

/* A context within *env, with copies of the exported variables; *env becomes that. NULL: the first
 * one. */
int grub_env_open(struct grub_env **env, struct error **err);
/* Back to the outer one. Not for the first. */
void grub_env_close(struct grub_env **env);
/* All contexts. */
void grub_env_free(struct grub_env *env);

/* Calls `variable` for what an environment block holds; a negative return ends it with that value.
 * False: the text is no environment block. */
typedef int grub_env_fn(void *context, const char *name, const char *value);
bool grub_env_is_block(const char *block);
int grub_env_load(const char *block, grub_env_fn *variable, void *context, struct error **err);
