#include "guest/bootcfg/grub_env.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define VARIABLES_MAX 1000

/* GRUB_ENVBLK_SIGNATURE of GRUB's include/grub/lib/envblk.h. */
static const char signature[] = "# GRUB Environment Block\n";

static struct grub_variable *find(const struct grub_env *env, const char *name)
{
    for (size_t i = 0; i < env->count; i++)
        if (strcmp(env->items[i].name, name) == 0)
            return &env->items[i];
    return NULL;
}

int grub_env_set(struct grub_env *env, const char *name, const char *value, struct error **err)
{
    struct grub_variable *known = find(env, name);
    if (known)
        return str_replace(&known->value, value, err);
    if (env->count >= VARIABLES_MAX)
        return error_set(err, E2BIG, "more than %d variables", VARIABLES_MAX);
    struct grub_variable *items = reallocarray(env->items, env->count + 1, sizeof(*items));
    if (!items)
        return error_oom(err);
    env->items = items;
    struct grub_variable added = {.name = strdup(name), .value = strdup(value)};
    if (!added.name || !added.value) {
        free(added.name);
        free(added.value);
        return error_oom(err);
    }
    items[env->count++] = added;
    return 0;
}

void grub_env_unset(struct grub_env *env, const char *name)
{
    struct grub_variable *known = find(env, name);
    if (!known)
        return;
    free(known->name);
    free(known->value);
    *known = env->items[--env->count];
}

int grub_env_export(struct grub_env *env, const char *name, struct error **err)
{
    int r = find(env, name) ? 0 : grub_env_set(env, name, "", err);
    if (r == 0)
        find(env, name)->exported = true;
    return r;
}

const char *grub_env_get(const struct grub_env *env, const char *name)
{
    const struct grub_variable *known = find(env, name);
    return known ? known->value : NULL;
}

int grub_env_open(struct grub_env **env, struct error **err)
{
    struct grub_env *inner = calloc(1, sizeof(*inner));
    if (!inner)
        return error_oom(err);
    inner->outer = *env;
    int r = 0;
    for (size_t i = 0; r == 0 && *env && i < (*env)->count; i++) {
        const struct grub_variable *variable = &(*env)->items[i];
        if (!variable->exported)
            continue;
        r = grub_env_set(inner, variable->name, variable->value, err);
        if (r == 0)
            r = grub_env_export(inner, variable->name, err);
    }
    *env = inner;
    if (r < 0)
        grub_env_close(env);
    return r;
}

void grub_env_close(struct grub_env **env)
{
    struct grub_env *inner = *env;
    *env = inner->outer;
    for (size_t i = 0; i < inner->count; i++) {
        free(inner->items[i].name);
        free(inner->items[i].value);
    }
    free(inner->items);
    free(inner);
}

void grub_env_free(struct grub_env *env)
{
    while (env)
        grub_env_close(&env);
}

/* The block. */

bool grub_env_is_block(const char *block)
{
    return str_starts(block, signature);
}

/* The end of a line, where one that a backslash hides does not count. NULL: the text ends first. */
static char *line_end(char *line)
{
    while (*line && *line != '\n')
        line += *line == '\\' && line[1] ? 2 : 1;
    return *line ? line : NULL;
}

/* A backslash stands before each backslash and line end of a value. In place. */
static void undo_escapes(char *text)
{
    char *out = text;
    for (const char *in = text; *in; in++) {
        if (*in == '\\' && in[1])
            in++;
        *out++ = *in;
    }
    *out = '\0';
}

int grub_env_load(const char *block, grub_env_fn *variable, void *context, struct error **err)
{
    _cleanup_free_ char *copy = strdup(block + strlen(signature));
    if (!copy)
        return error_oom(err);
    for (char *line = copy; *line;) {
        char *equals = *line == '#' ? NULL : strchr(line, '=');
        char *end = line_end(equals ? equals + 1 : line);
        if (!end || (*line != '#' && !equals))
            return 0;
        *end = '\0';
        if (equals) {
            *equals = '\0';
            undo_escapes(equals + 1);
            int r = variable(context, line, equals + 1);
            if (r < 0)
                return r;
        }
        line = end + 1;
    }
    return 0;
}
