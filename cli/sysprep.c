#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/edit.h"
#include "cli/json.h"
#include "cli/peers.h"

struct sysprep_arguments {
    struct edit_arguments edit;
    struct strv selection; /* "operations=NAMES", "enable=NAMES", in the order given */
    struct strv remove_user_accounts;
    struct strv keep_user_accounts;
    struct strv scripts;
    const char *script_dir;
    const char *mount_options;
    bool list_operations;
    bool seal;
};

static const struct cli_option sysprep_options[] = {
    EDIT_OPTIONS(struct sysprep_arguments, edit),
    {"operations", 0, OPTION_SEQUENCE, offsetof(struct sysprep_arguments, selection), "NAMES",
     "operations to perform, comma-separated; 'defaults' and 'all' stand for several, '-NAME' "
     "leaves one out",
     "defaults"},
    {"enable", 0, OPTION_SEQUENCE, offsetof(struct sysprep_arguments, selection), "NAMES",
     "perform exactly these operations", NULL},
    {"list-operations", 0, OPTION_FLAG, offsetof(struct sysprep_arguments, list_operations), NULL,
     "list all operations; '*' marks the defaults", NULL},
    {"remove-user-accounts", 0, OPTION_LIST,
     offsetof(struct sysprep_arguments, remove_user_accounts), "USERS",
     "for user-account: the accounts to remove, comma-separated", "all"},
    {"keep-user-accounts", 0, OPTION_LIST, offsetof(struct sysprep_arguments, keep_user_accounts),
     "USERS", "for user-account: accounts to keep, comma-separated", NULL},
    {"script", 0, OPTION_LIST, offsetof(struct sysprep_arguments, scripts), "PROGRAM",
     "for script: a program of this machine to run in the guest's directory; may be repeated",
     NULL},
    {"scriptdir", 0, OPTION_STRING, offsetof(struct sysprep_arguments, script_dir), "DIR",
     "for script: where the guest is mounted", "a temporary directory"},
    {"mount-options", 0, OPTION_STRING, offsetof(struct sysprep_arguments, mount_options),
     "OPTIONS", "mount options by mount point: '/:noatime;/var:nodev' (appliance only)", NULL},
    {"seal", 0, OPTION_FLAG, offsetof(struct sysprep_arguments, seal), NULL,
     "seal the image as a template that must not change any more", NULL},
    PEER_OPTIONS,
    PEER_SYSPREP_OPTIONS,
    CLI_OPTIONS_END,
};

/* Without the network, as virt-sysprep is. */
static const struct sysprep_arguments sysprep_defaults = {
    .edit = {.engine = "auto", .root = "ask"}};

static int by_name(const void *a, const void *b)
{
    const struct sysprep_operation *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int print_json_list(const struct sysprep_operation **sorted, struct error **err)
{
    json_t *array = json_array();
    for (size_t i = 0; i < sysprep_operation_count; i++)
        json_array_append_new(array,
                              json_pack("{s:s, s:b, s:s}", "name", sorted[i]->name, "default",
                                        sorted[i]->by_default, "help", sorted[i]->help));
    return json_print(array, err);
}

static int list_operations(bool json, struct error **err)
{
    _cleanup_free_ const struct sysprep_operation **sorted =
        calloc(sysprep_operation_count, sizeof(*sorted));
    if (!sorted)
        return error_oom(err);
    memcpy(sorted, sysprep_operations, sysprep_operation_count * sizeof(*sorted));
    qsort(sorted, sysprep_operation_count, sizeof(*sorted), by_name);
    if (json)
        return print_json_list(sorted, err);
    for (size_t i = 0; i < sysprep_operation_count; i++)
        printf("%-26s %c %s\n", sorted[i]->name, sorted[i]->by_default ? '*' : ' ',
               sorted[i]->help);
    return 0;
}

static int choose_operations(const struct strv *given, struct sysprep_selection *selection,
                             struct error **err)
{
    int r = sysprep_selection_new(selection, err);
    for (size_t i = 0; r == 0 && i < given->count; i++) {
        const char *item = given->items[i];
        const char *names = strchr(item, '=') + 1;
        struct error *cause = NULL;
        r = str_starts(item, "enable=") ? sysprep_selection_enable(selection, names, &cause)
                                        : sysprep_selection_set(selection, names, &cause);
        if (r < 0)
            r = cli_usage_because(err, cause);
    }
    return r;
}

/* "a,b" and "c" to a, b and c. */
static int split_names(const struct strv *given, const char *option, struct strv *names,
                       struct error **err)
{
    for (size_t i = 0; i < given->count; i++) {
        const char *at = given->items[i];
        do {
            size_t length = strcspn(at, ",");
            if (length == 0)
                return cli_usage(err, "--%s: a name is missing in '%s'", option, given->items[i]);
            int r = strv_addf(names, err, "%.*s", (int)length, at);
            if (r < 0)
                return r;
            at += length;
        } while (*at++);
    }
    return 0;
}

static void settings_release(struct sysprep_settings *settings)
{
    strv_free(&settings->remove_user_accounts);
    strv_free(&settings->keep_user_accounts);
}

static int fill_settings(const struct sysprep_arguments *arguments, const struct cli *cli,
                         struct sysprep_settings *settings, struct error **err)
{
    settings->scripts = arguments->scripts; /* stay the arguments' */
    settings->script_dir = arguments->script_dir;
    settings->customizations = &cli->plan;
    int r = split_names(&arguments->remove_user_accounts, "remove-user-accounts",
                        &settings->remove_user_accounts, err);
    return r < 0 ? r
                 : split_names(&arguments->keep_user_accounts, "keep-user-accounts",
                               &settings->keep_user_accounts, err);
}

static int check_selection(const struct sysprep_selection *selection,
                           const struct sysprep_settings *settings, struct error **err)
{
    struct error *cause = NULL;
    int r = sysprep_selection_check(selection, settings, &cause);
    return r < 0 ? cli_usage_because(err, cause) : 0;
}

static int sysprep_run_command(struct cli *cli, const void *opaque, struct error **err)
{
    const struct sysprep_arguments *arguments = opaque;
    if (arguments->list_operations)
        return list_operations(arguments->edit.json, err);
    _cleanup_sysprep_selection_ struct sysprep_selection selection = {0};
    _cleanup_(settings_release) struct sysprep_settings settings = {0};
    struct edit_request request = {
        .mount_options = arguments->mount_options,
        .seal = arguments->seal,
        .work = {.sysprep = &selection, .sysprep_settings = &settings},
    };
    int r = choose_operations(&arguments->selection, &selection, err);
    if (r == 0)
        r = fill_settings(arguments, cli, &settings, err);
    if (r == 0)
        r = check_selection(&selection, &settings, err);
    return r < 0 ? r : cli_edit(cli, &arguments->edit, &request, err);
}

const struct cli_command sysprep_command = {
    .name = "sysprep",
    .summary = "make an image ready to be cloned",
    .operands = "[DISK]",
    .description = "Removes from a disk image what must differ between machines, and what must not "
                   "be passed on: host keys, machine id, logs, caches, mail. The guest "
                   "generates what it needs when it first boots.",
    .example = "kiln sysprep --seal debian-12.img",
    .options = sysprep_options,
    .customizes = true,
    .min_operands = 0,
    .max_operands = 1,
    .arguments_size = sizeof(struct sysprep_arguments),
    .defaults = &sysprep_defaults,
    .run = sysprep_run_command,
};
