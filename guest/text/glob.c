#include "guest/text/glob.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "guest/text/place.h"

enum { max_alternatives = 1024 };

/* The end of the bracket expression that begins at `at`, or at + 1 when it is none. */
static const char *skip_bracket(const char *at)
{
    const char *p = at + 1;
    if (*p == '!' || *p == '^')
        p++;
    if (*p == ']')
        p++;
    while (*p && *p != ']' && *p != '/')
        p += *p == '\\' && p[1] ? 2 : 1;
    return *p == ']' ? p + 1 : at + 1;
}

/* One step over a pattern: an escaped character, a bracket expression, or a character. */
static const char *skip_element(const char *at)
{
    if (*at == '\\' && at[1])
        return at + 2;
    return *at == '[' ? skip_bracket(at) : at + 1;
}

/* The same where braces are looked for: brackets mean nothing there. */
static const char *skip_character(const char *at)
{
    return *at == '\\' && at[1] ? at + 2 : at + 1;
}

/* From behind an opening brace to the comma or closing brace of its level; NULL: there is none. */
static const char *next_alternative_end(const char *at)
{
    for (unsigned depth = 0; *at; at = skip_character(at)) {
        if (depth == 0 && (*at == ',' || *at == '}'))
            return at;
        if (*at == '{')
            depth++;
        else if (*at == '}')
            depth--;
    }
    return NULL;
}

/* The first brace expression of the pattern: its opening and its closing brace. "{}" stands for
 * itself, as in a shell: with nothing between them, a directory could fall for its entry. */
static bool find_braces(const char *pattern, const char **ret_open, const char **ret_close)
{
    for (const char *at = pattern; *at; at = skip_character(at)) {
        if (*at != '{')
            continue;
        if (at[1] == '}') {
            at++;
            continue;
        }
        const char *end = next_alternative_end(at + 1);
        while (end && *end == ',')
            end = next_alternative_end(end + 1);
        if (!end)
            return false;
        *ret_open = at;
        *ret_close = end;
        return true;
    }
    return false;
}

/* Replaces items of the work list that have braces by their alternatives until none has. */
static int expand_braces(const char *pattern, struct strv *out, struct error **err)
{
    _cleanup_strv_ struct strv work = {0};
    int r = strv_add(&work, pattern, err);
    for (size_t i = 0; r == 0 && i < work.count; i++) {
        const char *item = work.items[i];
        const char *open = NULL;
        const char *close = NULL;
        if (!find_braces(item, &open, &close)) {
            r = strv_add(out, item, err);
            continue;
        }
        for (const char *at = open; r == 0 && at < close;) {
            const char *end = next_alternative_end(at + 1);
            r = strv_addf(&work, err, "%.*s%.*s%s", (int)(open - item), item, (int)(end - at - 1),
                          at + 1, close + 1);
            /* The list may have moved; its strings have not. */
            at = end;
            if (r == 0 && work.count > max_alternatives)
                r = error_set(err, E2BIG, "the pattern %s stands for too many others", pattern);
        }
    }
    return r;
}

static bool has_magic(const char *component)
{
    for (const char *at = component; *at; at = skip_element(at))
        if (*at == '*' || *at == '?' || (*at == '[' && skip_bracket(at) > at + 1))
            return true;
    return false;
}

static void unescape(char *component)
{
    char *to = component;
    for (const char *from = component; *from; from++) {
        if (*from == '\\' && from[1])
            from++;
        *to++ = *from;
    }
    *to = '\0';
}

struct walk {
    struct guest *guest;
    struct strv *paths;
};

static int walk_pattern(const struct walk *walk, const char *prefix, const char *rest,
                        struct error **err);

/* Goes on behind the component `name` of `prefix`; only what exists matches. */
static int walk_into(const struct walk *walk, const char *prefix, const char *name,
                     const char *rest, struct error **err)
{
    _cleanup_free_ char *path = str_printf(err, "%s/%s", prefix, name);
    if (!path)
        return -ENOMEM;
    if (*rest)
        return walk_pattern(walk, path, rest, err);
    struct guest_stat st;
    struct error *cause = NULL;
    int r = guest_stat(walk->guest, path, false, &st, &cause);
    if (r == 0)
        return strv_add(walk->paths, path, err);
    if (r != -ENOENT && r != -ENOTDIR && r != -ELOOP && r != -ENAMETOOLONG)
        return error_move(err, cause);
    error_free(cause);
    return 0;
}

static int walk_names(const struct walk *walk, const char *prefix, const char *component,
                      const char *rest, struct error **err)
{
    const char *dir = *prefix ? prefix : "/";
    if (!guest_is_dir(walk->guest, dir))
        return 0;
    _cleanup_strv_ struct strv names = {0};
    int r = place_list(walk->guest, dir, &names, err);
    for (size_t i = 0; r == 0 && i < names.count; i++)
        if (fnmatch(component, names.items[i], FNM_PERIOD) == 0)
            r = *rest ? walk_into(walk, prefix, names.items[i], rest, err)
                      : strv_addf(walk->paths, err, "%s/%s", prefix, names.items[i]);
    return r;
}

/* `prefix` is a path without a slash at its end, `rest` the pattern behind it. */
static int walk_pattern(const struct walk *walk, const char *prefix, const char *rest,
                        struct error **err)
{
    rest += strspn(rest, "/");
    if (!*rest) {
        /* The pattern ended in a slash: only directories match. */
        bool fits = guest_is_dir(walk->guest, *prefix ? prefix : "/");
        return fits ? strv_add(walk->paths, *prefix ? prefix : "/", err) : 0;
    }
    size_t length = strcspn(rest, "/");
    _cleanup_free_ char *component = strndup(rest, length);
    if (!component)
        return error_oom(err);
    if (has_magic(component))
        return walk_names(walk, prefix, component, rest + length, err);
    unescape(component);
    return walk_into(walk, prefix, component, rest + length, err);
}

int glob_expand(struct guest *guest, const char *pattern, struct strv *paths, struct error **err)
{
    _cleanup_strv_ struct strv alternatives = {0};
    const struct walk walk = {.guest = guest, .paths = paths};
    int r = expand_braces(pattern, &alternatives, err);
    for (size_t i = 0; r == 0 && i < alternatives.count; i++)
        r = walk_pattern(&walk, "", alternatives.items[i], err);
    return r;
}
