#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* No library function uses this code, so it marks wrong usage among all errors. */
enum { usage_errno = EUSERS };

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
    error_set(err, usage_errno, "%s", text);
    free(text);
    return -usage_errno;
}

bool cli_is_usage(const struct error *error)
{
    return error_errno(error) == usage_errno;
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

struct getopt_tables {
    struct option longs[192];
    char shorts[128];
    int short_tags[128];
};

static void add_option(struct getopt_tables *tables, size_t *count, const struct cli_option *option,
                       int tag)
{
    int has_argument = option->metavar ? required_argument : no_argument;
    tables->longs[(*count)++] = (struct option){option->name, has_argument, NULL, tag};
    if (!option->letter)
        return;
    size_t length = strlen(tables->shorts);
    snprintf(tables->shorts + length, sizeof(tables->shorts) - length, "%c%s", option->letter,
             has_argument ? ":" : "");
    tables->short_tags[(unsigned char)option->letter] = tag;
}

static void build_tables(const struct cli_command *command, struct getopt_tables *tables)
{
    size_t count = 0;
    *tables = (struct getopt_tables){.shorts = ":"};
    for (int i = 0; command->options && command->options[i].name; i++)
        add_option(tables, &count, &command->options[i], tag_own + i);
    for (int i = 0; cli_common_options[i].name; i++)
        add_option(tables, &count, &cli_common_options[i], tag_common + i);
    for (size_t i = 0; command->customizes && i < customize_operation_count; i++) {
        const struct customize_operation *operation = customize_operations[i];
        tables->longs[count++] =
            (struct option){operation->name, operation->metavar ? required_argument : no_argument,
                            NULL, tag_operation + (int)i};
    }
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
    case OPTION_DURATION:
        r = parse_duration(value, what, (uint64_t *)slot, &cause);
        break;
    }
    return r < 0 ? cli_usage_because(err, cause) : 0;
}

static int complain(int code, char **argv, struct error **err)
{
    /* getopt_long() leaves the faulty word behind optind, or the letter in optopt. */
    const char *word = optind > 0 ? argv[optind - 1] : argv[0];
    bool is_long = str_starts(word, "--");
    if (code == ':' && is_long)
        return cli_usage(err, "%s needs an argument", word);
    if (code == ':')
        return cli_usage(err, "-%c needs an argument", optopt);
    if (is_long && strchr(word, '='))
        return cli_usage(err, "%.*s is not an option, or takes no argument",
                         (int)strcspn(word, "="), word);
    if (is_long)
        return cli_usage(err, "%s is not an option, or is short for several", word);
    return cli_usage(err, "-%c is not an option", optopt);
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
    struct getopt_tables tables;
    build_tables(command, &tables);
    if (command->defaults)
        memcpy(arguments, command->defaults, command->arguments_size);
    cli->command = command;
    optind = 0;
    opterr = 0;
    int tag;
    while ((tag = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
        if (tag == '?' || tag == ':')
            return complain(tag, argv, err);
        if (tag < 128)
            tag = tables.short_tags[tag];
        int r = take_option(command, tag, cli, arguments, err);
        if (r < 0)
            return r;
    }
    if (cli->help || cli->version)
        return 0;
    cli->operands = argv + optind;
    cli->operand_count = (size_t)(argc - optind);
    if (cli->operand_count < command->min_operands)
        return cli_usage(err, "%s is missing", command->operands);
    if (cli->operand_count > command->max_operands)
        return cli_usage(err, "'%s' is one argument too many",
                         cli->operands[command->max_operands]);
    return 0;
}

void cli_release(const struct cli_command *command, struct cli *cli, void *arguments)
{
    for (const struct cli_option *option = command->options; option && option->name; option++)
        if (option->kind == OPTION_LIST || option->kind == OPTION_SEQUENCE)
            strv_free((struct strv *)((char *)arguments + option->offset));
    customize_plan_free(&cli->plan);
}
