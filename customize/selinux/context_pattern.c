#include "customize/selinux/context_pattern.h"

#include <ctype.h>
#include <string.h>

/* "a|b" stands for either, so that neither has to begin a path. Within parentheses it is behind the
 * prefix anyway. */
static bool has_outer_alternative(const char *text)
{
    unsigned depth = 0;
    bool in_class = false;
    for (const char *c = text; *c; c++) {
        if (*c == '\\' && c[1])
            c++;
        else if (in_class)
            in_class = *c != ']';
        else if (*c == '[')
            /* A bracket that comes first is one of the characters. */
            in_class = true, c += c[1] == ']' || (c[1] == '^' && c[2] == ']');
        else if (*c == '(')
            depth++;
        else if (*c == ')')
            depth -= depth > 0;
        else if (*c == '|' && depth == 0)
            return true;
    }
    return false;
}

/* Fills the prefix; true where it is the whole pattern. */
static bool find_prefix(struct context_pattern *pattern)
{
    const char *c = pattern->text;
    size_t length = 0;
    while (*c && !strchr(".^$?*+|[({)", *c)) {
        /* An escaped letter or digit has a meaning of its own. */
        if (*c == '\\' && (!c[1] || isalnum((unsigned char)c[1])))
            break;
        c += *c == '\\';
        pattern->prefix[length++] = *c++;
    }
    /* What a quantifier follows may be absent. */
    if (*c && strchr("?*+{", *c) && length > 0)
        length--;
    pattern->prefix_length = length;
    pattern->prefix[length] = '\0';
    return !*c;
}

int context_pattern_parse(const char *text, size_t length, struct context_pattern *ret,
                          struct error **err)
{
    struct context_pattern pattern = {
        .text = strndup(text, length),
        .prefix = malloc(length + 1),
    };
    if (!pattern.text || !pattern.prefix) {
        context_pattern_free(&pattern);
        return error_oom(err);
    }
    pattern.literal = find_prefix(&pattern);
    if (has_outer_alternative(pattern.text))
        pattern.prefix_length = 0;
    *ret = pattern;
    return 0;
}

void context_pattern_free(struct context_pattern *pattern)
{
    free(pattern->text);
    free(pattern->prefix);
    *pattern = (struct context_pattern){0};
}
