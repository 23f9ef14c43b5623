/* What the guest's own boot loader would boot. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "guest/bootcfg/bls.h"
#include "guest/bootcfg/grub_script.h"
#include "guest/bootcfg/grub_word.h"
#include "guest/inspect/inspect.h"

#define CONFIG_MAX  ((size_t)1 << 20)
#define ENTRY_MAX   ((size_t)64 << 10)
#define ENTRIES_MAX 500

/* Files. */

static bool is_file(struct guest *guest, const char *path)
{
    struct guest_stat st;
    return guest_path_check(path, NULL) == 0 && guest_stat(guest, path, true, &st, NULL) == 0 &&
           S_ISREG(st.mode);
}

/*
 * Where a path of the boot loader lies in the guest: the loader's root may be the guest's root, the
 * file system below /boot, or one whose subvolume the path names first. *ret NULL: nowhere.
 */
static int locate(struct guest *guest, const char *path, char **ret, struct error **err)
{
    *ret = NULL;
    const char *below = path + (*path == '/');
    const char *inner = strchr(below, '/');
    const struct {
        const char *prefix, *path;
    } candidates[] = {
        {"/", below}, {"/boot/", below}, {"/boot/efi/", below}, {"/efi/", below}, {"", inner},
    };
    for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
        if (!candidates[i].path)
            continue;
        char *candidate = str_printf(err, "%s%s", candidates[i].prefix, candidates[i].path);
        if (!candidate)
            return -ENOMEM;
        if (is_file(guest, candidate)) {
            *ret = candidate;
            return 0;
        }
        free(candidate);
    }
    return 0;
}

/* The text at the first of the paths that can be read; *ret NULL: none can. */
static int read_first(struct guest *guest, const char *const *paths, size_t count, char **ret,
                      size_t *ret_index, struct error **err)
{
    *ret = NULL;
    for (size_t i = 0; i < count; i++) {
        _cleanup_error_ struct error *error = NULL;
        int r = guest_read(guest, paths[i], CONFIG_MAX, ret, NULL, &error);
        if (r == -ENOMEM)
            return error_move(err, TAKE_PTR(error));
        if (r == 0) {
            *ret_index = i;
            return 0;
        }
    }
    return 0;
}

/* An entry found by either way, its files located. */
static int take_entry(struct guest *guest, const char *title, const char *kernel,
                      const char *initrd, const char *options, struct guest_boot_entry *ret,
                      struct error **err)
{
    _cleanup_guest_boot_entry_ struct guest_boot_entry entry = {0};
    int r = locate(guest, kernel, &entry.kernel, err);
    if (r == 0 && !entry.kernel)
        return error_set(err, ENOENT, "the kernel of the default boot entry, %s, does not exist",
                         kernel);
    if (r == 0 && !str_empty(initrd))
        r = locate(guest, initrd, &entry.initrd, err);
    if (r < 0)
        return r;
    entry.title = str_printable(title);
    entry.command_line = str_printable(options);
    if (!entry.title || !entry.command_line)
        return error_oom(err);
    *ret = entry;
    entry = (struct guest_boot_entry){0};
    return 0;
}

/* Boot Loader Specification. */

struct bls_list {
    struct guest *guest;
    const char *dir;
    struct bls_entry *items;
    size_t count;
    struct error **err;
};

static void bls_list_free(struct bls_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        bls_entry_free(&list->items[i]);
    free(list->items);
}
#define _cleanup_bls_list_ _cleanup_(bls_list_free)

static int add_bls(void *context, const char *name, mode_t type)
{
    (void)type;
    struct bls_list *list = context;
    size_t length = strlen(name);
    if (!str_ends(name, ".conf") || list->count >= ENTRIES_MAX)
        return 0;
    _cleanup_free_ char *path = str_printf(list->err, "%s/%s", list->dir, name);
    _cleanup_free_ char *id = strndup(name, length - strlen(".conf"));
    _cleanup_free_ char *text = NULL;
    if (!path || !id)
        return -ENOMEM;
    if (guest_read(list->guest, path, ENTRY_MAX, &text, NULL, NULL) < 0)
        return 0;
    struct bls_entry *items = reallocarray(list->items, list->count + 1, sizeof(*items));
    if (!items)
        return error_oom(list->err);
    list->items = items;
    int r = bls_parse(id, text, &items[list->count], list->err);
    if (r < 0)
        return r;
    if (*items[list->count].kernel)
        list->count++;
    else
        bls_entry_free(&items[list->count]);
    return 0;
}

