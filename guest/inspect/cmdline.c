#include "guest/inspect/cmdline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

/* Of both, the same characters: a word that begins at none of them has an end. */
static const char blanks[] = " \t\n\v\f\r";

/* The next word without its quotes; NULL in *ret at the end. Returns where to go on. */
static const char *next_word(const char *at, char **ret, struct error **err)
{
    _cleanup_str_ struct str word = {0};
    char quote = '\0';
    *ret = NULL;
    at += strspn(at, blanks);
    if (*at == '\0')
        return at;
    for (; *at && (quote || !strchr(blanks, *at)); at++) {
        if (quote ? *at == quote : (*at == '"' || *at == '\''))
            quote = quote ? '\0' : *at;
        else
            str_append_n(&word, at, 1);
    }
    *ret = str_take(&word, err);
    return *ret ? at : NULL;
}

/* What follows NAME=; NULL where the word is another parameter. */
static const char *value_of(const char *word, const char *name)
{
    for (; *name; name++, word++)
        if (*word != *name && !((*word == '-' || *word == '_') && (*name == '-' || *name == '_')))
            return NULL;
    return *word == '=' ? word + 1 : NULL;
}

int cmdline_value(const char *line, const char *name, char **ret, struct error **err)
{
    _cleanup_free_ char *found = NULL;
    for (;;) {
        _cleanup_free_ char *word = NULL;
        line = next_word(line, &word, err);
        if (!line)
            return -ENOMEM;
        if (!word)
            break;
        const char *value = value_of(word, name);
        int r = value ? str_replace(&found, value, err) : 0;
        if (r < 0)
            return r;
    }
    *ret = TAKE_PTR(found);
    return 0;
}

bool cmdline_is_false(const char *value)
{
    static const char *const words[] = {"0", "no", "n", "false", "f", "off"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(value, words[i]) == 0)
            return true;
    return false;
}
