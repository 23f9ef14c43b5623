#include "sysprep/traces/account_files.h"

#include <errno.h>
#include <string.h>

#include "sysprep/lines.h"

struct names {
    const struct strv *users;
    const struct strv *groups;
};

static bool is_one_of(const struct strv *names, const char *name, size_t length)
{
    for (size_t i = 0; i < names->count; i++)
        if (line_is(name, length, names->items[i]))
            return true;
    return false;
}

static size_t first_field(const struct line *line)
{
    const char *colon = memchr(line->start, ':', line->length);
    return colon ? (size_t)(colon - line->start) : line->length;
}

/* A line_fn: the context is a list of names. */
static bool is_entry_of(const void *context, const struct line *line)
{
    return is_one_of(context, line->start, first_field(line));
}

/* Appends a list "a,b,c" without the users. */
static bool append_members(struct str *out, const char *list, size_t length,
                           const struct strv *users)
{
    bool first = true;
    bool changed = false;
    const char *end = list + length;
    for (const char *at = list; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t size = (size_t)((comma ? comma : end) - at);
        if (is_one_of(users, at, size)) {
            changed = true;
        } else {
            str_append(out, first ? "" : ",");
            str_append_n(out, at, size);
            first = false;
        }
        at += size + (comma ? 1 : 0);
    }
    return changed;
}

/* The fields from the third on hold members; in group(5) the third is a number, and stays. */
static bool append_group(struct str *out, const struct line *line, const struct strv *users)
{
    bool changed = false;
    const char *end = line->start + line->length;
    const char *at = line->start;
    for (size_t i = 0; at <= end; i++) {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        size_t size = (size_t)((colon ? colon : end) - at);
        if (i < 2)
            str_append_n(out, at, size);
        else
            changed |= append_members(out, at, size, users);
        if (!colon)
            break;
        str_append(out, ":");
        at = colon + 1;
    }
    str_append_n(out, end, line->full - line->length);
    return changed;
}

static int leave_groups(struct guest *guest, const char *path, const struct names *names,
                        struct error **err)
{
    _cleanup_text_ struct text text = {0};
    _cleanup_str_ struct str out = {0};
    int r = text_read(guest, path, &text, NULL, err);
    if (r < 0)
        return r;
    bool changed = false;
    struct line line;
    for (size_t offset = 0; text_next_line(&text, &offset, &line);) {
        if (is_entry_of(names->groups, &line))
            changed = true;
        else
            changed |= append_group(&out, &line, names->users);
    }
    if (!changed)
        return 0;
    size_t size = out.length;
    _cleanup_free_ char *data = str_take(&out, err);
    return data ? guest_replace(guest, path, data, size, err) : -ENOMEM;
}

int account_files_remove(struct guest *guest, const struct strv *users, const struct strv *groups,
                         struct error **err)
{
    static const char *const by_user[] = {"/etc/passwd", "/etc/shadow", "/etc/subuid",
                                          "/etc/subgid"};
    static const char *const by_group[] = {"/etc/group", "/etc/gshadow"};
    const struct names names = {users, groups};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(by_user); i++)
        r = lines_remove(guest, by_user[i], is_entry_of, users, err);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(by_group); i++)
        r = leave_groups(guest, by_group[i], &names, err);
    return r;
}
