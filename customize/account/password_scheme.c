#include "customize/account/password_scheme.h"

#include <stdlib.h>
#include <string.h>

#include "guest/text/distro.h"
#include "guest/text/text.h"

static const struct password_scheme schemes[] = {
    {"md5", "$1$"},
    {"sha256", "$5$"},
    {"sha512", "$6$"},
    {"yescrypt", "$y$"},
};

const struct password_scheme *password_scheme_find(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
        if (strlen(schemes[i].name) == length && strncasecmp(schemes[i].name, name, length) == 0)
            return &schemes[i];
    return NULL;
}

const char *password_scheme_name(const struct password_scheme *scheme)
{
    return scheme->name;
}

static bool is_pam_unix(const char *word, size_t length)
{
    static const char module[] = "pam_unix.so";
    size_t size = sizeof(module) - 1;
    if (length < size || memcmp(word + length - size, module, size) != 0)
        return false;
    return length == size || word[length - size - 1] == '/';
}

/* pam.conf(5): TYPE CONTROL MODULE OPTION...; CONTROL may be several words in brackets. */
static const struct password_scheme *scheme_of_pam_line(const struct line *line)
{
    size_t offset = 0;
    const char *word;
    size_t length;
    if (!line_next_word(line, &offset, &word, &length))
        return NULL;
    if (!line_is(word, length, "password") && !line_is(word, length, "-password"))
        return NULL;
    bool in_options = false;
    const struct password_scheme *found = NULL;
    while (line_next_word(line, &offset, &word, &length) && word[0] != '#') {
        const struct password_scheme *scheme = password_scheme_find(word, length);
        if (in_options && scheme)
            found = scheme;
        in_options = in_options || is_pam_unix(word, length);
    }
    return found;
}

/* login.defs(5): NAME VALUE */
static const struct password_scheme *scheme_of_login_defs_line(const struct line *line)
{
    size_t offset = 0;
    const char *word;
    size_t length;
    if (!line_next_word(line, &offset, &word, &length) || !line_is(word, length, "ENCRYPT_METHOD"))
        return NULL;
    return line_next_word(line, &offset, &word, &length) ? password_scheme_find(word, length)
                                                         : NULL;
}

/* In the order in which they count. */
static const struct {
    const char *path;
    const struct password_scheme *(*scheme_of_line)(const struct line *line);
} sources[] = {
    {"/etc/pam.d/common-password", scheme_of_pam_line}, /* Debian, SUSE */
    {"/etc/pam.d/system-auth", scheme_of_pam_line},     /* Red Hat, Arch, Gentoo */
    {"/etc/pam.d/passwd", scheme_of_pam_line},          /* those without a common file */
    {"/etc/login.defs", scheme_of_login_defs_line},
};

int password_scheme_of_guest(struct guest *guest, const struct guest_info *info,
                             const struct password_scheme **ret, struct error **err)
{
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        _cleanup_text_ struct text text = {0};
        int r = text_read(guest, sources[i].path, &text, NULL, err);
        if (r < 0)
            return r;
        const struct password_scheme *found = NULL;
        struct line line;
        for (size_t offset = 0; text_next_line(&text, &offset, &line);) {
            const struct password_scheme *scheme = sources[i].scheme_of_line(&line);
            if (scheme)
                found = scheme;
        }
        if (found) {
            *ret = found;
            return 0;
        }
    }
    const char *name = distro_facts_of(info)->password_scheme;
    /* Busybox can be built to check passwords itself, and supports no newer scheme. */
    if (info->init && strcmp(info->init, "busybox") == 0)
        name = "sha512";
    *ret = password_scheme_find(name, strlen(name));
    return 0;
}
