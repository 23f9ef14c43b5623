/* Words of a script become the arguments of a command, as grub_script_arglist_to_argv() of
 * grub-core/script/execute.c makes them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/bootcfg/grub_run.h"

#define WORDS_MAX 4000
#define BYTES_MAX ((size_t)256 << 10) /* of all arguments of a command */

/* The argument that is being put together. Backslashes stand before what is literal, until its
 * end. */
struct argument {
    struct grub_run *run;
    struct strv *list;
    struct str text;
    bool exists; /* else it vanishes, as an unquoted variable without a value */
    size_t bytes;
    struct error **err;
};

static const char blanks[] = " \t\n\v\f\r";

static int finish(struct argument *argument)
{
    if (!argument->exists)
        return 0;
    _cleanup_free_ char *pattern = str_take(&argument->text, argument->err);
    argument->exists = false;
    if (!pattern)
        return -ENOMEM;
    argument->bytes += strlen(pattern) + 1;
    if (argument->list->count >= WORDS_MAX || argument->bytes > BYTES_MAX)
        return error_set(argument->err, E2BIG, "a command of the script is too long");
    int r = grub_spend(argument->run, strlen(pattern) + 1, argument->err);
    if (r < 0)
        return r;
    bool wild = false;
    char *out = pattern;
    for (const char *in = pattern; *in; in++) {
        if (*in == '\\' && in[1])
            in++;
        else if (*in == '*' || *in == '?')
            wild = true;
        *out++ = *in;
    }
    *out = '\0';
    if (wild && argument->run->globbing && (*pattern == '/' || *pattern == '('))
        return strv_add(argument->list, "\1wildcards\1", argument->err);
    return strv_add(argument->list, pattern, argument->err);
}

static int add(struct argument *argument, const char *text, size_t length)
{
    str_append_n(&argument->text, text, length);
    argument->exists = true;
    if (argument->text.length > BYTES_MAX)
        return error_set(argument->err, E2BIG, "a word of the script is too long");
    return 0;
}

static int add_literally(struct argument *argument, const char *text, size_t length)
{
    int r = add(argument, "", 0);
    for (size_t i = 0; r == 0 && i < length; i++) {
        if (strchr("\\*?", text[i]))
            r = add(argument, "\\", 1);
        if (r == 0)
            r = add(argument, text + i, 1);
    }
    return r;
}

/* A value outside quotes: it may hold wildcards, though not escaped ones. */
static int add_unquoted(struct argument *argument, const char *text, size_t length)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < length; i++) {
        if (text[i] == '\\')
            r = add(argument, i + 1 < length && strchr("*?", text[i + 1]) ? "\\\\" : "\\",
                    i + 1 < length && strchr("*?", text[i + 1]) ? 2 : 1);
        if (r == 0)
            r = add(argument, text + i, 1);
    }
    return r;
}

static int add_split(struct argument *argument, const char *value)
{
    int r = 0;
    value += strspn(value, blanks);
    while (r == 0 && *value) {
        size_t length = strcspn(value, blanks);
        r = add_unquoted(argument, value, length);
        value += length;
        value += strspn(value, blanks);
        if (r == 0 && *value)
            r = finish(argument);
    }
    return r;
}

static int add_value(struct argument *argument, const char *value, bool quoted)
{
    return quoted ? add_literally(argument, value, strlen(value)) : add_split(argument, value);
}

/* "$*" is one argument, "$@" as many as there are. */
static int add_all(struct argument *argument, bool quoted, bool joined)
{
    const struct grub_scope *scope = argument->run->scope;
    int r = 0;
    for (size_t i = scope->shifts; r == 0 && i < scope->arguments.count; i++) {
        if (i > scope->shifts)
            r = quoted && joined ? add(argument, " ", 1) : finish(argument);
        if (r == 0)
            r = add_value(argument, scope->arguments.items[i], quoted);
    }
    return r;
}

static int add_positional(struct argument *argument, const char *name, bool quoted)
{
    const struct grub_scope *scope = argument->run->scope;
    if (!scope)
        return 0;
    if (strchr("*@", *name))
        return add_all(argument, quoted, *name == '*');
    size_t count = scope->arguments.count - scope->shifts;
    char number[24];
    if (*name == '#') {
        snprintf(number, sizeof(number), "%zu", count);
        return add_value(argument, number, quoted);
    }
    unsigned long wanted = strtoul(name, NULL, 10);
    if (wanted == 0 || wanted > count)
        return 0;
    return add_value(argument, scope->arguments.items[scope->shifts + wanted - 1], quoted);
}

static int add_variable(struct argument *argument, const char *name, bool quoted)
{
    if (strchr("0123456789#*@", *name))
        return add_positional(argument, name, quoted);
    const char *value = grub_env_get(argument->run->env, name);
    if (str_empty(value))
        return 0;
    bool platform = strcmp(value, GRUB_PLATFORM) == 0, uefi = true;
    if (platform || strcmp(value, GRUB_CPU) == 0) {
        int r = grub_ask(argument->run, "the firmware is UEFI", &uefi, argument->err);
        if (r < 0)
            return r;
        value = platform ? (uefi ? "efi" : "pc") : (uefi ? "x86_64" : "i386");
    }
    return add_value(argument, value, quoted);
}

static int add_part(struct argument *argument, const struct grub_part *part)
{
    switch (part->kind) {
    case GRUB_PART_TEXT:
        return *part->text ? add(argument, part->text, strlen(part->text)) : 0;
    case GRUB_PART_QUOTED:
        return add_literally(argument, part->text, strlen(part->text));
    case GRUB_PART_VARIABLE:
    case GRUB_PART_QUOTED_VARIABLE:
        break;
    }
    return add_variable(argument, part->text, part->kind == GRUB_PART_QUOTED_VARIABLE);
}

static int expand_word(struct argument *argument, const struct grub_span *word)
{
    struct grub_word_state state = {0};
    const char *at = word->start;
    for (;;) {
        struct grub_part part;
        int r = grub_word_next_part(&at, word->start + word->length, &state, &part);
        if (r < 0)
            return error_oom(argument->err);
        if (r == 0)
            return finish(argument);
        r = add_part(argument, &part);
        free(part.text);
        if (r < 0)
            return r;
    }
}

int grub_expand(struct grub_run *run, const struct grub_node *node, size_t first, struct strv *ret,
                struct error **err)
{
    struct argument argument = {.run = run, .list = ret, .err = err};
    int r = 0;
    for (size_t i = first; r == 0 && i < node->word_count; i++)
        r = expand_word(&argument, &node->words[i]);
    str_free(&argument.text);
    return r;
}
