/* Runs the nodes of a script, as grub-core/script/execute.c does. */
#include "guest/bootcfg/grub_run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define STEPS_MAX 20000 /* commands of one run: scripts without end are stopped */

static int run_list(struct grub_run *run, const struct grub_node *node, struct error **err);

/* What is not known. */

int grub_unknown(struct error **err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    _cleanup_free_ char *text = NULL;
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    return n < 0 ? error_oom(err) : error_set(err, EOPNOTSUPP, "%s", text);
}

int grub_unknown_text(struct error **err, const char *what, const char *text)
{
    const char *mark = strchr(text, GRUB_MARK);
    size_t length = mark ? strcspn(mark + 1, "\1") : 0;
    return grub_unknown(err, "%s has a value that only the machine knows (%.*s)", what,
                        length < 60 ? (int)length : 60, mark ? mark + 1 : "");
}

int grub_spend(struct grub_run *run, size_t bytes, struct error **err)
{
    if (bytes > run->choices->bytes_left)
        return error_set(err, E2BIG, "the script is too large, or goes on without end");
    run->choices->bytes_left -= bytes;
    return 0;
}

int grub_ask(struct grub_run *run, const char *question, bool *ret, struct error **err)
{
    struct grub_choices *choices = run->choices;
    for (size_t i = 0; i < choices->count; i++)
        if (strcmp(choices->items[i].question, question) == 0) {
            *ret = choices->items[i].answer;
            return 0;
        }
    if (choices->count >= GRUB_CHOICES_MAX)
        return grub_unknown(err,
                            "the script asks for more than %d things that only the machine "
                            "knows, as whether %s",
                            GRUB_CHOICES_MAX, question);
    char *copy = strdup(question);
    if (!copy)
        return error_oom(err);
    choices->items[choices->count++] = (struct grub_choice){.question = copy, .answer = true};
    *ret = true;
    return 0;
}

int grub_leave_open(struct grub_run *run, const struct strv *words, struct error **err)
{
    _cleanup_str_ struct str text = {0};
    for (size_t i = 0; i < words->count && text.length < 200; i++)
        str_appendf(&text, "%s%s", i ? " " : "", words->items[i]);
    free(run->open);
    run->open = str_take(&text, err);
    return run->open ? GRUB_OPEN_STATUS : -ENOMEM;
}

int grub_settle(struct grub_run *run, int status, struct error **err)
{
    if (status != GRUB_OPEN_STATUS)
        return status;
    bool succeeds;
    _cleanup_free_ char *question = str_printf(err, "\"%s\" succeeds", run->open);
    int r = question ? grub_ask(run, question, &succeeds, err) : -ENOMEM;
    return r < 0 ? r : succeeds ? GRUB_OK : GRUB_FALSE;
}

/* Commands. */

static int set_status(struct grub_run *run, int status, struct error **err)
{
    char number[32] = "\1the status\1";
    if (status != GRUB_OPEN_STATUS)
        snprintf(number, sizeof(number), "%d", status);
    int r = grub_env_set(run->env, "?", number, err);
    return r < 0 ? r : status;
}

static const struct grub_function *find_function(const struct grub_run *run, const char *name)
{
    for (const struct grub_function *function = run->functions; function; function = function->next)
        if (strcmp(function->name, name) == 0)
            return function;
    return NULL;
}

static int define_function(struct grub_run *run, const struct grub_node *node, struct error **err)
{
    struct grub_function *function = calloc(1, sizeof(*function));
    if (!function)
        return error_oom(err);
    /* The latest definition is found first. */
    function->next = run->functions;
    run->functions = function;
    function->name = strndup(node->words[0].start, node->words[0].length);
    function->body = node->body;
    return function->name ? 0 : error_oom(err);
}

