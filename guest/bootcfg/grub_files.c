/* Commands that read files and look for file systems: commands/configfile.c, loadenv.c,
 * search_wrap.c and probe.c of GRUB. */
#include <errno.h>
#include <stdlib.h>

#include "guest/bootcfg/grub_run.h"

void grub_found_free(struct grub_found *found)
{
    free(found->path);
    *found = (struct grub_found){0};
}

int grub_find(struct grub_run *run, const char *path, struct grub_found *ret, struct error **err)
{
    const char *root = grub_env_get(run->env, "root");
    const char *close = *path == '(' ? strchr(path, ')') : NULL;
    _cleanup_free_ char *device =
        close ? strndup(path + 1, (size_t)(close - path - 1)) : strdup(root ? root : "");
    if (!device)
        return error_oom(err);
    const char *name = close ? close + 1 : path;
    if (grub_is_unknown(name))
        return grub_unknown_text(err, "the name of a file", name);
    *ret = (struct grub_found){0};
    if (!*device || (*name && *name != '/'))
        return 0; /* a list of blocks is no file's name */
    return run->host->find(run->host->context, device, *name ? name : "/", ret, err);
}

/* Lines that begin with '#' are passed over wherever they stand, carriage returns as well
 * (grub_file_getline(), read_config_file_getline()). */
static void drop_comments(char *text)
{
    char *out = text;
    bool begins = true;
    for (const char *in = text; *in;) {
        if (begins && *in == '#') {
            in += strcspn(in, "\n");
            in += *in == '\n';
            continue;
        }
        begins = *in == '\n';
        if (*in != '\r')
            *out++ = *in;
        in++;
    }
    *out = '\0';
}

static int set_directory(struct grub_run *run, const char *file, struct error **err)
{
    const char *root = grub_env_get(run->env, "root");
    bool device = *file == '(';
    _cleanup_free_ char *full = str_printf(err, "%s%s%s%s", device ? "" : "(",
                                           device || !root ? "" : root, device ? "" : ")", file);
    int r = full ? grub_env_set(run->env, "config_file", full, err) : -ENOMEM;
    char *slash = full ? strrchr(full, '/') : NULL;
    if (slash)
        *slash = '\0';
    if (r == 0)
        r = grub_env_set(run->env, "config_directory", full, err);
    if (r == 0)
        r = grub_env_export(run->env, "config_file", err);
    return r < 0 ? r : grub_env_export(run->env, "config_directory", err);
}

static int put_back(struct grub_run *run, const char *name, const char *value, struct error **err)
{
    if (value)
        return grub_env_set(run->env, name, value, err);
    grub_env_unset(run->env, name);
    return 0;
}

int grub_run_config(struct grub_run *run, const char *file, const char *text, struct error **err)
{
    const char *old_file = grub_env_get(run->env, "config_file");
    const char *old_dir = grub_env_get(run->env, "config_directory");
    _cleanup_free_ char *saved_file = old_file ? strdup(old_file) : NULL;
    _cleanup_free_ char *saved_dir = old_dir ? strdup(old_dir) : NULL;
    _cleanup_free_ char *copy = strdup(text);
    if ((old_file && !saved_file) || (old_dir && !saved_dir) || !copy)
        return error_oom(err);
    drop_comments(copy);
    int r = set_directory(run, file, err);
    if (r == 0)
        r = grub_run_text(run, copy, err);
    if (r >= 0)
        r = put_back(run, "config_file", saved_file, err);
    if (r >= 0)
        r = put_back(run, "config_directory", saved_dir, err);
    return r;
}

