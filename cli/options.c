#include "cli/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/similar.h"

const struct cli_option cli_common_options[] = {
    {"quiet", 'q', OPTION_FLAG, offsetof(struct cli, quiet), NULL,
     "print nothing but results, warnings and errors", NULL},
    {"verbose", 'v', OPTION_FLAG, offsetof(struct cli, verbose), NULL,
     "print why each choice was made", NULL},
    {"help", 'h', OPTION_FLAG, offsetof(struct cli, help), NULL, "show this help", NULL},
    {"version", 'V', OPTION_FLAG, offsetof(struct cli, version), NULL, "show the version", NULL},
    CLI_OPTIONS_END,
};

int cli_usage(struct error **err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text;
    int length = vasprintf(&text, fmt, args);
    va_end(args);
    if (length < 0)
        return error_oom(err);
    error_set(err, EINVAL, "%s", text);
    free(text);
    return error_set_kind(err, ERROR_USAGE);
}

int cli_usage_because(struct error **err, struct error *cause)
{
    int r = cli_usage(err, "%s", error_message(cause));
    if (error_remedy(cause))
        error_hint(err, "%s", error_remedy(cause));
    error_free(cause);
    return r;
}

/* Tags for getopt_long(): where the row of an option lies. */
enum { tag_own = 1000, tag_common = 2000, tag_operation = 3000, tag_limit = 4000 };

enum { letter_end = 128 };

struct getopt_tables {
    struct option *longs; /* with an empty row behind the last */
    size_t count;
    char shorts[1 + 2 * letter_end + 1]; /* ":", each letter with or without ":", NUL */
    int short_tags[letter_end];
};

static void tables_free(struct getopt_tables *tables)
{
    free(tables->longs);
}
#define _cleanup_tables_ _cleanup_(tables_free)

static void add_long(struct getopt_tables *tables, const char *name, const char *metavar, int tag)
{
    tables->longs[tables->count++] =
        (struct option){name, metavar ? required_argument : no_argument, NULL, tag};
}

static void add_option(struct getopt_tables *tables, const struct cli_option *option, int tag)
{
    add_long(tables, option->name, option->metavar, tag);
    if (!option->letter)
        return;
    size_t length = strlen(tables->shorts);
    assert((unsigned char)option->letter < letter_end);
    snprintf(tables->shorts + length, sizeof(tables->shorts) - length, "%c%s", option->letter,
             option->metavar ? ":" : "");
    tables->short_tags[(unsigned char)option->letter] = tag;
}

static size_t count_options(const struct cli_option *options)
{
    size_t count = 0;
    while (options && options[count].name)
        count++;
    return count;
}

static int build_tables(const struct cli_command *command, struct getopt_tables *tables,
                        struct error **err)
{
    size_t own = count_options(command->options), common = count_options(cli_common_options),
           operations = command->customizes ? customize_operation_count : 0;
    /* The ranges of tags do not overlap. */
    assert(own <= tag_common - tag_own && common <= tag_operation - tag_common &&
           operations <= tag_limit - tag_operation);
    *tables = (struct getopt_tables){.shorts = ":"};
    tables->longs = calloc(own + common + operations + 1, sizeof(*tables->longs));
    if (!tables->longs)
        return error_oom(err);
    for (size_t i = 0; i < own; i++)
        add_option(tables, &command->options[i], tag_own + (int)i);
    for (size_t i = 0; i < common; i++)
        add_option(tables, &cli_common_options[i], tag_common + (int)i);
    for (size_t i = 0; i < operations; i++)
        add_long(tables, customize_operations[i]->name, customize_operations[i]->metavar,
                 tag_operation + (int)i);
    return 0;
}

static int store(const struct cli_option *option, void *target, const char *value,
                 struct error **err)
{
    char *slot = (char *)target + option->offset;
    char what[64];
    struct error *cause = NULL;
    int r = 0;
    snprintf(what, sizeof(what), "--%s", option->name);
    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)slot = true;
        break;
    case OPTION_CLEAR:
        *(bool *)slot = false;
        break;
    case OPTION_STRING:
        *(const char **)slot = value;
        break;
    case OPTION_LIST:
        return strv_add((struct strv *)slot, value, err);
    case OPTION_SEQUENCE:
        return strv_addf((struct strv *)slot, err, "%s=%s", option->name, value);
    case OPTION_VERBOSE:
    case OPTION_FOREIGN:
        break;
    case OPTION_REFUSED:
        cli_usage(err, "--%s is an option of virt-builder that kiln does not have", option->name);
        return error_hint(err, "%s", option->fallback);
    case OPTION_NUMBER:
        r = parse_u64(value, what, (uint64_t *)slot, &cause);
        break;
    case OPTION_SIZE:
        r = parse_size(value, what, (uint64_t *)slot, &cause);
        break;
    case OPTION_MEMORY:
        r = parse_memory(value, what, (uint64_t *)slot, &cause);
        break;
    case OPTION_DURATION:
        r = parse_duration(value, what, (uint64_t *)slot, &cause);
        break;
    }
    return r < 0 ? cli_usage_because(err, cause) : 0;
}

