#include "repos/repo.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/fdio.h"
#include "repos/download.h"
#include "repos/repo_internal.h"

/* Far above the size of any definition. */
#define CONF_MAX (1 << 20)

void repo_clear(struct repo *repo)
{
    free(repo->name);
    free(repo->uri);
    free(repo->gpgkey);
    free(repo->fingerprint);
    free(repo->proxy);
    free(repo->origin);
    *repo = (struct repo){0};
}

void repo_list_free(struct repo_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        repo_clear(&list->items[i]);
    free(list->items);
    *list = (struct repo_list){0};
}

const struct repo *repo_list_find(const struct repo_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

int repo_list_take(struct repo_list *list, struct repo *repo, struct error **err)
{
    struct repo *grown = reallocarray(list->items, list->count + 1, sizeof(*grown));
    if (!grown)
        return error_oom(err);
    list->items = grown;
    grown[list->count++] = *repo;
    *repo = (struct repo){0};
    return 0;
}

static int add_repos_d(struct strv *list, const char *config, struct error **err)
{
    int r = strv_addf(list, err, "%s/kiln/repos.d", config);
    return r < 0 ? r : strv_addf(list, err, "%s/virt-builder/repos.d", config);
}

/* A colon-separated list from the environment. Relative directories in it are to be ignored (XDG
 * Base Directory Specification 0.8, "Basics"). */
static int add_variable(struct strv *list, const char *variable, const char *fallback,
                        struct error **err)
{
    const char *value = getenv(variable);
    _cleanup_free_ char *copy = strdup(str_empty(value) ? fallback : value);
    if (!copy)
        return error_oom(err);
    char *rest = NULL;
    for (char *part = strtok_r(copy, ":", &rest); part; part = strtok_r(NULL, ":", &rest)) {
        int r = *part == '/' ? add_repos_d(list, part, err) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

int repo_directories(struct strv *ret, struct error **err)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    _cleanup_strv_ struct strv list = {0};
    int r = 0;
    if (!str_empty(config) && *config == '/') {
        r = add_repos_d(&list, config, err);
    } else if (!str_empty(home)) {
        _cleanup_free_ char *fallback = str_printf(err, "%s/.config", home);
        r = fallback ? add_repos_d(&list, fallback, err) : -ENOMEM;
    }
    if (r == 0)
        r = add_variable(&list, "XDG_CONFIG_DIRS", "/etc/xdg", err);
    if (r == 0)
        r = add_variable(&list, "VIRT_BUILDER_DIRS", "/etc", err);
    if (r < 0)
        return r;
    *ret = list;
    list = (struct strv){0};
    return 0;
}

static int is_conf(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && str_ends(entry->d_name, ".conf");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_file(const char *path, struct repo_list *list, struct reporter *reporter,
                     bool *ret_read, struct error **err)
{
    _cleanup_free_ char *text = NULL;
    _cleanup_error_ struct error *failure = NULL;
    size_t size = 0;
    *ret_read = false;
    if (file_read(path, CONF_MAX, &text, &size, &failure) < 0) {
        report(reporter, REPORT_WARNING, "%s; the file is ignored", error_message(failure));
        return 0;
    }
    *ret_read = true;
    return repo_conf_parse(text, size, path, list, reporter, err);
}

/* `seen` gathers the names of the files that were read. */
static int load_directory(const char *directory, struct repo_list *list, struct strv *seen,
                          struct reporter *reporter, struct error **err)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_conf, by_bytes);
    if (count < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            report(reporter, REPORT_WARNING, "%s: cannot be read: %s", directory, strerror(errno));
        return 0;
    }
    int r = 0;
    for (int i = 0; i < count; i++) {
        bool was_read = false;
        if (r == 0 && !strv_contains(seen, entries[i]->d_name)) {
            _cleanup_free_ char *path = str_printf(err, "%s/%s", directory, entries[i]->d_name);
            r = path ? load_file(path, list, reporter, &was_read, err) : -ENOMEM;
        }
        if (r == 0 && was_read)
            r = strv_add(seen, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return r;
}

int repo_list_load(const struct strv *directories, struct repo_list *ret, struct reporter *reporter,
                   struct error **err)
{
    _cleanup_repo_list_ struct repo_list list = {0};
    _cleanup_strv_ struct strv seen = {0};
    for (size_t i = 0; i < directories->count; i++) {
        int r = load_directory(directories->items[i], &list, &seen, reporter, err);
        if (r < 0)
            return r;
    }
    *ret = list;
    list = (struct repo_list){0};
    return 0;
}

/* Upper-case digits without blanks; NULL and -EINVAL for anything but a whole fingerprint. */
static int parse_fingerprint(const char *text, char **ret, struct error **err)
{
    _cleanup_str_ struct str digits = {0};
    bool good = true;
    const char *p = str_starts(text, "0x") ? text + 2 : text;
    for (; *p; p++) {
        char digit = (char)toupper((unsigned char)*p);
        if (isxdigit((unsigned char)digit))
            str_append_n(&digits, &digit, 1);
        else if (!isspace((unsigned char)digit) && digit != ':')
            good = false;
    }
    if (!good || (digits.length != 40 && digits.length != 64)) {
        _cleanup_free_ char *printable = str_printable(text);
        error_set(err, EINVAL,
                  "'%s' is no fingerprint of a key: 40 hexadecimal digits are expected",
                  printable ? printable : "?");
        return error_hint(err, "'gpg --fingerprint NAME' prints it; shorter key ids can be forged");
    }
    *ret = str_take(&digits, err);
    return *ret ? 0 : -ENOMEM;
}

/* A path as the user wrote it, from the working directory. */
static char *absolute_source(const char *uri, struct error **err)
{
    _cleanup_free_ char *path = NULL;
    bool local = uri_is_local(uri, &path);
    if (local && !path) {
        error_oom(err);
    } else if (local && *path != '/' && *path) {
        _cleanup_free_ char *here = getcwd(NULL, 0);
        if (here)
            return str_printf(err, "%s/%s", here, path);
        error_sys(err, errno, "%s: no working directory", uri);
    } else if (uri_is_remote(uri) || (local && *path)) {
        return str_printf(err, "%s", uri);
    } else {
        _cleanup_free_ char *printable = uri_printable(uri);
        error_set(err, EINVAL, "'%s' is no http, https, ftp or file URI, nor a path",
                  printable ? printable : "?");
    }
    return NULL;
}

int repo_list_add(struct repo_list *list, const char *uri, const char *fingerprint,
                  struct error **err)
{
    _cleanup_(repo_clear) struct repo repo = {0};
    repo.uri = absolute_source(uri, err);
    if (!repo.uri)
        return err && *err ? -error_errno(*err) : -EINVAL;
    if (fingerprint) {
        int r = parse_fingerprint(fingerprint, &repo.fingerprint, err);
        if (r < 0)
            return r;
    }
    /* Shown where a section's name would be. */
    repo.name = uri_printable(repo.uri);
    repo.origin = strdup("--source");
    if (!repo.name || !repo.origin)
        return error_oom(err);
    return repo_list_take(list, &repo, err);
}
