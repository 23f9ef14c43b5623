/* The option parser: every kind of row, and what it says about mistakes. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/options.h"
#include "tests/unit/unit.h"

/* help.c and the manuals' test want the program's array; this program has one command. */
static const struct cli_command sample_command;
const struct cli_command *const cli_commands[] = {&sample_command, NULL};

struct sample {
    bool flag;
    bool kept;
    const char *text;
    struct strv list;
    uint64_t number;
    uint64_t size;
    uint64_t time;
    struct strv sequence;
    bool trace;
};

static const struct cli_option sample_options[] = {
    {"flag", 'f', OPTION_FLAG, offsetof(struct sample, flag), NULL, "a flag", NULL},
    {"no-keep", 0, OPTION_CLEAR, offsetof(struct sample, kept), NULL, "clears", NULL},
    {"text", 't', OPTION_STRING, offsetof(struct sample, text), "TEXT", "a text", "none"},
    {"list", 0, OPTION_LIST, offsetof(struct sample, list), "ITEM", "several", NULL},
    {"number", 0, OPTION_NUMBER, offsetof(struct sample, number), "N", "a number", NULL},
    {"size", 0, OPTION_SIZE, offsetof(struct sample, size), "SIZE", "a size", NULL},
    {"time", 0, OPTION_DURATION, offsetof(struct sample, time), "TIME",
     "a time, told at such length that the help has to be broken into several lines of text", "1s"},
    {"first", 'a', OPTION_SEQUENCE, offsetof(struct sample, sequence), "X", "in order", NULL},
    {"second", 0, OPTION_SEQUENCE, offsetof(struct sample, sequence), "Y", "in order", NULL},
    {"othername", 0, OPTION_FLAG, offsetof(struct sample, flag), NULL, NULL, NULL},
    {"trace", 'x', OPTION_VERBOSE, offsetof(struct sample, trace), NULL, "as verbose", NULL},
    CLI_OPTIONS_END,
};

static const struct sample sample_defaults = {.kept = true, .time = 1000};

static const struct cli_command sample_command = {
    .name = "sample",
    .summary = "a sample",
    .operands = "FILE",
    .description = "Does nothing.",
    .example = "kiln sample x",
    .options = sample_options,
    .min_operands = 1,
    .max_operands = 2,
    .arguments_size = sizeof(struct sample),
    .defaults = &sample_defaults,
};

struct outcome {
    struct cli cli;
    struct sample sample;
    struct error *err;
    int r;
};

static struct outcome parse(char **argv)
{
    struct outcome outcome = {0};
    int argc = 0;
    while (argv[argc])
        argc++;
    outcome.r = cli_parse(&sample_command, argc, argv, &outcome.cli, &outcome.sample, &outcome.err);
    return outcome;
}

static void discard(struct outcome *outcome)
{
    cli_release(&sample_command, &outcome->cli, &outcome->sample);
    error_free(outcome->err);
}

#define PARSE(...) parse((char *[]){(char *)"sample", __VA_ARGS__, NULL})

static void every_kind_reaches_its_target(void **state)
{
    (void)state;
    struct outcome o =
        PARSE((char *)"-f", (char *)"--no-keep", (char *)"--text=a b", (char *)"--list",
              (char *)"one", (char *)"--list=two", (char *)"--number", (char *)"42",
              (char *)"--size", (char *)"10G", (char *)"file", (char *)"-q");
    assert_int_equal(o.r, 0);
    assert_true(o.sample.flag);
    assert_false(o.sample.kept);
    assert_string_equal(o.sample.text, "a b");
    assert_int_equal(o.sample.list.count, 2);
    assert_string_equal(o.sample.list.items[1], "two");
    assert_true(o.sample.number == 42);
    assert_true(o.sample.size == 10ull << 30);
    assert_true(o.sample.time == 1000);
    assert_true(o.cli.quiet);
    assert_int_equal(o.cli.operand_count, 1);
    assert_string_equal(o.cli.operands[0], "file");
    discard(&o);
}