static int read_bls(struct guest *guest, struct bls_list *ret, struct error **err)
{
    static const char *const dirs[] = {"/boot/loader/entries", "/efi/loader/entries",
                                       "/boot/efi/loader/entries"};
    for (size_t i = 0; i < ARRAY_SIZE(dirs) && ret->count == 0; i++) {
        _cleanup_error_ struct error *error = NULL;
        ret->guest = guest;
        ret->dir = dirs[i];
        ret->err = &error;
        int r = guest_list(guest, dirs[i], add_bls, ret, &error);
        if (r == -ENOMEM)
            return error ? error_move(err, TAKE_PTR(error)) : error_oom(err);
    }
    return 0;
}

static int boot_bls(struct guest *guest, const struct bls_entry *entry, const struct grub_env *env,
                    struct guest_boot_entry *ret, struct error **err)
{
    /* Entries of Fedora and its relatives use $kernelopts, which GRUB expands. */
    _cleanup_free_ char *options =
        grub_word_expand(entry->options, strlen(entry->options), env, err);
    _cleanup_free_ char *initrd =
        options ? grub_word_expand(entry->initrd, strlen(entry->initrd), env, err) : NULL;
    if (!initrd)
        return -ENOMEM;
    /* "initrd A B" of GRUB: the last is the one that is not microcode. */
    char *space = strrchr(str_strip(initrd), ' ');
    const char *title = *entry->title ? entry->title : entry->id;
    return take_entry(guest, title, entry->kernel, space ? space + 1 : str_strip(initrd),
                      str_strip(options), ret, err);
}

/* systemd-boot, or whatever else reads the entries alone. */
static int boot_loader_conf(struct guest *guest, struct bls_list *list,
                            struct guest_boot_entry *ret, struct error **err)
{
    static const char *const paths[] = {"/boot/loader/loader.conf", "/efi/loader/loader.conf",
                                        "/boot/efi/loader/loader.conf"};
    _cleanup_free_ char *text = NULL, *pattern = NULL;
    size_t unused;
    int r = read_first(guest, paths, ARRAY_SIZE(paths), &text, &unused, err);
    char *next = text;
    while (r == 0 && next) {
        char *line = str_strip(strsep(&next, "\n"));
        if (str_starts(line, "default ") || str_starts(line, "default\t"))
            r = str_replace(&pattern, str_strip(line + strlen("default")), err);
    }
    if (r < 0)
        return r;
    qsort(list->items, list->count, sizeof(*list->items), bls_compare);
    size_t chosen = 0;
    for (size_t i = 0; pattern && i < list->count; i++) {
        _cleanup_free_ char *file = str_printf(err, "%s.conf", list->items[i].id);
        if (!file)
            return -ENOMEM;
        if (fnmatch(pattern, list->items[i].id, 0) == 0 || fnmatch(pattern, file, 0) == 0) {
            chosen = i;
            break;
        }
    }
    struct grub_env none = {0};
    return boot_bls(guest, &list->items[chosen], &none, ret, err);
}

/* GRUB. */

/* The menu with the entries of the Boot Loader Specification put in: what can be counted, named and
 * booted. */
struct choice {
    const struct grub_item *item; /* of the script, or */
    const struct bls_entry *bls;
};

struct loader {
    struct guest *guest;
    struct grub_env env;
    struct grub_menu menu;
    struct bls_list bls;
    struct grub_host host;
};

static void loader_free(struct loader *loader)
{
    grub_env_free(&loader->env);
    grub_menu_free(&loader->menu);
    bls_list_free(&loader->bls);
}
#define _cleanup_loader_ _cleanup_(loader_free)

static bool host_exists(void *context, const char *path)
{
    struct loader *loader = context;
    _cleanup_free_ char *found = NULL;
    return locate(loader->guest, path, &found, NULL) == 0 && found;
}

static char *host_read_env(void *context, const char *path)
{
    struct loader *loader = context;
    _cleanup_free_ char *found = NULL;
    char *text = NULL;
    if (locate(loader->guest, path, &found, NULL) < 0)
        return NULL;
    if (!found || guest_read(loader->guest, found, ENTRY_MAX, &text, NULL, NULL) < 0)
        return strdup("");
    return text;
}

/* Menu entry number `wanted` of the (sub)menu, or the one of that title or id. */
static bool find_choice(const struct loader *loader, int parent, const char *wanted, size_t length,
                        struct choice *ret)
{
    _cleanup_free_ char *name = strndup(wanted, length);
    uint64_t number = UINT64_MAX, index = 0;
    if (!name)
        return false;
    if (parse_u64(name, "entry", &number, NULL) < 0)
        number = UINT64_MAX;
    for (size_t i = 0; i < loader->menu.count; i++) {
        const struct grub_item *item = &loader->menu.items[i];
        if (item->parent != parent)
            continue;
        if (item->kind != GRUB_BLS) {
            *ret = (struct choice){.item = item};
            if (index++ == number || strcmp(item->title, name) == 0 ||
                (*item->id && strcmp(item->id, name) == 0))
                return true;
            continue;
        }
        for (size_t j = 0; j < loader->bls.count; j++) {
            const struct bls_entry *entry = &loader->bls.items[j];
            *ret = (struct choice){.bls = entry};
            if (index++ == number || strcmp(entry->id, name) == 0 ||
                strcmp(entry->title, name) == 0)
                return true;
        }
    }
    return false;
}

