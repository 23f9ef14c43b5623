#include "guest/bootcfg/grub_script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "guest/bootcfg/grub_word.h"

#define ITEMS_MAX 1000
#define DEPTH_MAX 50
#define WORDS_MAX 1000 /* of a command */

struct run {
    const char *at; /* what is still to be read */
    struct grub_env *env;
    const struct grub_host *host;
    struct grub_menu *menu; /* NULL: an entry's commands are run */
    struct grub_boot *boot; /* NULL: the menu is made */
    int parent;             /* the submenu whose commands are read */
    unsigned depth;
};

/* How a list of commands ended. */
enum ending { ENDING_TEXT, ENDING_BRACE, ENDING_ELSE, ENDING_ELIF, ENDING_FI, ENDING_DONE };

static int run_list(struct run *run, bool active, enum ending *ret, struct error **err);

/* The words of one command, expanded. The command ends at a line end, a ';', or with "{". */
struct command {
    struct strv words;
    bool opens; /* ended with "{" */
};

static void command_free(struct command *command)
{
    strv_free(&command->words);
}
#define _cleanup_command_ _cleanup_(command_free)

/* Adds a word. One that is empty after expansion and was not quoted vanishes, as in a shell. */
static int add_word(struct run *run, struct command *command, const char *start, size_t length,
                    struct error **err)
{
    if (command->words.count >= WORDS_MAX)
        return error_set(err, E2BIG, "a command of the script is too long");
    _cleanup_free_ char *word = grub_word_expand(start, length, run->env, err);
    if (!word)
        return err && *err ? -error_errno(*err) : -ENOMEM;
    bool quoted = memchr(start, '"', length) || memchr(start, '\'', length);
    if (*word == '\0' && !quoted)
        return 0;
    return strv_take(&command->words, TAKE_PTR(word), err);
}

static int read_command(struct run *run, struct command *ret, struct error **err)
{
    for (;;) {
        const char *start;
        size_t length;
        if (grub_word_next(&run->at, &start, &length) != GRUB_WORD)
            return 0;
        if (grub_word_is(start, length, "{")) {
            ret->opens = true;
            return 0;
        }
        int r = add_word(run, ret, start, length, err);
        if (r < 0)
            return r;
    }
}

/* Tests. */

/* The path without "(hd0,gpt2)" or "($root)" in front. */
static const char *without_device(const char *path)
{
    const char *close = *path == '(' ? strchr(path, ')') : NULL;
    return close ? close + 1 : path;
}

static bool test_words(const struct run *run, char *const *words, size_t count)
{
    if (count > 0 && strcmp(words[0], "!") == 0)
        return !test_words(run, words + 1, count - 1);
    if (count == 1)
        return words[0][0] != '\0';
    if (count == 2 && strcmp(words[0], "-z") == 0)
        return words[1][0] == '\0';
    if (count == 2 && strcmp(words[0], "-n") == 0)
        return words[1][0] != '\0';
    if (count == 2 && words[0][0] == '-' && strchr("sfed", words[0][1]))
        return run->host->exists(run->host->context, without_device(words[1]));
    if (count == 3 && (strcmp(words[1], "=") == 0 || strcmp(words[1], "==") == 0))
        return strcmp(words[0], words[2]) == 0;
    if (count == 3 && strcmp(words[1], "!=") == 0)
        return strcmp(words[0], words[2]) != 0;
    return false;
}

/* A condition is a command; those that are no test are taken to fail, but for true. */
static bool evaluate(const struct run *run, const struct command *command)
{
    char *const *words = command->words.items;
    size_t count = command->words.count;
    if (count == 0)
        return false;
    if (strcmp(words[0], "true") == 0)
        return true;
    if (strcmp(words[0], "!") == 0)
        return count > 1 && strcmp(words[1], "[") == 0
                   ? !test_words(run, words + 2, count - 2 - (strcmp(words[count - 1], "]") == 0))
                   : false;
    if (strcmp(words[0], "[") == 0 && strcmp(words[count - 1], "]") == 0)
        return test_words(run, words + 1, count - 2);
    if (strcmp(words[0], "test") == 0)
        return test_words(run, words + 1, count - 1);
    return false;
}

static int run_if(struct run *run, bool active, struct error **err)
{
    bool taken = false; /* a branch was */
    for (;;) {
        _cleanup_command_ struct command condition = {0};
        int r = read_command(run, &condition, err);
        if (r < 0)
            return r;
        bool now = active && !taken && evaluate(run, &condition);
        taken = taken || now;
        enum ending ending;
        r = run_list(run, now, &ending, err);
        if (r == 0 && ending == ENDING_ELSE)
            r = run_list(run, active && !taken, &ending, err);
        if (r < 0 || ending != ENDING_ELIF)
            return r;
    }
}

/* Commands. */

