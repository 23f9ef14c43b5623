#include "guest/inspect/hostname.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "guest/inspect/guest_text.h"
#include "guest/inspect/osrelease.h"

/* hostname(5): the first line that is neither empty nor a comment. */
static int read_plain(struct guest *guest, const char *path, char **ret, struct error **err)
{
    _cleanup_free_ char *text = NULL;
    int r = guest_text(guest, path, &text, err);
    char *next = text;
    for (char *line = strsep(&next, "\n"); line; line = strsep(&next, "\n")) {
        line = str_strip(line);
        if (*line == '\0' || *line == '#')
            continue;
        *ret = str_printable(line);
        return *ret ? 0 : error_oom(err);
    }
    return r;
}

/* A shell reads it: the last assignment counts. */
struct assigned {
    const char *name;
    char *value;
};

static int take(void *context, const char *name, const char *value, struct error **err)
{
    struct assigned *assigned = context;
    return strcmp(name, assigned->name) == 0 ? str_replace(&assigned->value, value, err) : 0;
}

static int read_assigned(struct guest *guest, const char *path, const char *name, char **ret,
                         struct error **err)
{
    _cleanup_free_ char *text = NULL;
    struct assigned assigned = {.name = name};
    int r = guest_text(guest, path, &text, err);
    if (r == 0 && text)
        r = assignments_read(text, take, &assigned, err);
    if (r == 0 && !str_empty(assigned.value)) {
        *ret = str_printable(assigned.value);
        r = *ret ? 0 : error_oom(err);
    }
    free(assigned.value);
    return r;
}

/* OpenWrt's UCI: "option hostname 'name'" in a section "system". */
static int read_uci(struct guest *guest, const char *path, char **ret, struct error **err)
{
    static const char option[] = "option", hostname[] = "hostname";
    _cleanup_free_ char *text = NULL;
    int r = guest_text(guest, path, &text, err);
    char *next = text;
    for (char *line = strsep(&next, "\n"); line && !*ret; line = strsep(&next, "\n")) {
        char *state, *word = strtok_r(line, " \t'\"", &state);
        if (!word || strcmp(word, option) != 0)
            continue;
        word = strtok_r(NULL, " \t'\"", &state);
        if (!word || strcmp(word, hostname) != 0)
            continue;
        word = strtok_r(NULL, " \t'\"", &state);
        *ret = word ? str_printable(word) : NULL;
        if (word && !*ret)
            return error_oom(err);
    }
    return r;
}

int guest_hostname(struct guest *guest, char **ret, struct error **err)
{
    static const char *const plain[] = {"/etc/hostname", "/etc/HOSTNAME", "/etc/myname"};
    /* Of Red Hat before version 7, Gentoo's OpenRC, and the BSDs. */
    static const struct {
        const char *path, *name;
    } assigned[] = {
        {"/etc/sysconfig/network", "HOSTNAME"},
        {"/etc/conf.d/hostname", "hostname"},
        {"/etc/rc.conf", "hostname"},
    };
    char *name = NULL;
    int r = 0;
    for (size_t i = 0; r == 0 && !name && i < ARRAY_SIZE(plain); i++)
        r = read_plain(guest, plain[i], &name, err);
    for (size_t i = 0; r == 0 && !name && i < ARRAY_SIZE(assigned); i++)
        r = read_assigned(guest, assigned[i].path, assigned[i].name, &name, err);
    if (r == 0 && !name)
        r = read_uci(guest, "/etc/config/system", &name, err);
    if (r == 0 && !name)
        r = str_replace(&name, "", err);
    if (r == 0)
        *ret = name;
    return r;
}
