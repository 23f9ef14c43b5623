#include "guest/bootcfg/grub_lex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t name_length(const char *text)
{
    size_t n = 0;
    while (is_alpha(text[n]) || (n > 0 && is_digit(text[n])))
        n++;
    return n;
}

/* Behind a '$' or "${": a name, a number, or one of "?#*@". */
static size_t variable_name_length(const char *text)
{
    if (is_digit(*text))
        return strspn(text, "0123456789");
    if (*text && strchr("?#*@", *text))
        return 1;
    return name_length(text);
}

/* Of "$x" or "${x}"; 0: the dollar sign begins no variable. */
static size_t variable_length(const char *text)
{
    size_t brace = text[1] == '{' ? 1 : 0;
    size_t name = variable_name_length(text + 1 + brace);
    if (name == 0 || (brace && text[2 + name] != '}'))
        return 0;
    return 1 + name + 2 * brace;
}

enum reading { READ, READ_BAD, READ_UNCLOSED };

/* Behind the opening '"' at *at. */
static enum reading read_double_quoted(const char **at, bool translated)
{
    enum reading reading = READ;
    const char *p = *at + 1;
    while (*p && *p != '"') {
        if (*p == '$' && !translated && variable_length(p) == 0)
            reading = READ_BAD;
        p += *p == '\\' && p[1] ? 2 : 1;
    }
    *at = *p ? p + 1 : p;
    return *p ? reading : READ_UNCLOSED;
}

static enum reading read_single_quoted(const char **at)
{
    const char *end = strchr(*at + 1, '\'');
    *at = end ? end + 1 : *at + strlen(*at);
    return end ? READ : READ_UNCLOSED;
}

/* As far as a word goes from here; *at stays where there is none. */
static enum reading read_word(const char **at)
{
    const char *p = *at;
    enum reading reading = READ;
    while (*p && reading != READ_UNCLOSED) {
        enum reading part = READ;
        if (*p == '\'') {
            part = read_single_quoted(&p);
        } else if (*p == '"') {
            part = read_double_quoted(&p, false);
        } else if (*p == '$' && p[1] == '"') {
            p++;
            part = read_double_quoted(&p, true);
        } else if (*p == '$') {
            size_t length = variable_length(p);
            if (length == 0)
                break;
            p += length;
        } else if (*p == '\\') {
            if (!p[1])
                break;
            p += 2;
        } else if (strchr("{}|&;<> \t\n", *p)) {
            break;
        } else {
            p++;
        }
        reading = part == READ ? reading : part;
    }
    *at = p;
    return reading;
}

static bool is_reserved(const struct grub_token *token)
{
    static const char *const words[] = {"case",   "do",   "done",  "elif",  "else",
                                        "esac",   "fi",   "for",   "if",    "in",
                                        "select", "then", "until", "while", "function"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (grub_token_is(token, words[i]))
            return true;
    return false;
}

bool grub_token_is(const struct grub_token *token, const char *text)
{
    return strlen(text) == token->length && memcmp(token->start, text, token->length) == 0;
}

static enum grub_token_kind kind_of_word(const struct grub_token *token)
{
    if (grub_token_is(token, "[[") || grub_token_is(token, "]]"))
        return GRUB_TOKEN_BAD;
    if (is_reserved(token))
        return GRUB_TOKEN_RESERVED;
    return name_length(token->start) == token->length ? GRUB_TOKEN_NAME : GRUB_TOKEN_WORD;
}

struct grub_token grub_token_next(const char **at)
{
    static const struct {
        char c;
        enum grub_token_kind kind;
    } signs[] = {
        {'\n', GRUB_TOKEN_NEWLINE},
        {';', GRUB_TOKEN_SEMICOLON},
        {'{', GRUB_TOKEN_OPEN},
        {'}', GRUB_TOKEN_CLOSE},
    };
    const char *p = *at + strspn(*at, " \t");
    if (*p == '#')
        p += strcspn(p, "\n");
    struct grub_token token = {.kind = GRUB_TOKEN_END, .start = p, .length = *p ? 1 : 0};
    *at = p + token.length;
    if (!*p)
        return token;
    for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
        if (*p == signs[i].c) {
            token.kind = signs[i].kind;
            if (strncmp(p, ";;", 2) == 0)
                token.kind = GRUB_TOKEN_BAD;
            return token;
        }
    const char *end = p;
    enum reading reading = read_word(&end);
    if (end > p) {
        token.length = (size_t)(end - p);
        *at = end;
    }
    token.kind = reading == READ && end > p ? kind_of_word(&token) : GRUB_TOKEN_BAD;
    return token;
}

/* Parts of words. */

static int take_text(struct grub_part *ret, enum grub_part_kind kind, const char *start,
                     size_t length)
{
    *ret = (struct grub_part){.kind = kind, .text = strndup(start, length)};
    return ret->text ? 1 : -ENOMEM;
}

static int take_variable(const char **at, bool quoted, struct grub_part *ret)
{
    size_t length = variable_length(*at);
    size_t brace = (*at)[1] == '{' ? 1 : 0;
    const char *name = *at + 1 + brace;
    *at += length;
    return take_text(ret, quoted ? GRUB_PART_QUOTED_VARIABLE : GRUB_PART_VARIABLE, name,
                     length - 1 - 2 * brace);
}

/* In double quotes, a backslash escapes '$', '"', itself and the end of a line. */
static int take_double_quoted(const char **at, const char *end, struct grub_word_state *state,
                              struct grub_part *ret)
{
    _cleanup_str_ struct str text = {0};
    const char *p = *at;
    while (p < end && *p != '"' && *p != '$') {
        if (*p == '\\' && p + 1 < end && strchr("$\\\"\n", p[1])) {
            p++;
            if (*p == '\n') {
                p++;
                continue;
            }
        }
        str_append_n(&text, p++, 1);
    }
    if (p < end && *p == '"') {
        state->quote = '\0';
        p++;
    }
    *at = p;
    *ret = (struct grub_part){.kind = GRUB_PART_QUOTED, .text = str_take(&text, NULL)};
    return ret->text ? 1 : -ENOMEM;
}

static int take_plain(const char **at, const char *end, struct grub_part *ret)
{
    _cleanup_str_ struct str text = {0};
    const char *p = *at;
    while (p < end && !strchr("'\"$", *p)) {
        size_t length = *p == '\\' && p + 1 < end ? 2 : 1;
        if (length == 1 || p[1] != '\n')
            str_append_n(&text, p, length);
        p += length;
    }
    *at = p;
    *ret = (struct grub_part){.kind = GRUB_PART_TEXT, .text = str_take(&text, NULL)};
    return ret->text ? 1 : -ENOMEM;
}

int grub_word_next_part(const char **at, const char *end, struct grub_word_state *state,
                        struct grub_part *ret)
{
    const char *p = *at;
    if (p >= end)
        return 0;
    /* The dollar sign of a translated string; without a catalogue it is a quoted one. */
    if (!state->quote && *p == '$' && p + 1 < end && p[1] == '"')
        p++;
    if (!state->quote && *p == '\'') {
        size_t length = strcspn(p + 1, "'");
        *at = p + 1 + length + 1;
        return take_text(ret, GRUB_PART_QUOTED, p + 1, length);
    }
    if (!state->quote && *p == '"') {
        state->quote = '"';
        *at = p + 1;
        return take_double_quoted(at, end, state, ret);
    }
    *at = p;
    if (*p == '$')
        return take_variable(at, state->quote, ret);
    return state->quote ? take_double_quoted(at, end, state, ret) : take_plain(at, end, ret);
}