static int set_variable(struct run *run, const char *assignment, struct error **err)
{
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return 0;
    _cleanup_free_ char *name = strndup(assignment, (size_t)(equals - assignment));
    return name ? grub_env_set(run->env, name, equals + 1, err) : error_oom(err);
}

static int load_env(struct run *run, const struct command *command, struct error **err)
{
    const char *path = "$prefix/grubenv";
    for (size_t i = 1; i + 1 < command->words.count; i++)
        if (strcmp(command->words.items[i], "-f") == 0 ||
            strcmp(command->words.items[i], "--file") == 0)
            path = command->words.items[i + 1];
    _cleanup_free_ char *expanded = grub_word_expand(path, strlen(path), run->env, err);
    if (!expanded)
        return -ENOMEM;
    _cleanup_free_ char *block = run->host->read_env(run->host->context, without_device(expanded));
    return block ? grub_env_load(run->env, block, err) : error_oom(err);
}

static bool is_assignment(const char *word)
{
    size_t name = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    return name > 0 && word[name] == '=';
}

/* linux, linux16, linuxefi; the same for initrd. */
static bool is_loader(const char *word, const char *name)
{
    return str_starts(word, name) &&
           (strcmp(word + strlen(name), "") == 0 || strcmp(word + strlen(name), "16") == 0 ||
            strcmp(word + strlen(name), "efi") == 0);
}

static int load_kernel(struct grub_boot *boot, const struct command *command, struct error **err)
{
    _cleanup_str_ struct str line = {0};
    for (size_t i = 2; i < command->words.count; i++)
        str_appendf(&line, "%s%s", i > 2 ? " " : "", command->words.items[i]);
    _cleanup_free_ char *text = str_take(&line, err);
    if (!text)
        return -ENOMEM;
    int r = str_replace(&boot->command_line, text, err);
    return r < 0 ? r : str_replace(&boot->kernel, without_device(command->words.items[1]), err);
}

static int run_simple(struct run *run, const struct command *command, struct error **err)
{
    char *const *words = command->words.items;
    size_t count = command->words.count;
    if (strcmp(words[0], "set") == 0)
        return count > 1 ? set_variable(run, words[1], err) : 0;
    if (is_assignment(words[0]))
        return set_variable(run, words[0], err);
    if (strcmp(words[0], "load_env") == 0)
        return load_env(run, command, err);
    if (!run->boot || count < 2)
        return 0;
    if (is_loader(words[0], "linux"))
        return load_kernel(run->boot, command, err);
    if (is_loader(words[0], "initrd"))
        return str_replace(&run->boot->initrd, without_device(words[count - 1]), err);
    return 0;
}

/* The menu. */

static int add_item(struct run *run, enum grub_kind kind, const char *title, const char *id,
                    struct error **err)
{
    struct grub_menu *menu = run->menu;
    if (menu->count >= ITEMS_MAX)
        return error_set(err, E2BIG, "the menu has more than %d entries", ITEMS_MAX);
    struct grub_item *items = reallocarray(menu->items, menu->count + 1, sizeof(*items));
    if (!items)
        return error_oom(err);
    menu->items = items;
    items[menu->count++] = (struct grub_item){
        .kind = kind,
        .parent = run->parent,
        .title = strdup(title),
        .id = strdup(id),
        .body = strdup(""),
    };
    struct grub_item *item = &items[menu->count - 1];
    return item->title && item->id && item->body ? 0 : error_oom(err);
}

static const char *id_of(const struct command *command)
{
    for (size_t i = 1; i < command->words.count; i++) {
        const char *word = command->words.items[i];
        if (str_starts(word, "--id="))
            return word + strlen("--id=");
        if (strcmp(word, "--id") == 0 && i + 1 < command->words.count)
            return command->words.items[i + 1];
    }
    return "";
}

/* Behind the "{" of a menuentry or submenu. */
static int run_menu_block(struct run *run, const struct command *command, bool active,
                          struct error **err)
{
    enum ending ending;
    bool submenu = strcmp(command->words.items[0], "submenu") == 0;
    if (!active || !run->menu || command->words.count < 2)
        return run_list(run, false, &ending, err);
    int r = add_item(run, submenu ? GRUB_SUBMENU : GRUB_ENTRY, command->words.items[1],
                     id_of(command), err);
    if (r < 0)
        return r;
    size_t index = run->menu->count - 1;
    if (submenu) {
        int parent = run->parent;
        run->parent = (int)index;
        r = run_list(run, true, &ending, err);
        run->parent = parent;
        return r;
    }
    const char *start = run->at;
    r = run_list(run, false, &ending, err);
    if (r < 0)
        return r;
    size_t length = (size_t)(run->at - start);
    if (ending == ENDING_BRACE)
        length--;
    free(run->menu->items[index].body);
    run->menu->items[index].body = strndup(start, length);
    return run->menu->items[index].body ? 0 : error_oom(err);
}

