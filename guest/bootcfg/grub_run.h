/* The inside of the reader of GRUB scripts: what its files share. */
#pragma once

#include <string.h>

#include "base/str.h"
#include "guest/bootcfg/grub_env.h"
#include "guest/bootcfg/grub_parse.h"
#include "guest/bootcfg/grub_script.h"

/* Marks that become a value when they are first used. */
#define GRUB_PLATFORM "\1platform\1"
#define GRUB_CPU      "\1cpu\1"

static inline bool grub_is_unknown(const char *text)
{
    return strchr(text, GRUB_MARK) != NULL;
}

/* Statuses of commands, as include/grub/err.h of GRUB numbers them. */
enum grub_status {
    GRUB_OK = 0,
    GRUB_FALSE = 1,
    GRUB_NO_FILE = 5,
    GRUB_BAD_ARGUMENT = 18,
    GRUB_NO_KERNEL = 22,
    GRUB_OPEN_STATUS = 1000, /* not known: grub_run.open says of which command */
};

struct grub_menu_item {
    bool submenu;
    char *title;
    char *id;
    char *body;
    struct strv arguments; /* the title and what is behind it */
};

struct grub_menu {
    struct grub_menu_item *items;
    size_t count;
};

void grub_menu_free(struct grub_menu *menu);
#define _cleanup_grub_menu_ _cleanup_(grub_menu_free)

struct grub_function {
    struct grub_function *next;
    char *name;
    const struct grub_node *body;
};

/* What $1, $@ and $# are; NULL in grub_run: no function and no entry is being run. */
struct grub_scope {
    struct strv arguments;
    size_t shifts;
};

/* A question about the machine, and the answer with which this run goes on. */
struct grub_choice {
    char *question;
    bool answer;
    bool both; /* the other answer was tried before */
};

struct grub_choices {
    struct grub_choice items[GRUB_CHOICES_MAX];
    size_t count;
    size_t bytes_left; /* what all runs together may still read and make */
};

/* A source text that nodes point into. */
struct grub_text {
    struct grub_text *next;
    char *text;
};

enum { GRUB_DEPTH_MAX = 60 };

/* One run of the script, with one answer to each question. */
struct grub_run {
    const struct grub_host *host;
    struct grub_choices *choices;
    struct grub_env *env;
    struct grub_tree tree;
    struct grub_text *texts;
    struct grub_function *functions;
    struct grub_scope *scope;
    struct grub_menu *menu;
    struct grub_boot boot; /* of the loader that is loaded now */
    bool loaded;           /* something is */
    bool ended;            /* the machine was started, or stopped */
    bool returning;        /* from a function */
    bool continuing;       /* the loops that are broken are so by "continue" */
    bool globbing;         /* the module with wildcards was loaded */
    unsigned breaks;
    unsigned loops;
    unsigned depth;
    unsigned steps;
    unsigned nesting; /* of menus */
    char *open;       /* see GRUB_OPEN_STATUS */
    char *missing;    /* a kernel that does not exist */
};

/* All below return a status (>= 0) or a negative errno; -EOPNOTSUPP: the answer cannot be known. */

/* grub_expand.c */
int grub_expand(struct grub_run *run, const struct grub_node *node, size_t first, struct strv *ret,
                struct error **err);

/* grub_run.c */
int grub_run_text(struct grub_run *run, const char *text, struct error **err);
int grub_run_in_scope(struct grub_run *run, const char *text, const struct strv *arguments,
                      struct error **err);
/* -E2BIG when scripts have read or made more than they may. */
int grub_spend(struct grub_run *run, size_t bytes, struct error **err);
/* The answer to a question that only the machine can answer. */
int grub_ask(struct grub_run *run, const char *question, bool *ret, struct error **err);
/* Notes that the status of a command is not known. */
int grub_leave_open(struct grub_run *run, const struct strv *words, struct error **err);
/* A status that is used: GRUB_OPEN_STATUS becomes one of the others. */
int grub_settle(struct grub_run *run, int status, struct error **err);
/* -EOPNOTSUPP with this reason. */
int grub_unknown(struct error **err, const char *fmt, ...) _printf_(2, 3);
/* The same for a text that has a mark: says where that comes from. */
int grub_unknown_text(struct error **err, const char *what, const char *text);

/* grub_command.c */
int grub_command(struct grub_run *run, const struct grub_node *node, const struct strv *words,
                 struct error **err);
bool grub_has_command(const char *name);

/* grub_test.c: "test" and "[", without the name. */
int grub_test(struct grub_run *run, const struct strv *words, struct error **err);

/* grub_files.c */
/* Runs the text of the file, which is named as scripts name it. */
int grub_run_config(struct grub_run *run, const char *file, const char *text, struct error **err);
int grub_source(struct grub_run *run, const struct strv *words, struct error **err);
int grub_configfile(struct grub_run *run, const struct strv *words, struct error **err);
int grub_load_env(struct grub_run *run, const struct strv *words, struct error **err);
int grub_search(struct grub_run *run, const struct strv *words, struct error **err);
int grub_probe(struct grub_run *run, const struct strv *words, struct error **err);
/* What is at a path, as a script has it. */
int grub_find(struct grub_run *run, const char *path, struct grub_found *ret, struct error **err);

/* grub_loader.c */
int grub_linux(struct grub_run *run, const struct strv *words, struct error **err);
int grub_initrd(struct grub_run *run, const struct strv *words, struct error **err);
/* What starts something else than Linux. */
int grub_load_other(struct grub_run *run, const struct strv *words, struct error **err);
int grub_boot_now(struct grub_run *run, const struct strv *words, struct error **err);

/* grub_menu.c */
int grub_menuentry(struct grub_run *run, const struct grub_node *node, const struct strv *words,
                   struct error **err);
int grub_blscfg(struct grub_run *run, const struct strv *words, struct error **err);
/* Boots the default entry of run->menu. */
int grub_run_menu(struct grub_run *run, struct error **err);

/* grub_options.c */
struct grub_option {
    const char *name; /* "--set" */
    char letter;      /* 's', 0: none */
    bool value;       /* it has one */
    bool optional;    /* though it may be missing */
};
/* The value of an option that was given ("" without one), and what is no option. */
struct grub_options {
    const char *values[16]; /* by the number of the option, the last one given; NULL: not given */
    struct strv rest;
};
/* As grub-core/lib/arg.c reads the words behind the command's name. GRUB_BAD_ARGUMENT: not in
 * their form. `dashes`: what looks like an option and is none counts as an argument. */
int grub_options_read(const struct strv *words, const struct grub_option *options, size_t count,
                      bool dashes, struct grub_options *ret, struct error **err);
void grub_options_free(struct grub_options *options);
#define _cleanup_grub_options_ _cleanup_(grub_options_free)