/* Takes the arguments. Returns the scope around it. */
static struct grub_scope *enter_scope(struct grub_run *run, struct strv *arguments,
                                      struct grub_scope *scope)
{
    struct grub_scope *outer = run->scope;
    scope->arguments = *arguments;
    *arguments = (struct strv){0};
    run->scope = scope;
    return outer;
}

static void leave_scope(struct grub_run *run, struct grub_scope *outer)
{
    strv_free(&run->scope->arguments);
    run->scope = outer;
}

static int copy_words(const struct strv *words, size_t first, struct strv *ret, struct error **err)
{
    int r = 0;
    for (size_t i = first; r == 0 && i < words->count; i++)
        r = strv_add(ret, words->items[i], err);
    return r;
}

static int call(struct grub_run *run, const struct grub_function *function,
                const struct strv *words, struct error **err)
{
    _cleanup_strv_ struct strv arguments = {0};
    int r = copy_words(words, 1, &arguments, err);
    if (r < 0)
        return r;
    struct grub_scope scope = {0};
    unsigned loops = run->loops;
    run->loops = 0;
    struct grub_scope *outer = enter_scope(run, &arguments, &scope);
    r = run_list(run, function->body, err);
    leave_scope(run, outer);
    run->returning = false;
    run->loops = loops;
    return r;
}

int grub_run_in_scope(struct grub_run *run, const char *text, const struct strv *words,
                      struct error **err)
{
    _cleanup_strv_ struct strv arguments = {0};
    int r = copy_words(words, 0, &arguments, err);
    if (r < 0)
        return r;
    struct grub_scope scope = {0};
    struct grub_scope *outer = enter_scope(run, &arguments, &scope);
    r = grub_run_text(run, text, err);
    leave_scope(run, outer);
    return r;
}

/* GRUB takes a word for an assignment when there is neither a command nor a function of that name.
 * It goes on with status 0 either way. */
static int assign(struct grub_run *run, const char *word, struct error **err)
{
    const char *equals = strchr(word, '=');
    if (!equals || strchr("0123456789#*@", *word))
        return GRUB_OK;
    _cleanup_free_ char *name = strndup(word, (size_t)(equals - word));
    int r = name ? grub_env_set(run->env, name, equals + 1, err) : error_oom(err);
    return r < 0 ? r : GRUB_OK;
}

static int invert(struct grub_run *run, int status, struct error **err)
{
    status = grub_settle(run, status, err);
    return status < 0 ? status : status == GRUB_OK ? GRUB_FALSE : GRUB_OK;
}

static int run_words(struct grub_run *run, const struct grub_node *node, struct strv *words,
                     struct error **err)
{
    if (grub_is_unknown(words->items[0]))
        return grub_unknown_text(err, "the name of a command", words->items[0]);
    if (grub_has_command(words->items[0]))
        return grub_command(run, node, words, err);
    const struct grub_function *function = find_function(run, words->items[0]);
    return function ? call(run, function, words, err) : assign(run, words->items[0], err);
}

static int run_command(struct grub_run *run, const struct grub_node *node, struct error **err)
{
    _cleanup_strv_ struct strv words = {0};
    int r = grub_expand(run, node, 0, &words, err);
    if (r < 0 || words.count == 0)
        return r;
    bool inverted = strcmp(words.items[0], "!") == 0;
    if (inverted && words.count == 1)
        return set_status(run, GRUB_BAD_ARGUMENT, err);
    if (inverted) {
        free(words.items[0]);
        memmove(words.items, words.items + 1, words.count * sizeof(*words.items));
        words.count--;
    }
    r = run_words(run, node, &words, err);
    if (r >= 0 && inverted)
        r = invert(run, r, err);
    return r < 0 ? r : set_status(run, r, err);
}

/* Conditions and loops. */

static int run_if(struct grub_run *run, const struct grub_node *node, struct error **err)
{
    int status = grub_settle(run, run_list(run, node->condition, err), err);
    if (status < 0 || run->returning || run->ended)
        return status;
    return run_list(run, status == GRUB_OK ? node->body : node->otherwise, err);
}

