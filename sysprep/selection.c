/* Which operations run: --operations and --enable. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/similar.h"
#include "sysprep/operations.h"

static bool is_default(const struct sysprep_operation *operation)
{
    return operation->by_default;
}

static bool is_any(const struct sysprep_operation *operation)
{
    (void)operation;
    return true;
}

static const struct {
    const char *name;
    bool (*member)(const struct sysprep_operation *operation);
} groups[] = {
    {"all", is_any},
    {"defaults", is_default},
};

int sysprep_selection_new(struct sysprep_selection *ret, struct error **err)
{
    bool *chosen = calloc(sysprep_operation_count, sizeof(*chosen));
    if (!chosen)
        return error_oom(err);
    for (size_t i = 0; i < sysprep_operation_count; i++)
        chosen[i] = sysprep_operations[i]->by_default;
    *ret = (struct sysprep_selection){.chosen = chosen};
    return 0;
}

void sysprep_selection_free(struct sysprep_selection *selection)
{
    free(selection->chosen);
    *selection = (struct sysprep_selection){0};
}

static char *likely_names(const char *name, struct error **err)
{
    struct similar similar = similar_to(name);
    for (size_t i = 0; i < sysprep_operation_count; i++)
        similar_offer(&similar, "", sysprep_operations[i]->name);
    return similar_take(&similar, err);
}

static int unknown_name(const char *option, const char *name, struct error **err)
{
    _cleanup_free_ char *shown = str_printable(name);
    _cleanup_free_ char *likely = likely_names(name, NULL);
    error_set(err, EINVAL, "--%s: there is no operation '%s'", option, shown ? shown : "?");
    if (!str_empty(likely))
        return error_hint(err, "did you mean: %s? --list-operations shows all", likely);
    return error_hint(err, "--list-operations shows all");
}

/* Calls for each of the comma-separated names. */
static int for_each_name(const char *option, const char *operations,
                         int (*choose)(struct sysprep_selection *selection, const char *name,
                                       struct error **err),
                         struct sysprep_selection *selection, struct error **err)
{
    int r = 0;
    for (const char *at = operations; r == 0; at++) {
        size_t length = strcspn(at, ",");
        _cleanup_free_ char *name = strndup(at, length);
        if (!name)
            return error_oom(err);
        if (length == 0 || strcmp(name, "-") == 0)
            return error_set(err, EINVAL, "--%s: an operation's name is missing", option);
        r = choose(selection, name, err);
        at += length;
        if (!*at)
            break;
    }
    return r;
}

static bool choose_named(struct sysprep_selection *selection, const char *name, bool chosen)
{
    for (size_t i = 0; i < sysprep_operation_count; i++) {
        if (strcmp(sysprep_operations[i]->name, name) != 0)
            continue;
        selection->chosen[i] = chosen;
        return true;
    }
    return false;
}

static bool choose_group(struct sysprep_selection *selection, const char *name, bool chosen)
{
    for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
        if (strcmp(groups[g].name, name) != 0)
            continue;
        for (size_t i = 0; i < sysprep_operation_count; i++)
            if (groups[g].member(sysprep_operations[i]))
                selection->chosen[i] = chosen;
        return true;
    }
    return false;
}

static int change(struct sysprep_selection *selection, const char *name, struct error **err)
{
    bool chosen = name[0] != '-';
    name += chosen ? 0 : 1;
    if (choose_group(selection, name, chosen) || choose_named(selection, name, chosen))
        return 0;
    return unknown_name("operations", name, err);
}

static int enable(struct sysprep_selection *selection, const char *name, struct error **err)
{
    return choose_named(selection, name, true) ? 0 : unknown_name("enable", name, err);
}

static void start_empty(struct sysprep_selection *selection)
{
    memset(selection->chosen, 0, sysprep_operation_count * sizeof(*selection->chosen));
    selection->given = true;
}

int sysprep_selection_set(struct sysprep_selection *selection, const char *operations,
                          struct error **err)
{
    if (!selection->given)
        start_empty(selection);
    return for_each_name("operations", operations, change, selection, err);
}

int sysprep_selection_enable(struct sysprep_selection *selection, const char *operations,
                             struct error **err)
{
    if (selection->given)
        return error_set(err, EINVAL,
                         "--enable can be given only once, and not behind "
                         "--operations");
    start_empty(selection);
    return for_each_name("enable", operations, enable, selection, err);
}

bool sysprep_selection_has(const struct sysprep_selection *selection, const char *name)
{
    for (size_t i = 0; i < sysprep_operation_count; i++)
        if (strcmp(sysprep_operations[i]->name, name) == 0)
            return selection->chosen[i];
    return false;
}

int sysprep_selection_check(const struct sysprep_selection *selection,
                            const struct sysprep_settings *settings, struct error **err)
{
    const struct {
        const char *option;
        bool used;
        const char *operation;
    } rows[] = {
        {"--remove-user-accounts", settings->remove_user_accounts.count > 0, "user-account"},
        {"--keep-user-accounts", settings->keep_user_accounts.count > 0, "user-account"},
        {"--script", settings->scripts.count > 0, "script"},
        {"--scriptdir", settings->script_dir != NULL, "script"},
        {"a customization", settings->customizations && settings->customizations->count > 0,
         "customize"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!rows[i].used || sysprep_selection_has(selection, rows[i].operation))
            continue;
        error_set(err, EINVAL, "%s was given, but the operation '%s' is not to run", rows[i].option,
                  rows[i].operation);
        return error_hint(err, "add it with --operations defaults,%s", rows[i].operation);
    }
    return sysprep_script_check(settings, err);
}

unsigned sysprep_selection_needs(const struct sysprep_selection *selection,
                                 const struct sysprep_settings *settings)
{
    bool scripts = settings && settings->scripts.count > 0;
    unsigned needs = GUEST_CAN_EDIT | (scripts ? GUEST_CAN_MOUNT : 0);
    for (size_t i = 0; i < sysprep_operation_count; i++)
        if (selection->chosen[i])
            needs |= sysprep_operations[i]->needs;
    return needs;
}