/* How many options begin like that; *ret_names gets them. */
static size_t abbreviated(const struct getopt_tables *tables, const char *name, size_t length,
                          struct str *ret_names)
{
    size_t count = 0;
    for (size_t i = 0; i < tables->count; i++)
        if (strncmp(tables->longs[i].name, name, length) == 0)
            str_appendf(ret_names, "%s--%s", count++ ? ", " : "", tables->longs[i].name);
    return count;
}

/* For a word "--NAME" or "--NAME=ARGUMENT" that getopt_long() refused. */
static int unknown_long(const struct getopt_tables *tables, const char *word, struct error **err)
{
    _cleanup_free_ char *name = strndup(word + 2, strcspn(word + 2, "="));
    _cleanup_str_ struct str begun = {0};
    if (!name)
        return error_oom(err);
    size_t count = abbreviated(tables, name, strlen(name), &begun);
    _cleanup_free_ char *candidates = str_take(&begun, NULL);
    if (count == 1)
        return cli_usage(err, "%s takes no argument", candidates);
    if (count > 1) {
        cli_usage(err, "--%s is ambiguous", name);
        return error_hint(err, "it may be %s", candidates);
    }
    struct similar similar = similar_to(name);
    for (size_t i = 0; i < tables->count; i++)
        similar_offer(&similar, "--", tables->longs[i].name);
    _cleanup_free_ char *likely = similar_take(&similar, NULL);
    cli_usage(err, "--%s is not an option", name);
    return str_empty(likely) ? -EINVAL : error_hint(err, "did you mean %s?", likely);
}

static int complain(const struct getopt_tables *tables, int code, char **argv, struct error **err)
{
    /* getopt_long() leaves the faulty word behind optind, or the letter in optopt. */
    const char *word = optind > 0 ? argv[optind - 1] : argv[0];
    bool is_long = str_starts(word, "--");
    if (code == ':' && is_long)
        return cli_usage(err, "%s needs an argument", word);
    if (code == ':')
        return cli_usage(err, "-%c needs an argument", optopt);
    return is_long ? unknown_long(tables, word, err)
                   : cli_usage(err, "-%c is not an option", optopt);
}

static int take_operation(struct cli *cli, size_t index, const char *value, struct error **err)
{
    const struct customize_operation *operation = customize_operations[index];
    struct error *cause = NULL;
    int r = customize_plan_add(&cli->plan, operation, value, &cause);
    if (r == 0)
        return 0;
    /* A malformed argument is wrong usage; an unreadable host file is a failure. */
    if (r != -EINVAL)
        return error_move(err, cause);
    return cli_usage_because(err, cause);
}

static int take_option(const struct cli_command *command, int tag, struct cli *cli, void *arguments,
                       struct error **err)
{
    if (tag >= tag_operation)
        return take_operation(cli, (size_t)(tag - tag_operation), optarg, err);
    if (tag < tag_common) {
        const struct cli_option *own = &command->options[tag - tag_own];
        cli->verbose = cli->verbose || own->kind == OPTION_VERBOSE;
        return store(own, arguments, optarg, err);
    }
    return store(&cli_common_options[tag - tag_common], cli, optarg, err);
}

int cli_parse(const struct cli_command *command, int argc, char **argv, struct cli *cli,
              void *arguments, struct error **err)
{
    _cleanup_tables_ struct getopt_tables tables;
    int r = build_tables(command, &tables, err);
    if (r < 0)
        return r;
    if (command->defaults)
        memcpy(arguments, command->defaults, command->arguments_size);
    cli->command = command;
    optind = 0;
    opterr = 0;
    int tag;
    while ((tag = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
        if (tag == '?' || tag == ':')
            return complain(&tables, tag, argv, err);
        if (tag < letter_end)
            tag = tables.short_tags[tag];
        r = take_option(command, tag, cli, arguments, err);
        if (r < 0)
            return r;
    }
    if (cli->help || cli->version)
        return 0;
    cli->operands = argv + optind;
    cli->operand_count = (size_t)(argc - optind);
    if (cli->operand_count < command->min_operands)
        return cli_usage(err, "%s is missing", command->operands);
    if (cli->operand_count <= command->max_operands)
        return 0;
    cli_usage(err, "'%s' is one argument too many", cli->operands[command->max_operands]);
    return command->operand_hint ? error_hint(err, "%s", command->operand_hint) : -EINVAL;
}

void cli_release(const struct cli_command *command, struct cli *cli, void *arguments)
{
    for (const struct cli_option *option = command->options; option && option->name; option++)
        if (option->kind == OPTION_LIST || option->kind == OPTION_SEQUENCE)
            strv_free((struct strv *)((char *)arguments + option->offset));
    customize_plan_free(&cli->plan);
}