static int run_for(struct grub_run *run, const struct grub_node *node, struct error **err)
{
    _cleanup_strv_ struct strv values = {0};
    _cleanup_free_ char *name = strndup(node->words[0].start, node->words[0].length);
    int r = name ? grub_expand(run, node, 1, &values, err) : error_oom(err);
    if (r < 0)
        return r;
    run->loops++;
    for (size_t i = 0; r >= 0 && i < values.count && !run->returning && !run->ended; i++) {
        if (run->continuing && run->breaks == 1)
            run->breaks = 0;
        if (run->breaks)
            continue;
        if (grub_is_unknown(values.items[i]))
            return grub_unknown_text(err, "a list of \"for\"", values.items[i]);
        r = grub_env_set(run->env, name, values.items[i], err);
        if (r == 0)
            r = run_list(run, node->body, err);
    }
    if (run->breaks)
        run->breaks--;
    run->loops--;
    return r;
}

static int run_while(struct grub_run *run, const struct grub_node *node, struct error **err)
{
    int r;
    run->loops++;
    for (;;) {
        r = grub_settle(run, run_list(run, node->condition, err), err);
        if (r < 0 || run->returning || run->ended || (node->kind == GRUB_UNTIL) == (r == GRUB_OK))
            break;
        r = run_list(run, node->body, err);
        if (r < 0 || run->returning || run->ended)
            break;
        if (run->breaks == 1 && run->continuing)
            run->breaks = 0;
        if (run->breaks)
            break;
    }
    if (run->breaks)
        run->breaks--;
    run->loops--;
    return r;
}

static int run_node(struct grub_run *run, const struct grub_node *node, struct error **err)
{
    switch (node->kind) {
    case GRUB_COMMAND:
        return run_command(run, node, err);
    case GRUB_IF:
        return run_if(run, node, err);
    case GRUB_FOR:
        return run_for(run, node, err);
    case GRUB_WHILE:
    case GRUB_UNTIL:
        return run_while(run, node, err);
    case GRUB_FUNCTION:
        break;
    }
    return GRUB_OK; /* defined before its line was run */
}

static int run_list(struct grub_run *run, const struct grub_node *node, struct error **err)
{
    int r = GRUB_OK;
    if (++run->depth > GRUB_DEPTH_MAX)
        return error_set(err, E2BIG, "the script is nested too deeply");
    for (; r >= 0 && node && !run->breaks && !run->returning && !run->ended; node = node->next) {
        if (++run->steps > STEPS_MAX)
            return error_set(err, E2BIG, "the script does not end within %d commands", STEPS_MAX);
        r = run_node(run, node, err);
    }
    run->depth--;
    return r;
}

/* Nodes point into the text, which is kept. */
static const char *keep_text(struct grub_run *run, const char *text, struct error **err)
{
    struct grub_text *kept = calloc(1, sizeof(*kept));
    if (!kept) {
        error_oom(err);
        return NULL;
    }
    kept->next = run->texts;
    run->texts = kept;
    kept->text = strdup(text);
    if (!kept->text)
        error_oom(err);
    else if (grub_spend(run, strlen(text), err) < 0)
        return NULL;
    return kept->text;
}

int grub_run_text(struct grub_run *run, const char *text, struct error **err)
{
    const char *at = keep_text(run, text, err);
    int r = at ? GRUB_OK : -(err && *err ? error_errno(*err) : ENOMEM);
    while (r >= 0 && !run->ended) {
        struct grub_node *first;
        int more = grub_parse(&at, &run->tree, &first, err);
        if (more <= 0)
            return more < 0 ? more : r;
        for (struct grub_node *node = first; r >= 0 && node; node = node->next)
            if (node->kind == GRUB_FUNCTION)
                r = define_function(run, node, err);
        if (r >= 0)
            r = run_list(run, first, err);
    }
    return r;
}
