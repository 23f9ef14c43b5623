/* --help, made from the option tables. */

#include <stdio.h>
#include <string.h>

#include "cli/options.h"

static const size_t help_column = 30;

/* Appends text, broken at spaces so that no line passes `columns`; later lines are indented. The
 * cursor stands at `at`. */
static void append_wrapped(struct str *out, const char *text, size_t at, size_t indent,
                           unsigned columns)
{
    while (*text) {
        size_t word = strcspn(text, " \n");
        if (at > indent && at + 1 + word > columns) {
            str_appendf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (at > indent) {
            str_append(out, " ");
            at++;
        }
        str_append_n(out, text, word);
        at += word;
        text += word;
        if (*text == '\n') {
            str_appendf(out, "\n%*s", (int)indent, "");
            at = indent;
        }
        if (*text)
            text++;
    }
    str_append(out, "\n");
}

static void append_option(struct str *out, char letter, const char *name, const char *metavar,
                          const char *help, const char *fallback, unsigned columns)
{
    char left[96];
    char text[512];
    char dash[4] = "";
    if (letter)
        snprintf(dash, sizeof(dash), "-%c,", letter);
    snprintf(left, sizeof(left), "  %-3s --%s%s%s", dash, name, metavar ? " " : "",
             metavar ? metavar : "");
    snprintf(text, sizeof(text), fallback ? "%s (default: %s)" : "%s", help, fallback);
    size_t length = strlen(left);
    str_append(out, left);
    if (length + 2 > help_column)
        str_appendf(out, "\n%*s", (int)help_column, "");
    else
        str_appendf(out, "%*s", (int)(help_column - length), "");
    append_wrapped(out, text, help_column, help_column, columns);
}

static void append_options(struct str *out, const struct cli_option *options, unsigned columns)
{
    for (; options && options->name; options++)
        if (options->help)
            append_option(out, options->letter, options->name, options->metavar, options->help,
                          options->fallback, columns);
}

static void append_operations(struct str *out, unsigned columns)
{
    for (size_t i = 0; i < customize_operation_count; i++) {
        const struct customize_operation *operation = customize_operations[i];
        append_option(out, 0, operation->name, operation->metavar, operation->help, NULL, columns);
        str_appendf(out, "%*se.g.", (int)help_column, "");
        append_wrapped(out, operation->example, help_column + 4, help_column, columns);
    }
}

char *cli_command_help(const struct cli_command *command, unsigned columns)
{
    _cleanup_str_ struct str out = {0};
    str_appendf(&out, "Usage: kiln %s [OPTION...]%s%s\n\n", command->name,
                *command->operands ? " " : "", command->operands);
    append_wrapped(&out, command->description, 0, 0, columns);
    if (command->options && command->options->name) {
        str_append(&out, "\nOptions:\n");
        append_options(&out, command->options, columns);
    }
    if (command->customizes) {
        str_append(&out, "\nChanges to the guest, done in the order given, passwords last:\n");
        append_operations(&out, columns);
    }
    str_append(&out, "\nCommon options:\n");
    append_options(&out, cli_common_options, columns);
    str_appendf(&out, "\nExample:\n  %s\n\nManual: kiln-%s(1)\n", command->example, command->name);
    return str_take(&out, NULL);
}

static const struct {
    const char *title;
    const char *commands[8];
} groups[] = {
    {"Find images", {"list", "notes", "cache"}},
    {"Make images", {"build", "customize", "sysprep", "inspect"}},
    {"Prove images", {"seed", "boot"}},
    {"This machine", {"doctor"}},
};

char *cli_overview(unsigned columns)
{
    _cleanup_str_ struct str out = {0};
    str_append(&out, "Usage: kiln COMMAND [OPTION...]\n\n");
    append_wrapped(&out,
                   "Builds images of virtual machines, customizes them, proves that they boot.", 0,
                   0, columns);
    for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
        str_appendf(&out, "\n%s:\n", groups[g].title);
        for (const char *const *name = groups[g].commands; *name; name++)
            for (const struct cli_command *const *c = cli_commands; *c; c++)
                if (strcmp((*c)->name, *name) == 0)
                    str_appendf(&out, "  %-9s %s\n", *name, (*c)->summary);
    }
    str_append(&out, "\nkiln COMMAND --help shows the options, kiln --version the version.\n"
                     "First steps: kiln list; kiln build debian-12; kiln boot debian-12.img\n");
    return str_take(&out, NULL);
}
