#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/similar.h"
#include "cli/options.h"
#include "cli/process.h"
#include "cli/terminal.h"
#include "plugins/load.h"

enum { exit_done = 0, exit_failed = 1, exit_usage = 2 };

static const struct cli_command *find_command(const char *name)
{
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}

static void unknown_command(const char *name)
{
    struct similar similar = similar_to(name);
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        similar_offer(&similar, "", (*command)->name);
    _cleanup_free_ char *likely = similar_take(&similar, NULL), *shown = str_printable(name);
    fprintf(stderr, "kiln: '%s' is not a command\n", shown ? shown : "?");
    if (!str_empty(likely))
        fprintf(stderr, "      did you mean %s?\n", likely);
    fputs("      'kiln --help' lists them\n", stderr);
}

static int print(char *text)
{
    _cleanup_free_ char *owned = text;
    if (!owned || fputs(owned, stdout) == EOF)
        return exit_failed;
    return exit_done;
}

static int finish(struct terminal *terminal, const struct cli_command *command, int r,
                  const struct error *error)
{
    if (r >= 0)
        return r;
    terminal_error(terminal, error);
    if (error_kind(error) != ERROR_USAGE)
        return exit_failed;
    fprintf(stderr, "      'kiln %s --help' shows the usage\n", command->name);
    return exit_usage;
}

static int run_command(const struct cli_command *command, int argc, char **argv,
                       struct terminal *terminal)
{
    _cleanup_error_ struct error *err = NULL;
    struct cli cli = {.reporter = terminal_reporter(terminal), .load_plugin = plugin_load_nth};
    _cleanup_free_ void *arguments = calloc(1, command->arguments_size + 1);
    if (!arguments)
        return finish(terminal, command, error_oom(&err), err);
    int r = cli_parse(command, argc, argv, &cli, arguments, &err);
    if (r == 0 && cli.help) {
        r = print(cli_command_help(command, terminal_columns()));
    } else if (r == 0 && cli.version) {
        r = puts("kiln " KILN_VERSION) < 0;
    } else if (r == 0) {
        terminal_set_levels(terminal, cli.quiet, cli.verbose);
        r = command->run(&cli, arguments, &err);
    }
    cli_release(command, &cli, arguments);
    return finish(terminal, command, r, err);
}

static int run(int argc, char **argv, struct terminal *terminal)
{
    if (argc < 2) {
        _cleanup_free_ char *overview = cli_overview(80);
        fputs(overview ? overview : "", stderr);
        return exit_usage;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return puts("kiln " KILN_VERSION) < 0;
    bool help = strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (help && argc == 2)
        return print(cli_overview(terminal_columns()));
    if (help)
        name = argv[2];
    const struct cli_command *command = find_command(name);
    if (!command) {
        unknown_command(name);
        return exit_usage;
    }
    if (help)
        return print(cli_command_help(command, terminal_columns()));
    return run_command(command, argc - 1, argv + 1, terminal);
}

int main(int argc, char **argv)
{
    process_secure_descriptors();
    process_set_limits();
    struct terminal *terminal = terminal_new();
    if (!terminal) {
        fputs("kiln: out of memory\n", stderr);
        return exit_failed;
    }
    int status = run(argc, argv, terminal);
    terminal_free(terminal);
    /* A result that did not reach a full disk or a closed pipe must not count as success. */
    if (fflush(stdout) == EOF || ferror(stdout)) {
        fprintf(stderr, "kiln: standard output: %s\n", strerror(errno));
        return status ? status : exit_failed;
    }
    return status;
}
