#include "guest/text/hosts.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

struct renaming {
    const char *old_name; /* "" when there is none */
    const char *new_name;
};

/* The length of the name's first label. */
static size_t label_length(const char *name)
{
    return strcspn(name, ".");
}

static bool is_loopback_name(const char *name)
{
    size_t length = label_length(name);
    return line_is(name, length, "localhost");
}

/* What the word becomes: a prefix of new_name of *ret_length bytes; NULL: it stays. */
static const char *replacement(const struct renaming *renaming, const char *word, size_t length,
                               size_t *ret_length)
{
    const char *old_name = renaming->old_name;
    const char *new_name = renaming->new_name;
    if (*old_name && line_is(word, length, old_name)) {
        *ret_length = strlen(new_name);
        return new_name;
    }
    bool is_old_label =
        *old_name && length == label_length(old_name) && memcmp(word, old_name, length) == 0;
    if (is_old_label || line_is(word, length, "unassigned-hostname")) {
        *ret_length = label_length(new_name);
        return new_name;
    }
    if (line_is(word, length, "unassigned-hostname.unassigned-domain") && strchr(new_name, '.')) {
        *ret_length = strlen(new_name);
        return new_name;
    }
    return NULL;
}

/* Appends the line with its names replaced; the first word is the address. */
static void rename_line(const struct renaming *renaming, const struct line *line, struct str *out,
                        bool *changed)
{
    const char *comment = memchr(line->start, '#', line->length);
    struct line names = *line;
    if (comment)
        names.length = (size_t)(comment - line->start);
    const char *copied = line->start;
    const char *word;
    size_t length;
    size_t offset = 0;
    line_next_word(&names, &offset, &word, &length);
    while (line_next_word(&names, &offset, &word, &length)) {
        size_t new_length;
        const char *text = replacement(renaming, word, length, &new_length);
        if (!text)
            continue;
        str_append_n(out, copied, (size_t)(word - copied));
        str_append_n(out, text, new_length);
        copied = word + length;
        *changed = true;
    }
    str_append_n(out, copied, (size_t)(line->start + line->full - copied));
}

int hosts_rename(const struct text *hosts, const char *old_name, const char *new_name,
                 struct text *ret, bool *ret_changed, struct error **err)
{
    /* Without this guard, an image named "localhost" would lose its loopback name. */
    bool usable = old_name && !is_loopback_name(old_name);
    const struct renaming renaming = {usable ? old_name : "", new_name};
    _cleanup_str_ struct str out = {0};
    bool changed = false;
    struct line line;
    for (size_t offset = 0; text_next_line(hosts, &offset, &line);)
        rename_line(&renaming, &line, &out, &changed);
    size_t size = out.length;
    char *data = str_take(&out, err);
    if (!data)
        return -ENOMEM;
    *ret = (struct text){.data = data, .size = size};
    *ret_changed = changed;
    return 0;
}
