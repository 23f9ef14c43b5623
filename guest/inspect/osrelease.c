#include "guest/inspect/osrelease.h"

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

/* Takes quotes and escapes away as a shell would, in place; there are no expansions. */
static void unquote(char *text)
{
    char *out = text, quote = '\0';
    for (const char *in = text; *in; in++) {
        if (quote ? *in == quote : *in == '"' || *in == '\'') {
            quote = quote ? '\0' : *in;
            continue;
        }
        if (!quote && (*in == ' ' || *in == '\t'))
            break;
        if (*in == '\\' && quote != '\'' && in[1] != '\0')
            in++;
        *out++ = *in;
    }
    *out = '\0';
}

static int assign(struct os_release *release, const char *key, const char *value,
                  struct error **err)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (strcmp(key, fields[i].key) != 0)
            continue;
        /* Shown to people; nothing that is a name holds control bytes. */
        _cleanup_free_ char *shown = str_printable(value);
        return shown ? str_replace(field_of(release, i), shown, err) : error_oom(err);
    }
    return 0;
}

int os_release_parse(const char *text, struct os_release *ret, struct error **err)
{
    _cleanup_os_release_ struct os_release release = {0};
    _cleanup_free_ char *copy = strdup(text);
    if (!copy)
        return error_oom(err);
    char *next = copy;
    for (char *line = strsep(&next, "\n"); line; line = strsep(&next, "\n")) {
        line = str_strip(line);
        char *equals = strchr(line, '=');
        if (*line == '#' || !equals)
            continue;
        *equals = '\0';
        unquote(equals + 1);
        int r = assign(&release, line, equals + 1, err);
        if (r < 0)
            return r;
    }
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
    {"alpine", "alpinelinux"},
    {"arch", "archlinux"},
    {"kali", "kalilinux"},
    {"ol", "oraclelinux"},
    {"openEuler", "openeuler"},
    {"pld", "pldlinux"},
    {"scientific", "scientificlinux"},
    {"sled", "sles"},
    {"sles_sap", "sles"},
    {"void", "voidlinux"},
    {"opensuse", "opensuse"},
};

char *os_release_distro(const struct os_release *release, struct error **err)
{
    const char *distro = str_empty(release->id) ? "unknown" : release->id;
    if (str_starts(distro, "opensuse-"))
        distro = "opensuse";
    for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
        if (strcmp(distro, spellings[i].id) == 0)
            distro = spellings[i].distro;
    return str_printf(err, "%s", distro);
}
