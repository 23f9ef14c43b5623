/* --commands-from-file FILE */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "customize/command_file.h"
#include "customize/ops/operations.h"

/* Only as much of a foreign word as can be a name: the rest may be a password. */
static int name_length(const char *name)
{
    return (int)strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
}

static int find_operation(const struct command *command, const struct customize_operation **ret,
                          struct error **err)
{
    const struct customize_operation *operation = customize_operation_find(command->name);
    if (operation && operation->expand)
        return error_set(err, EINVAL, "%s cannot be used within such a file", command->name);
    if (operation) {
        *ret = operation;
        return 0;
    }
    error_set(err, EINVAL, "there is no operation '%.*s'", name_length(command->name),
              command->name);
    if (*command->name == '-')
        return error_hint(err, "leave out the dashes in front");
    return error_hint(err, "a line is the name of an operation, a space and its argument, as in: "
                           "write /etc/motd:Welcome");
}

static int add_command(struct customize_plan *plan, const struct command *command,
                       struct error **err)
{
    const struct customize_operation *operation = NULL;
    int r = find_operation(command, &operation, err);
    if (r < 0)
        return r;
    const char *argument = command->argument;
    if (!operation->metavar && argument) {
        if (argument[strspn(argument, " \t\n")])
            return error_set(err, EINVAL, "%s takes no argument", operation->name);
        argument = NULL;
    }
    return customize_plan_add(plan, operation, argument, err);
}

static int commands_expand(struct customize_plan *plan, const char *argument, struct error **err)
{
    bool is_stdin = strcmp(argument, "-") == 0;
    const char *name = is_stdin ? "standard input" : argument;
    _cleanup_close_ int opened = is_stdin ? -1 : file_open(argument, O_RDONLY, 0, err);
    if (!is_stdin && opened < 0)
        return error_wrap(err, "--commands-from-file");
    _cleanup_command_file_ struct command_file *file = NULL;
    int r = command_file_new(is_stdin ? STDIN_FILENO : opened, name, &file, err);
    while (r == 0) {
        struct command command;
        r = command_file_next(file, &command, err);
        if (r <= 0)
            return r < 0 ? error_wrap(err, "--commands-from-file") : 0;
        r = add_command(plan, &command, err);
        if (r < 0)
            return error_wrap(err, "%s:%zu", name, command.line);
    }
    return r;
}

const struct customize_operation commands_from_file_operation = {
    .name = "commands-from-file",
    .metavar = "FILE",
    .help = "run the operations in the lines of a file, in this place",
    .manual =
        "Read operations from FILE, one a line, and do them in this place. A line is the name of "
        "an option of this list without its dashes, a space and the argument: 'write "
        "/etc/motd:Welcome'. No shell is involved, so nothing needs quotes. White space in front, "
        "empty lines and lines that begin with # are skipped. A backslash at the end of a line "
        "continues it in the next; the newline stays part of the argument. FILE may be - for "
        "standard input. Such a file cannot name another one.",
    .example = "--commands-from-file web.commands",
    .expand = commands_expand,
};
