#include "cli/catalog.h"

#include <errno.h>

static int add_sources(const struct catalog_arguments *arguments, struct repo_list *list,
                       struct error **err)
{
    const struct strv *keys = &arguments->fingerprints;
    if (keys->count > 1 && keys->count != arguments->sources.count)
        return error_set(err, EINVAL, "--fingerprint is given %zu times for %zu --source",
                         keys->count, arguments->sources.count);
    for (size_t i = 0; i < arguments->sources.count; i++) {
        const char *key = keys->count == 0 ? NULL : keys->items[keys->count == 1 ? 0 : i];
        int r = repo_list_add(list, arguments->sources.items[i], key, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int load_repos(const struct catalog_arguments *arguments, struct reporter *reporter,
                      struct repo_list *list, struct error **err)
{
    if (arguments->sources.count > 0)
        return add_sources(arguments, list, err);
    _cleanup_strv_ struct strv directories = {0};
    int r = repo_directories(&directories, err);
    if (r == 0)
        r = repo_list_load(&directories, list, reporter, err);
    if (r < 0 || list->count > 0)
        return r;
    error_set(err, ENOENT, "no repository is configured");
    return error_hint(err,
                      "put a NAME.conf with [name], uri= and gpgkey= into "
                      "~/.config/kiln/repos.d or /etc/virt-builder/repos.d, or use --source URI; "
                      "see kiln-build(1), REPOSITORIES");
}

int cli_catalog_open(const struct catalog_arguments *arguments, const char *wanted,
                     const char *arch, struct reporter *reporter, struct opened_catalog *ret,
                     struct error **err)
{
    const struct catalog_options options = {
        .check_signature = arguments->check_signature,
        .min_speed = arguments->min_speed,
        .reporter = reporter,
        .wanted = wanted,
        .wanted_arch = arch,
    };
    int r = load_repos(arguments, reporter, &ret->repos, err);
    if (r == 0)
        r = catalog_load(&ret->repos, &options, &ret->catalog, err);
    return r;
}

void cli_catalog_close(struct opened_catalog *opened)
{
    catalog_free(&opened->catalog);
    repo_list_free(&opened->repos);
}

const char *cli_message_locale(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        const char *value = getenv(variables[i]);
        if (!str_empty(value))
            return value;
    }
    return "C";
}