/* One command that begins with `word`, which is not expanded yet. */
static int run_command(struct run *run, const char *word, size_t length, bool active,
                       struct error **err)
{
    enum ending ending;
    if (grub_word_is(word, length, "if"))
        return run_if(run, active, err);
    _cleanup_command_ struct command command = {0};
    bool loop = grub_word_is(word, length, "for") || grub_word_is(word, length, "while") ||
                grub_word_is(word, length, "until");
    bool group = grub_word_is(word, length, "{");
    if (group)
        return run_list(run, active, &ending, err);
    int r = add_word(run, &command, word, length, err);
    if (r == 0)
        r = read_command(run, &command, err);
    if (r < 0)
        return r;
    if (loop)
        return run_list(run, false, &ending, err);
    if (command.words.count == 0)
        return command.opens ? run_list(run, false, &ending, err) : 0;
    const char *name = command.words.items[0];
    if (command.opens) {
        if (strcmp(name, "menuentry") == 0 || strcmp(name, "submenu") == 0)
            return run_menu_block(run, &command, active, err);
        return run_list(run, false, &ending, err); /* a function's body */
    }
    if (!active)
        return 0;
    if (strcmp(name, "blscfg") == 0 && run->menu)
        return add_item(run, GRUB_BLS, "", "", err);
    return run_simple(run, &command, err);
}

/* Commands up to the word that ends their list. */
static int run_list(struct run *run, bool active, enum ending *ret, struct error **err)
{
    static const struct {
        const char *word;
        enum ending ending;
    } endings[] = {
        {"}", ENDING_BRACE}, {"else", ENDING_ELSE}, {"elif", ENDING_ELIF},
        {"fi", ENDING_FI},   {"done", ENDING_DONE},
    };
    if (run->depth >= DEPTH_MAX)
        return error_set(err, E2BIG, "the script is nested too deeply");
    run->depth++;
    for (;;) {
        const char *word;
        size_t length;
        enum grub_token token = grub_word_next(&run->at, &word, &length);
        if (token == GRUB_STOP)
            continue;
        *ret = ENDING_TEXT;
        if (token == GRUB_END)
            break;
        if (grub_word_is(word, length, "then") || grub_word_is(word, length, "do"))
            continue;
        bool ended = false;
        for (size_t i = 0; i < ARRAY_SIZE(endings) && !ended; i++) {
            ended = grub_word_is(word, length, endings[i].word);
            *ret = endings[i].ending;
        }
        if (ended)
            break;
        int r = run_command(run, word, length, active, err);
        if (r < 0)
            return r;
    }
    run->depth--;
    return 0;
}

int grub_script_run(const char *text, struct grub_env *env, const struct grub_host *host,
                    struct grub_menu *ret, struct error **err)
{
    /* Variables that GRUB sets before it reads the script, as far as scripts use them. */
    static const char *const preset[][2] = {
        {"feature_menuentry_id", "y"},         {"feature_timeout_style", "y"},
        {"feature_platform_search_hint", "y"}, {"feature_default_font_path", "y"},
        {"feature_all_video_module", "y"},     {"grub_platform", "efi"},
    };
    _cleanup_grub_menu_ struct grub_menu menu = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(preset); i++)
        r = grub_env_set(env, preset[i][0], preset[i][1], err);
    struct run run = {.at = text, .env = env, .host = host, .menu = &menu, .parent = -1};
    /* A stray closing word does not end the script. */
    while (r == 0 && *run.at) {
        enum ending ending;
        r = run_list(&run, true, &ending, err);
    }
    if (r < 0)
        return r;
    *ret = menu;
    menu = (struct grub_menu){0};
    return 0;
}

void grub_menu_free(struct grub_menu *menu)
{
    for (size_t i = 0; i < menu->count; i++) {
        free(menu->items[i].title);
        free(menu->items[i].id);
        free(menu->items[i].body);
    }
    free(menu->items);
    *menu = (struct grub_menu){0};
}

int grub_script_boot(const char *body, struct grub_env *env, const struct grub_host *host,
                     struct grub_boot *ret, struct error **err)
{
    _cleanup_grub_boot_ struct grub_boot boot = {0};
    struct run run = {.at = body, .env = env, .host = host, .boot = &boot, .parent = -1};
    int r = 0;
    while (r == 0 && *run.at) {
        enum ending ending;
        r = run_list(&run, true, &ending, err);
    }
    if (r < 0)
        return r;
    *ret = boot;
    boot = (struct grub_boot){0};
    return 0;
}

void grub_boot_free(struct grub_boot *boot)
{
    free(boot->kernel);
    free(boot->initrd);
    free(boot->command_line);
    *boot = (struct grub_boot){0};
}