/* "2", "title", "1>2", "submenu title>entry title" (GRUB manual, "default"). */
static bool follow_default(const struct loader *loader, const char *wanted, struct choice *ret)
{
    for (int parent = -1;;) {
        size_t length = strcspn(wanted, ">");
        if (!find_choice(loader, parent, wanted, length, ret))
            return false;
        if (ret->bls || ret->item->kind != GRUB_SUBMENU)
            return true;
        parent = (int)(ret->item - loader->menu.items);
        /* A submenu by itself opens at its first entry. */
        wanted = wanted[length] == '>' ? wanted + length + 1 : "0";
    }
}

/* -ENOENT without a message: the entry boots no Linux. */
static int boot_choice(struct loader *loader, const struct choice *choice,
                       struct guest_boot_entry *ret, struct error **err)
{
    if (choice->bls)
        return boot_bls(loader->guest, choice->bls, &loader->env, ret, err);
    _cleanup_grub_boot_ struct grub_boot boot = {0};
    int r = grub_script_boot(choice->item->body, &loader->env, &loader->host, &boot, err);
    if (r < 0)
        return r;
    if (!boot.kernel)
        return -ENOENT;
    return take_entry(loader->guest, choice->item->title, boot.kernel, boot.initrd,
                      boot.command_line ? boot.command_line : "", ret, err);
}

/* The default entry; where it boots no Linux, the first one that does. */
static int boot_default(struct loader *loader, struct guest_boot_entry *ret, struct error **err)
{
    const char *wanted = grub_env_get(&loader->env, "default");
    struct choice choice;
    if (str_empty(wanted))
        wanted = "0";
    if (follow_default(loader, wanted, &choice) || follow_default(loader, "0", &choice)) {
        int r = boot_choice(loader, &choice, ret, err);
        if (r != -ENOENT || (err && *err))
            return r;
    }
    for (size_t i = 0; i < loader->menu.count; i++) {
        const struct grub_item *item = &loader->menu.items[i];
        if (item->kind != GRUB_ENTRY)
            continue;
        int r = boot_choice(loader, &(struct choice){.item = item}, ret, err);
        if (r != -ENOENT || (err && *err))
            return r;
    }
    return error_set(err, ENOENT, "GRUB's menu has no entry that boots Linux");
}

static int boot_grub(struct guest *guest, const char *text, const char *prefix,
                     struct guest_boot_entry *ret, struct error **err)
{
    _cleanup_loader_ struct loader loader = {.guest = guest};
    loader.host =
        (struct grub_host){.exists = host_exists, .read_env = host_read_env, .context = &loader};
    int r = grub_env_set(&loader.env, "prefix", prefix, err);
    if (r == 0)
        r = grub_env_set(&loader.env, "config_directory", prefix, err);
    if (r == 0)
        r = grub_script_run(text, &loader.env, &loader.host, &loader.menu, err);
    if (r < 0)
        return error_wrap(err, "%s/grub.cfg in the guest", prefix);
    r = read_bls(guest, &loader.bls, err);
    if (r < 0)
        return r;
    if (loader.bls.count > 0)
        qsort(loader.bls.items, loader.bls.count, sizeof(*loader.bls.items), bls_compare_by_id);
    return boot_default(&loader, ret, err);
}

int guest_boot_default(struct guest *guest, struct guest_boot_entry *ret, struct error **err)
{
    static const char *const paths[] = {"/boot/grub2/grub.cfg", "/boot/grub/grub.cfg"};
    static const char *const prefixes[] = {"/boot/grub2", "/boot/grub"};
    _cleanup_free_ char *text = NULL;
    size_t which = 0;
    int r = read_first(guest, paths, ARRAY_SIZE(paths), &text, &which, err);
    if (r < 0)
        return r;
    if (text)
        return boot_grub(guest, text, prefixes[which], ret, err);
    _cleanup_bls_list_ struct bls_list list = {0};
    r = read_bls(guest, &list, err);
    if (r < 0)
        return r;
    if (list.count > 0)
        return boot_loader_conf(guest, &list, ret, err);
    error_set(err, ENOENT, "the guest has no boot configuration that can be read");
    return error_hint(err, "looked for /boot/grub2/grub.cfg, /boot/grub/grub.cfg and "
                           "/boot/loader/entries");
}

void guest_boot_entry_free(struct guest_boot_entry *entry)
{
    free(entry->title);
    free(entry->kernel);
    free(entry->initrd);
    free(entry->command_line);
    *entry = (struct guest_boot_entry){0};
}
