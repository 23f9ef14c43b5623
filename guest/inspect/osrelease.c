#include "guest/inspect/osrelease.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const struct {
    const char *key;
    size_t offset;
} fields[] = {
    {"ID", offsetof(struct os_release, id)},
    {"ID_LIKE", offsetof(struct os_release, id_like)},
    {"NAME", offsetof(struct os_release, name)},
    {"PRETTY_NAME", offsetof(struct os_release, pretty_name)},
    {"VERSION_ID", offsetof(struct os_release, version_id)},
    {"VERSION_CODENAME", offsetof(struct os_release, version_codename)},
    {"VARIANT_ID", offsetof(struct os_release, variant_id)},
};

static char **field_of(struct os_release *release, size_t i)
{
    return (char **)((char *)release + fields[i].offset);
}

/*
 * A value as a shell reads it, which is what os-release(5) asks for: quotes may begin anywhere and
 * go on over several lines, a blank outside of them ends the value (a comment may follow), a
 * backslash means itself between single quotes, and between double quotes where it quotes nothing.
 * A quote that nothing closes ends with its line. Takes quotes and escapes away in place; returns
 * what is behind the value's last line.
 */
static char *read_value(char *text)
{
    char *out = text, *in = text;
    char quote = '\0';
    for (; *in && (quote || !strchr(" \t\r\n", *in)); in++) {
        if (quote && *in == quote) {
            quote = '\0';
            continue;
        }
        if (!quote && (*in == '"' || *in == '\'')) {
            bool closed = strchr(in + 1, *in) != NULL;
            quote = closed ? *in : '\0';
            continue;
        }
        bool escape =
            *in == '\\' && in[1] != '\0' && (!quote || (quote == '"' && strchr("\"\\$`\n", in[1])));
        if (escape && *++in == '\n')
            continue; /* the line goes on */
        *out++ = *in;
    }
    in += strcspn(in, "\n");
    char *next = *in ? in + 1 : in;
    *out = '\0';
    return next;
}

static int assign(void *context, const char *key, const char *value, struct error **err)
{
    struct os_release *release = context;
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (strcmp(key, fields[i].key) != 0)
            continue;
        /* Shown to people; nothing that is a name holds control bytes or lines. */
        _cleanup_free_ char *shown = str_printable(value);
        if (!shown)
            return error_oom(err);
        for (char *c = shown; (c = strchr(c, '\n'));)
            *c = ' ';
        return str_replace(field_of(release, i), shown, err);
    }
    return 0;
}

int assignments_read(const char *text, assignment_fn *each, void *context, struct error **err)
{
    _cleanup_free_ char *copy = strdup(text);
    if (!copy)
        return error_oom(err);
    for (char *at = copy; *at;) {
        size_t blanks = strspn(at, " \t\r\n");
        char *key = at + blanks;
        size_t length = strcspn(key, "=\n");
        at = key + length;
        if (*key == '#' || *at != '=') {
            at = key + strcspn(key, "\n");
            continue;
        }
        *at = '\0';
        char *value = at + 1;
        at = read_value(value);
        int r = each(context, key, value, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int os_release_parse(const char *text, struct os_release *ret, struct error **err)
{
    _cleanup_os_release_ struct os_release release = {0};
    int r = assignments_read(text, assign, &release, err);
    if (r < 0)
        return r;
    *ret = release;
    release = (struct os_release){0};
    return 0;
}

void os_release_free(struct os_release *release)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        free(*field_of(release, i));
    *release = (struct os_release){0};
}

/* IDs that libguestfs spells in another way. */
static const struct {
    const char *id;
    const char *distro;
} spellings[] = {
    {"alpine", "alpinelinux"}, {"arch", "archlinux"}, {"kali", "kalilinux"},
    {"ol", "oraclelinux"},     {"pld", "pldlinux"},   {"scientific", "scientificlinux"},
    {"sled", "sles"},          {"sles_sap", "sles"},  {"void", "voidlinux"},
};

/* IDs are in lower case; not all who write them know. */
char *os_release_distro(const struct os_release *release, struct error **err)
{
    const char *given = str_empty(release->id) ? "unknown" : release->id;
    _cleanup_free_ char *distro = str_printf(err, "%s", given);
    if (!distro)
        return NULL;
    for (char *c = distro; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    if (str_starts(distro, "opensuse-"))
        distro[strlen("opensuse")] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
        if (strcmp(distro, spellings[i].id) == 0)
            return str_printf(err, "%s", spellings[i].distro);
    return TAKE_PTR(distro);
}
