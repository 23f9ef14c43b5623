#include "guest/bootcfg/grub_env.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define VARIABLES_MAX 1000

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

const char *grub_env_get(const struct grub_env *env, const char *name)
{
    const struct grub_variable *known = find(env, name);
    return known ? known->value : "";
}

/* A backslash escapes the character behind it, a line end included. In place. */
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

/* The end of a line, where one that a backslash hides does not count. */
static char *line_end(char *line)
{
    while (*line && *line != '\n')
        line += *line == '\\' && line[1] ? 2 : 1;
    return line;
}

int grub_env_load(struct grub_env *env, const char *block, struct error **err)
{
    if (!str_starts(block, "# GRUB Environment Block\n"))
        return 0;
    _cleanup_free_ char *copy = strdup(block);
    if (!copy)
        return error_oom(err);
    for (char *line = copy, *next; line; line = next) {
        char *end = line_end(line);
        next = *end ? end + 1 : NULL;
        *end = '\0';
        char *equals = strchr(line, '=');
        if (*line == '#' || !equals || equals == line)
            continue;
        *equals = '\0';
        undo_escapes(equals + 1);
        int r = grub_env_set(env, line, equals + 1, err);
        if (r < 0)
            return r;
    }
    return 0;
}

void grub_env_free(struct grub_env *env)
{
    for (size_t i = 0; i < env->count; i++) {
        free(env->items[i].name);
        free(env->items[i].value);
    }
    free(env->items);
    *env = (struct grub_env){0};
}
