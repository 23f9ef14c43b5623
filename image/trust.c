#include "image/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"

static const char site_config[] = "/etc/kiln/backing.conf";
static const char default_folder[] = "/var/lib/libvirt/images";

static bool within(const char *folder, const char *real)
{
    size_t length = strlen(folder);
    while (length > 0 && folder[length - 1] == '/')
        length--;
    return strncmp(real, folder, length) == 0 && real[length] == '/';
}

/* Folders that are not there trust nothing. */
static bool within_resolved(const char *folder, const char *real)
{
    _cleanup_free_ char *resolved = realpath(folder, NULL);
    return resolved && within(resolved, real);
}

static int refuse(const char *real, struct error **err, const char *why)
{
    _cleanup_free_ char *shown = str_printable(real);
    _cleanup_free_ char *folder = path_parent(shown ? shown : "/");
    int r = error_set(err, EUNTRUSTED, "%s: not trusted as a backing file: %s", shown ? shown : "?",
                      why);
    error_hint(err, "if you trust the image: --allow-backing %s", folder ? folder : "DIR");
    return r;
}

/* "$VARIABLE/TAIL", or below the home directory. NULL without an error: neither is set. */
static char *user_path(const char *variable, const char *in_home, const char *tail,
                       struct error **err)
{
    const char *directory = getenv(variable), *home = getenv("HOME");
    if (directory && *directory == '/')
        return str_printf(err, "%s/%s", directory, tail);
    return home && *home == '/' ? str_printf(err, "%s/%s/%s", home, in_home, tail) : NULL;
}

static int judge_lines(char *text, const char *name, const char *real, bool *ret_trusted,
                       struct error **err)
{
    unsigned number = 0;
    for (char *line = strsep(&text, "\n"); line; line = strsep(&text, "\n")) {
        number++;
        line = str_strip(line);
        if (*line == '\0' || *line == '#')
            continue;
        if (*line != '/')
            return error_set(err, EINVAL, "%s, line %u: a folder must be given from / on", name,
                             number);
        *ret_trusted = *ret_trusted || within_resolved(line, real);
    }
    return 0;
}

/* -ENOENT: there is no such file. */
static int judge_by_file(const char *name, const char *real, bool *ret_trusted, struct error **err)
{
    enum { config_max = 1 << 16 };
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r =
        name && access(name, F_OK) == 0 ? file_read(name, config_max, &text, &size, err) : -ENOENT;
    return r < 0 ? r : judge_lines(text, name, real, ret_trusted, err);
}

static int judge_by_config(const char *real, bool *ret_trusted, struct error **err)
{
    _cleanup_free_ char *own = user_path("XDG_CONFIG_HOME", ".config", "kiln/backing.conf", NULL);
    int r = judge_by_file(own, real, ret_trusted, err);
    if (r == -ENOENT)
        r = judge_by_file(site_config, real, ret_trusted, err);
    if (r != -ENOENT)
        return r;
    *ret_trusted = within_resolved(default_folder, real);
    return 0;
}

int image_trust_judge(const struct image_trust *trust, const char *home, const char *real,
                      const struct stat *st, struct error **err)
{
    for (size_t i = 0; trust && i < trust->folders.count; i++)
        if (within_resolved(trust->folders.items[i], real))
            return 0;
    if (!S_ISREG(st->st_mode))
        return refuse(real, err, "it is a block device");
    _cleanup_free_ char *cache = user_path("XDG_CACHE_HOME", ".cache", "kiln", NULL);
    bool trusted = within(home, real) || (cache && within_resolved(cache, real));
    int r = trusted ? 0 : judge_by_config(real, &trusted, err);
    if (r < 0)
        return r;
    if (!trusted)
        return refuse(real, err,
                      "it is not in the folder of the image, nor in one that the "
                      "configuration trusts");
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return refuse(real, err, "it belongs to another user");
    return 0;
}
