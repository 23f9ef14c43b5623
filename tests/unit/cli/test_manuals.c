/*
 * The manuals in docs/ and the option tables tell the same: every option is documented as the table
 * has it, and every documented option exists. Runs in the top directory of the source.
 */

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/fdio.h"
#include "cli/options.h"
#include "tests/unit/unit.h"

static char *read_manual(const char *path)
{
    char *text = NULL;
    struct error *err = NULL;
    if (file_read(path, 1 << 20, &text, NULL, &err) < 0)
        fail_msg("%s (a command without its manual, or not run in the source's top directory)",
                 error_message(err));
    return text;
}

static char *command_manual(const struct cli_command *command)
{
    char path[128];
    snprintf(path, sizeof(path), "docs/kiln-%s.1.scd", command->name);
    return read_manual(path);
}

/* A copy of what stands under "# TITLE", up to the next title. Fails where that is missing. */
static char *section(const char *manual, const char *title)
{
    char heading[64];
    snprintf(heading, sizeof(heading), "\n# %s\n", title);
    const char *start = strstr(manual, heading);
    if (!start)
        fail_msg("%.*s has no section %s", (int)strcspn(manual, "\n"), manual, title);
    start += strlen(heading) - 1; /* keeps the newline: every line then begins behind one */
    const char *end = strstr(start, "\n# ");
    return end ? strndup(start, (size_t)(end + 1 - start)) : strdup(start);
}

/* "*-o*, *--output* _FILE_", as the table's row would have it documented. */
static char *option_line(const struct cli_option *option)
{
    _cleanup_str_ struct str line = {0};
    str_append(&line, "\n");
    if (option->letter)
        str_appendf(&line, "*-%c*, ", option->letter);
    str_appendf(&line, "*--%s*", option->name);
    if (option->metavar) {
        str_append(&line, " _");
        for (const char *c = option->metavar; *c; c++)
            str_appendf(&line, "%s%c", strchr("_*\\~", *c) ? "\\" : "", *c);
        str_append(&line, "_");
    }
    str_append(&line, "\n");
    return str_take(&line, NULL);
}

/* The indented paragraphs below a line. */
static char *paragraphs_below(const char *line)
{
    const char *start = strchr(line + 1, '\n') + 1, *end = start;
    while (*end == '\t' || *end == '\n')
        end += strcspn(end, "\n") + 1;
    return strndup(start, (size_t)(end - start));
}

/* A default of one word stands in the text; longer ones are put in other words there. */
static void check_default(const struct cli_option *option, const char *text, const char *what)
{
    if (option->fallback && !strpbrk(option->fallback, " '") && !strstr(text, option->fallback))
        fail_msg("%s: the text of --%s does not tell its default, %s", what, option->name,
                 option->fallback);
}

static size_t check_rows(const struct cli_option *options, const char *text, const char *what)
{
    size_t count = 0;
    for (; options && options->name; options++) {
        if (!options->help)
            continue; /* another spelling of the row before it */
        count++;
        _cleanup_free_ char *line = option_line(options);
        const char *found = strstr(text, line);
        if (!found)
            fail_msg("%s lacks the line %.*s", what, (int)strlen(line) - 2, line + 1);
        _cleanup_free_ char *below = paragraphs_below(found);
        if (strlen(below) < 10)
            fail_msg("%s: --%s has no text", what, options->name);
        check_default(options, below, what);
    }
    return count;
}

static size_t documented_options(const char *text)
{
    size_t count = 0;
    for (const char *line = text; (line = strstr(line, "\n*-")); line++)
        count++;
    return count;
}

/* The rows are all there; equal numbers then mean that nothing else is. */
static void compare(const struct cli_option *options, const char *manual, const char *title,
                    const char *what)
{
    _cleanup_free_ char *text = section(manual, title);
    size_t rows = check_rows(options, text, what), lines = documented_options(text);
    if (rows != lines)
        fail_msg("%s documents %zu options, of which the table has %zu", what, lines, rows);
}