/* A file that cannot be opened is no failure. */
static int run_file(struct grub_run *run, const char *file, struct error **err)
{
    _cleanup_grub_found_ struct grub_found found = {0};
    _cleanup_free_ char *text = NULL;
    int r = grub_find(run, file, &found, err);
    if (r < 0)
        return error_wrap(err, "a further configuration of GRUB");
    if (found.kind != GRUB_FILE)
        return GRUB_OK;
    r = run->host->read(run->host->context, found.path, &text, err);
    if (r < 0)
        return r;
    if (++run->depth > GRUB_DEPTH_MAX)
        return error_set(err, E2BIG, "configurations load each other without end");
    r = grub_run_config(run, file, text, err);
    run->depth--;
    return r < 0 ? r : GRUB_OK;
}

int grub_source(struct grub_run *run, const struct strv *words, struct error **err)
{
    return words->count == 2 ? run_file(run, words->items[1], err) : GRUB_BAD_ARGUMENT;
}

/* The file has a menu of its own, which is shown when it has been read. */
int grub_configfile(struct grub_run *run, const struct strv *words, struct error **err)
{
    if (words->count != 2)
        return GRUB_BAD_ARGUMENT;
    struct grub_menu *outer = run->menu;
    struct grub_menu menu = {0};
    int r = grub_env_open(&run->env, err);
    if (r < 0)
        return r;
    run->menu = &menu;
    r = run_file(run, words->items[1], err);
    if (r >= 0 && !run->ended && menu.count > 0)
        r = grub_run_menu(run, err);
    run->menu = outer;
    grub_menu_free(&menu);
    grub_env_close(&run->env);
    return r < 0 ? r : GRUB_OK;
}

/* The environment block. */

struct loading {
    struct grub_run *run;
    const struct strv *names; /* none: all variables */
    struct error **err;
};

static int load_variable(void *context, const char *name, const char *value)
{
    struct loading *loading = context;
    if (loading->names->count > 0 && !strv_contains(loading->names, name))
        return 0;
    return grub_env_set(loading->run->env, name, value, loading->err);
}

int grub_load_env(struct grub_run *run, const struct strv *words, struct error **err)
{
    enum { FILE_NAME, SKIP };
    static const struct grub_option options[] = {
        [FILE_NAME] = {"--file", 'f', true, false},
        [SKIP] = {"--skip-sig", 's', false, false},
    };
    _cleanup_grub_options_ struct grub_options given = {0};
    int r = grub_options_read(words, options, ARRAY_SIZE(options), false, &given, err);
    if (r != GRUB_OK)
        return r;
    const char *prefix = grub_env_get(run->env, "prefix");
    _cleanup_free_ char *path = given.values[FILE_NAME]
                                    ? strdup(given.values[FILE_NAME])
                                    : str_printf(err, "%s/grubenv", prefix ? prefix : "");
    _cleanup_grub_found_ struct grub_found found = {0};
    _cleanup_free_ char *block = NULL;
    r = path ? grub_find(run, path, &found, err) : error_oom(err);
    if (r < 0)
        return error_wrap(err, "GRUB's environment block");
    if (found.kind != GRUB_FILE)
        return GRUB_NO_FILE;
    r = run->host->read(run->host->context, found.path, &block, err);
    if (r < 0)
        return r;
    if (!grub_env_is_block(block))
        return GRUB_NO_FILE;
    struct loading loading = {.run = run, .names = &given.rest, .err = err};
    return grub_env_load(block, load_variable, &loading, err);
}

/* Devices. */

static int set_device(struct grub_run *run, enum grub_key key, const char *value,
                      const char *variable, const struct strv *words, struct error **err)
{
    if (grub_is_unknown(value))
        return grub_unknown_text(err, "what \"search\" looks for", value);
    _cleanup_free_ char *device = NULL;
    int r = run->host->find_device(run->host->context, key, value, &device, err);
    if (r == 0 && variable)
        r = grub_env_set(run->env, variable, device, err);
    if (r < 0)
        return r;
    return str_starts(device, GRUB_DEVICE) ? GRUB_OK : grub_leave_open(run, words, err);
}

