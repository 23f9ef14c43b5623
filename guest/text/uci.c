#include "guest/text/uci.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

/* libuci's file.c: words are separated by blanks, statements by newlines and semicolons; quotes may
 * begin anywhere in a word and go over lines, a backslash quotes outside of single quotes, and a
 * '#' where a word could begin, or in one, begins a comment. */
struct cursor {
    const struct text *text;
    size_t at;
};

struct token {
    size_t start, end; /* as written */
    char value[64];    /* longer ones are cut: they are none of those that are looked for */
};

static char peek(const struct cursor *cursor)
{
    return cursor->at < cursor->text->size ? cursor->text->data[cursor->at] : '\n';
}

static bool at_end(const struct cursor *cursor)
{
    return cursor->at >= cursor->text->size;
}

static bool ends_word(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' || c == '#';
}

static void keep(struct token *token, size_t *length, char c)
{
    if (*length < sizeof(token->value) - 1)
        token->value[(*length)++] = c;
}

/* Returns 1 for a word, 0 at the end of the statement. */
static int next_token(struct cursor *cursor, struct token *ret, struct error **err)
{
    while (!at_end(cursor) && strchr(" \t\r", peek(cursor)) && peek(cursor))
        cursor->at++;
    *ret = (struct token){.start = cursor->at};
    size_t length = 0;
    char quote = '\0';
    for (; !at_end(cursor) && (quote || !ends_word(peek(cursor))); cursor->at++) {
        char c = peek(cursor);
        if (quote ? c == quote : c == '\'' || c == '"') {
            quote = quote ? '\0' : c;
            continue;
        }
        if (c == '\\' && quote != '\'' && cursor->at + 1 < cursor->text->size)
            c = cursor->text->data[++cursor->at];
        keep(ret, &length, c);
    }
    if (quote)
        return error_set(err, EINVAL, "a quote is not closed");
    ret->end = cursor->at;
    return ret->end > ret->start;
}

static void skip_statement_end(struct cursor *cursor)
{
    if (peek(cursor) == '#')
        while (!at_end(cursor) && peek(cursor) != '\n')
            cursor->at++;
    cursor->at++;
}

/* A keyword may be cut to its first letter. */
static bool is_keyword(const char *word, const char *keyword)
{
    return strcmp(word, keyword) == 0 || (word[0] == keyword[0] && word[1] == '\0');
}

struct statement {
    struct token words[3];
    size_t count;
    size_t end; /* of the last word */
};

static int next_statement(struct cursor *cursor, struct statement *ret, struct error **err)
{
    *ret = (struct statement){0};
    for (;;) {
        struct token token;
        int r = next_token(cursor, &token, err);
        if (r < 0)
            return r;
        if (r == 0)
            break;
        ret->end = token.end;
        if (ret->count < ARRAY_SIZE(ret->words))
            ret->words[ret->count++] = token;
    }
    skip_statement_end(cursor);
    return 0;
}

/* What is to be replaced by the value, or where the option is to be put in. */
struct place {
    size_t start, end;
};

struct search {
    const char *type, *option;
    bool within;         /* a section of the type */
    bool found, set;     /* such a section; the option in one */
    struct place insert; /* behind the first section's head */
};

/* True where the statement sets the option. */
static bool look_at(struct search *search, const struct statement *statement)
{
    const struct token *words = statement->words;
    if (statement->count >= 2 && is_keyword(words[0].value, "config")) {
        search->within = strcmp(words[1].value, search->type) == 0;
        if (search->within && !search->found) {
            search->found = true;
            search->insert = (struct place){statement->end, statement->end};
        }
    }
    return search->within && statement->count == 3 && is_keyword(words[0].value, "option") &&
           strcmp(words[1].value, search->option) == 0;
}

static int finish(struct str *out, struct text *ret, struct error **err)
{
    size_t size = out->length;
    char *data = str_take(out, err);
    if (!data)
        return -ENOMEM;
    *ret = (struct text){.data = data, .size = size};
    return 0;
}

int uci_assign(const struct text *text, const char *type, const char *option, const char *value,
               struct text *ret, bool *ret_found, struct error **err)
{
    _cleanup_str_ struct str out = {0};
    struct cursor cursor = {.text = text};
    struct search search = {.type = type, .option = option};
    size_t copied = 0;
    while (!at_end(&cursor)) {
        struct statement statement;
        int r = next_statement(&cursor, &statement, err);
        if (r < 0)
            return r;
        if (!look_at(&search, &statement))
            continue;
        search.set = true;
        str_append_n(&out, text->data + copied, statement.words[2].start - copied);
        str_appendf(&out, "'%s'", value);
        copied = statement.words[2].end;
    }
    if (search.found && !search.set) {
        str_append_n(&out, text->data, search.insert.start);
        str_appendf(&out, "\n\toption %s '%s'", option, value);
        copied = search.insert.end;
    }
    str_append_n(&out, text->data + copied, text->size - copied);
    *ret_found = search.found;
    return finish(&out, ret, err);
}
