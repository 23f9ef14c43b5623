#include "guest/bootcfg/grub_word.h"

#include <errno.h>
#include <string.h>

#define VALUE_MAX ((size_t)16 << 10) /* bytes that a word may grow to by its variables */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool ends_word(char c)
{
    return c == '\0' || c == '\n' || c == ';' || is_space(c);
}

bool grub_word_is(const char *word, size_t length, const char *text)
{
    return strlen(text) == length && memcmp(word, text, length) == 0;
}

/* Behind the closing quote; a quote that is not closed ends with the text. */
static const char *skip_quoted(const char *at)
{
    char quote = *at++;
    while (*at && *at != quote)
        at += quote == '"' && *at == '\\' && at[1] ? 2 : 1;
    return *at ? at + 1 : at;
}

enum grub_token grub_word_next(const char **at, const char **ret_start, size_t *ret_length)
{
    const char *p = *at;
    for (;;) {
        while (is_space(*p) || (*p == '\\' && p[1] == '\n'))
            p += *p == '\\' ? 2 : 1;
        if (*p != '#')
            break;
        p += strcspn(p, "\n");
    }
    if (*p == '\0' || *p == '\n' || *p == ';') {
        *at = *p ? p + 1 : p;
        return *p ? GRUB_STOP : GRUB_END;
    }
    const char *start = p;
    while (!ends_word(*p)) {
        if (*p == '\'' || *p == '"')
            p = skip_quoted(p);
        else
            p += *p == '\\' && p[1] ? 2 : 1;
    }
    *ret_start = start;
    *ret_length = (size_t)(p - start);
    *at = p;
    return GRUB_WORD;
}

static size_t name_length(const char *text, const char *end)
{
    size_t n = 0;
    while (text + n < end &&
           (text[n] == '_' || (text[n] >= '0' && text[n] <= '9') ||
            (text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z')))
        n++;
    return n;
}

/* At a dollar sign: adds the variable's value and returns what is behind its name. */
static const char *expand_variable(const char *at, const char *end, const struct grub_env *env,
                                   struct str *out)
{
    bool braced = at + 1 < end && at[1] == '{';
    const char *name = at + (braced ? 2 : 1);
    size_t length = name_length(name, end);
    if (length == 0 || (braced && (name + length >= end || name[length] != '}'))) {
        str_append_n(out, at, 1);
        return at + 1;
    }
    char *copy = strndup(name, length);
    if (copy)
        str_append(out, grub_env_get(env, copy));
    else
        out->failed = true;
    free(copy);
    return name + length + (braced ? 1 : 0);
}

char *grub_word_expand(const char *word, size_t length, const struct grub_env *env,
                       struct error **err)
{
    _cleanup_str_ struct str out = {0};
    const char *end = word + length;
    char quote = '\0';
    for (const char *p = word; p < end;) {
        if (out.length > VALUE_MAX) {
            error_set(err, E2BIG, "a word of the script is too long");
            return NULL;
        }
        if (quote ? *p == quote : *p == '"' || *p == '\'') {
            quote = quote ? '\0' : *p;
            p++;
        } else if (*p == '$' && quote != '\'') {
            p = expand_variable(p, end, env, &out);
        } else {
            if (*p == '\\' && quote != '\'' && p + 1 < end)
                p++;
            str_append_n(&out, p++, 1);
        }
    }
    return str_take(&out, err);
}