/* "search.fs_uuid UUID VARIABLE" and its likes. */
static int search_one(struct grub_run *run, const struct strv *words, struct error **err)
{
    const char *kind = strchr(words->items[0], '.') + 1;
    enum grub_key key = strcmp(kind, "fs_uuid") == 0    ? GRUB_BY_UUID
                        : strcmp(kind, "fs_label") == 0 ? GRUB_BY_LABEL
                                                        : GRUB_BY_FILE;
    if (words->count < 2)
        return GRUB_BAD_ARGUMENT;
    return set_device(run, key, words->items[1], words->count > 2 ? words->items[2] : NULL, words,
                      err);
}

int grub_search(struct grub_run *run, const struct strv *words, struct error **err)
{
    enum { BY_FILE, BY_LABEL, BY_UUID, SET };
    static const struct grub_option options[] = {
        [BY_FILE] = {"--file", 'f', false, false},
        [BY_LABEL] = {"--label", 'l', false, false},
        [BY_UUID] = {"--fs-uuid", 'u', false, false},
        [SET] = {"--set", 's', true, true},
        {"--no-floppy", 'n', false, false},
        {"--efidisk-only", 0, false, false},
        {"--cryptodisk-only", 0, false, false},
        {"--root-dev-only", 'r', false, false},
        {"--hint", 'h', true, false},
        {"--hint-ieee1275", 0, true, false},
        {"--hint-bios", 0, true, false},
        {"--hint-baremetal", 0, true, false},
        {"--hint-efi", 0, true, false},
        {"--hint-arc", 0, true, false},
    };
    if (strchr(words->items[0], '.'))
        return search_one(run, words, err);
    _cleanup_grub_options_ struct grub_options given = {0};
    int r = grub_options_read(words, options, ARRAY_SIZE(options), true, &given, err);
    if (r != GRUB_OK)
        return r;
    size_t i = 0;
    while (i < given.rest.count && str_starts(given.rest.items[i], "--hint-"))
        i++;
    const char *variable = given.values[SET], *value = NULL;
    if (i < given.rest.count) {
        value = given.rest.items[i];
        variable = variable && !*variable ? "root" : variable;
    } else if (!str_empty(variable)) {
        value = variable;
        variable = "root";
    }
    bool typed = given.values[BY_LABEL] || given.values[BY_UUID] || given.values[BY_FILE];
    if (!value || !typed)
        return GRUB_BAD_ARGUMENT;
    enum grub_key key = given.values[BY_LABEL]  ? GRUB_BY_LABEL
                        : given.values[BY_UUID] ? GRUB_BY_UUID
                                                : GRUB_BY_FILE;
    return set_device(run, key, value, variable, words, err);
}

int grub_probe(struct grub_run *run, const struct strv *words, struct error **err)
{
    enum { SET, UUID };
    static const struct grub_option options[] = {
        [SET] = {"--set", 's', true, false}, [UUID] = {"--fs-uuid", 'u', false, false},
        {"--driver", 'd', false, false},     {"--partmap", 'p', false, false},
        {"--fs", 'f', false, false},         {"--label", 'l', false, false},
        {"--part-uuid", 0, false, false},
    };
    _cleanup_grub_options_ struct grub_options given = {0};
    int r = grub_options_read(words, options, ARRAY_SIZE(options), false, &given, err);
    if (r != GRUB_OK)
        return r;
    if (given.rest.count != 1)
        return GRUB_BAD_ARGUMENT;
    const char *device = given.rest.items[0] + (given.rest.items[0][0] == '(');
    _cleanup_free_ char *name = strndup(device, strcspn(device, ")"));
    if (!name)
        return error_oom(err);
    const char *value = given.values[UUID] ? run->host->uuid(run->host->context, name) : NULL;
    if (given.values[SET])
        r = grub_env_set(run->env, given.values[SET], value ? value : "\1probe\1", err);
    return r < 0 ? r : value ? GRUB_OK : grub_leave_open(run, words, err);
}