static void rows_that_share_a_sequence_keep_their_order(void **state)
{
    (void)state;
    struct outcome o = PARSE((char *)"-a", (char *)"1", (char *)"--second", (char *)"2=3",
                             (char *)"--first=4", (char *)"file", (char *)"-x");
    assert_int_equal(o.r, 0);
    assert_int_equal(o.sample.sequence.count, 3);
    assert_string_equal(o.sample.sequence.items[0], "first=1");
    assert_string_equal(o.sample.sequence.items[1], "second=2=3");
    assert_string_equal(o.sample.sequence.items[2], "first=4");
    assert_true(o.cli.verbose);
    discard(&o);
}

static void another_spelling_is_taken_but_not_shown(void **state)
{
    (void)state;
    struct outcome o = PARSE((char *)"--othername", (char *)"file");
    assert_int_equal(o.r, 0);
    assert_true(o.sample.flag);
    discard(&o);
    _cleanup_free_ char *help = cli_command_help(&sample_command, 80);
    assert_null(strstr(help, "othername"));
}

static void words_behind_two_dashes_are_operands(void **state)
{
    (void)state;
    struct outcome o = PARSE((char *)"--", (char *)"--flag");
    assert_int_equal(o.r, 0);
    assert_false(o.sample.flag);
    assert_string_equal(o.cli.operands[0], "--flag");
    discard(&o);
}

static void help_needs_no_operands(void **state)
{
    (void)state;
    struct outcome o = PARSE((char *)"--help");
    assert_int_equal(o.r, 0);
    assert_true(o.cli.help);
    discard(&o);
}

static void assert_usage(struct outcome o, const char *part)
{
    assert_int_equal(o.r, -EINVAL);
    assert_int_equal(error_kind(o.err), ERROR_USAGE);
    if (!strstr(error_message(o.err), part))
        fail_msg("'%s' does not mention '%s'", error_message(o.err), part);
    discard(&o);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    assert_usage(PARSE((char *)"--bogus", (char *)"x"), "--bogus");
    assert_usage(PARSE((char *)"-z", (char *)"x"), "-z");
    assert_usage(PARSE((char *)"x", (char *)"--text"), "--text");
    assert_usage(PARSE((char *)"x", (char *)"-t"), "-t");
    assert_usage(PARSE((char *)"--flag=1", (char *)"x"), "--flag");
    assert_usage(PARSE((char *)"--size", (char *)"10X", (char *)"x"), "10X");
    assert_usage(PARSE((char *)"--number=-1", (char *)"x"), "--number");
    assert_usage(PARSE((char *)"-f"), "FILE");
    assert_usage(PARSE((char *)"a", (char *)"b", (char *)"c"), "'c'");
}

/* More rows than any command has today. */
static void no_table_is_too_long(void **state)
{
    (void)state;
    enum { rows = 900 };
    static char names[rows][16];
    static struct cli_option options[rows + 1];
    for (size_t i = 0; i < rows; i++) {
        snprintf(names[i], sizeof(names[i]), "option%zu", i);
        options[i] = (struct cli_option){.name = names[i],
                                         .letter = i < 26 ? (char)('A' + i) : '\0',
                                         .kind = OPTION_STRING,
                                         .offset = offsetof(struct sample, text),
                                         .metavar = "TEXT"};
    }
    options[rows] = (struct cli_option){0};
    const struct cli_command command = {
        .name = "long", .options = options, .arguments_size = sizeof(struct sample)};
    char *argv[] = {(char *)"long", (char *)"-Z", (char *)"early", (char *)"--option899=late",
                    NULL};
    struct outcome o = {0};
    o.r = cli_parse(&command, 4, argv, &o.cli, &o.sample, &o.err);
    assert_int_equal(o.r, 0);
    assert_string_equal(o.sample.text, "late");
    discard(&o);
}

static void help_shows_each_row_within_the_columns(void **state)
{
    (void)state;
    _cleanup_free_ char *help = cli_command_help(&sample_command, 80);
    for (const struct cli_option *option = sample_options; option->name; option++)
        assert_true(!option->help || strstr(help, option->name));
    assert_non_null(strstr(help, "(default: none)"));
    assert_non_null(strstr(help, "--version"));
    for (const char *line = help; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_reaches_its_target),
        cmocka_unit_test(rows_that_share_a_sequence_keep_their_order),
        cmocka_unit_test(another_spelling_is_taken_but_not_shown),
        cmocka_unit_test(words_behind_two_dashes_are_operands),
        cmocka_unit_test(help_needs_no_operands),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(no_table_is_too_long),
        cmocka_unit_test(help_shows_each_row_within_the_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
