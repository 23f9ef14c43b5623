/*
 * Commands and their option tables. A table row is all there is to an option: the parser, --help
 * and the test of the manuals read the same row.
 *
 * Exit status of every command: 0 done, 1 failed, 2 wrong usage.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/report.h"
#include "base/str.h"
#include "customize/operation.h"

enum option_kind {
    OPTION_FLAG,     /* bool: set to true */
    OPTION_CLEAR,    /* bool: set to false, for --no-... */
    OPTION_STRING,   /* const char *: into argv */
    OPTION_LIST,     /* struct strv: may be given several times */
    OPTION_SEQUENCE, /* the same, as "name=argument": rows that share it keep their order */
    OPTION_VERBOSE,  /* as --verbose; the target does not matter */
    OPTION_FOREIGN,  /* a peer's that changes nothing here; the target does not matter */
    OPTION_REFUSED,  /* a peer's that is not supported: fallback names what to do instead */
    OPTION_NUMBER,   /* uint64_t */
    OPTION_SIZE,     /* uint64_t, bytes */
    OPTION_MEMORY,   /* uint64_t, bytes; a bare number is MiB */
    OPTION_DURATION, /* uint64_t, milliseconds */
};

struct cli_option {
    const char *name; /* without dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    size_t offset;        /* of the target in the command's argument struct */
    const char *metavar;  /* NULL for flags */
    const char *help;     /* one line or two; NULL: another spelling, which is not shown */
    const char *fallback; /* the default as --help shows it, NULL: nothing to show */
};

/* Ends a table. */
#define CLI_OPTIONS_END                                                                            \
    {                                                                                              \
        0                                                                                          \
    }

struct cli;

struct cli_command {
    const char *name;
    const char *summary;  /* for `kiln --help`: a few words */
    const char *operands; /* for the usage line: "OS-VERSION" */
    const char *description;
    const char *example;              /* a whole command line */
    const struct cli_option *options; /* its own; the common ones come with every command */
    bool customizes;                  /* also offers the table of customize/operation.h */
    size_t min_operands, max_operands;
    const char *operand_hint; /* what is meant by more operands than that; NULL: nothing known */
    size_t arguments_size;    /* of the struct that the options fill */
    const void *defaults;     /* its initial contents, NULL: zeroes */
    /* Returns the exit status, or a negative errno with *err set. */
    int (*run)(struct cli *cli, const void *arguments, struct error **err);
};

/* The context of a running command. */
struct cli {
    const struct cli_command *command;
    struct reporter *reporter;
    bool quiet;
    bool verbose;
    bool help, version; /* were asked for; nothing else matters then */
    char **operands;    /* NULL-terminated */
    size_t operand_count;
    struct customize_plan plan; /* where the command customizes */
    /* Loads the plugin of that number (plugins/load.h). 1: there are not so many. */
    int (*load_plugin)(size_t number, struct error **err);
};

/* The one array of commands, NULL-terminated (commands.c). */
extern const struct cli_command *const cli_commands[];

/* --quiet, --verbose, --help, --version; they fill struct cli itself. */
extern const struct cli_option cli_common_options[];

/* Fills `arguments` and `cli` from argv (argv[0] is the command's name). -EINVAL for wrong usage.
 */
int cli_parse(const struct cli_command *command, int argc, char **argv, struct cli *cli,
              void *arguments, struct error **err);
void cli_release(const struct cli_command *command, struct cli *cli, void *arguments);

/* Wrong usage that only the command itself can see: an error of ERROR_USAGE, with which main exits
 * with 2 and points at --help. -EINVAL. */
int cli_usage(struct error **err, const char *fmt, ...) _printf_(2, 3);
/* Wrong usage for that reason, whose hint stays. Takes the cause. */
int cli_usage_because(struct error **err, struct error *cause);

/* The help texts; caller frees, NULL: out of memory. */
char *cli_command_help(const struct cli_command *command, unsigned columns);
char *cli_overview(unsigned columns);
