/* GRUB's variables, and the environment block in which it keeps some (GRUB manual, "Environment
 * block"). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct grub_variable {
    char *name;
    char *value;
};

struct grub_env {
    struct grub_variable *items;
    size_t count;
};

/* -E2BIG beyond 1,000 variables. */
int grub_env_set(struct grub_env *env, const char *name, const char *value, struct error **err);
/* "" for what was never set. */
const char *grub_env_get(const struct grub_env *env, const char *name);

/* Adds what an environment block holds. Text that is none adds nothing. */
int grub_env_load(struct grub_env *env, const char *block, struct error **err);
void grub_env_free(struct grub_env *env);
#define _cleanup_grub_env_ _cleanup_(grub_env_free)