static void every_option_is_documented_and_no_other(void **state)
{
    (void)state;
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        char what[64];
        snprintf(what, sizeof(what), "kiln-%s(1)", (*command)->name);
        _cleanup_free_ char *manual = command_manual(*command);
        compare((*command)->options, manual, "OPTIONS", what);
    }
}

static void common_options_are_in_the_overview(void **state)
{
    (void)state;
    _cleanup_free_ char *manual = read_manual("docs/kiln.1.scd");
    compare(cli_common_options, manual, "COMMON OPTIONS", "kiln(1)");
}

static void expect_text(const char *text, const char *part, const char *command)
{
    if (!strstr(text, part))
        fail_msg("kiln-%s(1): '%s' is missing in: %s", command, part, text);
}

static void name_and_synopsis_agree_with_the_command(void **state)
{
    (void)state;
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        const char *name = (*command)->name;
        char part[64];
        _cleanup_free_ char *manual = command_manual(*command);
        _cleanup_free_ char *title = section(manual, "NAME");
        _cleanup_free_ char *synopsis = section(manual, "SYNOPSIS");
        snprintf(part, sizeof(part), "kiln-%s(1)\n", name);
        assert_true(str_starts(manual, part));
        snprintf(part, sizeof(part), "\nkiln-%s - ", name);
        expect_text(title, part, name);
        snprintf(part, sizeof(part), "*kiln %s*", name);
        expect_text(synopsis, part, name);
        for (const char *word = (*command)->operands; *word;) {
            size_t length = strcspn(word, " []|.");
            snprintf(part, sizeof(part), "%.*s", (int)length, word);
            expect_text(synopsis, part, name);
            word += length + strspn(word + length, " []|.");
        }
    }
}

static void the_overview_lists_the_commands(void **state)
{
    (void)state;
    _cleanup_free_ char *manual = read_manual("docs/kiln.1.scd");
    _cleanup_free_ char *commands = section(manual, "COMMANDS");
    size_t count = 0;
    for (const struct cli_command *const *command = cli_commands; *command; command++, count++) {
        char part[64];
        snprintf(part, sizeof(part), "\n*kiln-%s*(1)\n", (*command)->name);
        expect_text(commands, part, (*command)->name);
    }
    for (const char *line = commands; (line = strstr(line, "\n*kiln-")); line++)
        count--;
    assert_int_equal(count, 0);
}

static void every_manual_has_its_command(void **state)
{
    (void)state;
    glob_t found;
    size_t commands = 0;
    while (cli_commands[commands])
        commands++;
    assert_int_equal(glob("docs/kiln-*.1.scd", 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, commands);
    globfree(&found);
}

/* docs/operations.c writes this section; the rows must be fit for it. */
static void operations_document_themselves(void **state)
{
    (void)state;
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        _cleanup_free_ char *manual = command_manual(*command);
        assert_true((*command)->customizes == !!strstr(manual, "\n%operations%\n"));
    }
    for (size_t i = 0; i < customize_operation_count; i++) {
        const struct customize_operation *operation = customize_operations[i];
        char start[64];
        snprintf(start, sizeof(start), "--%s%s", operation->name, operation->metavar ? " " : "");
        if (!operation->example || !str_starts(operation->example, start))
            fail_msg("the example of --%s does not begin with it", operation->name);
        if (!operation->manual || !str_ends(operation->manual, "."))
            fail_msg("the manual of --%s is no sentence", operation->name);
        assert_true(!str_empty(operation->help));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_documented_and_no_other),
        cmocka_unit_test(common_options_are_in_the_overview),
        cmocka_unit_test(name_and_synopsis_agree_with_the_command),
        cmocka_unit_test(the_overview_lists_the_commands),
        cmocka_unit_test(every_manual_has_its_command),
        cmocka_unit_test(operations_document_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
