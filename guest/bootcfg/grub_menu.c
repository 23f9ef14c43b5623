/* The menu and its default entry: commands/menuentry.c and normal/menu.c of GRUB, and blscfg.c of
 * Fedora's. */
#include <errno.h>
#include <stdlib.h>

#include "guest/bootcfg/grub_run.h"

#define ITEMS_MAX   1000
#define NESTING_MAX 10

void grub_menu_free(struct grub_menu *menu)
{
    for (size_t i = 0; i < menu->count; i++) {
        free(menu->items[i].title);
        free(menu->items[i].id);
        free(menu->items[i].body);
        strv_free(&menu->items[i].arguments);
    }
    free(menu->items);
    *menu = (struct grub_menu){0};
}

static int add_item(struct grub_run *run, bool submenu, const struct strv *arguments,
                    const char *id, const char *body, size_t length, struct error **err)
{
    struct grub_menu *menu = run->menu;
    if (menu->count >= ITEMS_MAX)
        return error_set(err, E2BIG, "the menu has more than %d entries", ITEMS_MAX);
    struct grub_menu_item *items = reallocarray(menu->items, menu->count + 1, sizeof(*items));
    if (!items)
        return error_oom(err);
    menu->items = items;
    struct grub_menu_item *item = &items[menu->count++];
    *item = (struct grub_menu_item){
        .submenu = submenu,
        .title = strdup(arguments->items[0]),
        .id = strdup(id),
        .body = strndup(body, length),
    };
    int r = item->title && item->id && item->body ? GRUB_OK : error_oom(err);
    for (size_t i = 0; r >= 0 && i < arguments->count; i++)
        r = strv_add(&item->arguments, arguments->items[i], err);
    return r;
}

int grub_menuentry(struct grub_run *run, const struct grub_node *node, const struct strv *words,
                   struct error **err)
{
    enum { CLASS, USERS, HOTKEY, SOURCE, ID, UNRESTRICTED };
    static const struct grub_option options[] = {
        [CLASS] = {"--class", 0, true, false},
        [USERS] = {"--users", 0, true, false},
        [HOTKEY] = {"--hotkey", 0, true, false},
        [SOURCE] = {"--source", 0, true, false},
        [ID] = {"--id", 0, true, false},
        [UNRESTRICTED] = {"--unrestricted", 0, false, false},
    };
    _cleanup_grub_options_ struct grub_options given = {0};
    int r = grub_options_read(words, options, ARRAY_SIZE(options), true, &given, err);
    if (r != GRUB_OK)
        return r;
    const char *source = given.values[SOURCE];
    if (given.rest.count == 0 || (source != NULL) == node->has_block)
        return GRUB_BAD_ARGUMENT;
    const char *id = given.values[ID] ? given.values[ID] : given.rest.items[0];
    return add_item(run, strcmp(words->items[0], "submenu") == 0, &given.rest, id,
                    source ? source : node->block.start,
                    source ? strlen(source) : node->block.length, err);
}

/* Entries of the Boot Loader Specification. */

/* "$name" is replaced, as Fedora's expand_val() does. The rest is left to the script. */
static int expand_value(struct grub_run *run, const char *value, struct str *out,
                        struct error **err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    while (*value) {
        size_t plain = strcspn(value, "$");
        size_t length = value[plain] ? strspn(value + plain + 1, letters) : 0;
        if (length == 0) {
            plain += value[plain] != '\0';
            str_append_n(out, value, plain);
            value += plain;
            continue;
        }
        str_append_n(out, value, plain);
        _cleanup_free_ char *name = strndup(value + plain + 1, length);
        if (!name)
            return error_oom(err);
        const char *found = grub_env_get(run->env, name);
        str_append(out, found ? found : "");
        value += plain + 1 + length;
    }
    return 0;
}

/* Beside the kernel: what "early_initrd" names. */
static void add_early_initrds(struct grub_run *run, const struct bls_entry *entry, struct str *out)
{
    const char *early = grub_env_get(run->env, "early_initrd");
    const char *slash = strrchr(entry->kernel, '/');
    int dir = slash ? (int)(slash + 1 - entry->kernel) : 0;
    while (early && *(early += strspn(early, " "))) {
        size_t length = strcspn(early, " ");
        str_appendf(out, " ($root)%.*s%.*s", dir, entry->kernel, (int)length, early);
        early += length;
    }
}

/* The commands that Fedora's blscfg makes of an entry. */
static int add_bls_entry(struct grub_run *run, const struct bls_entry *entry, struct error **err)
{
    _cleanup_str_ struct str body = {0};
    const char *options = entry->options;
    if (!*options)
        options = grub_env_get(run->env, "default_kernelopts");
    str_appendf(&body, "linux ($root)%s ", entry->kernel);
    int r = expand_value(run, options ? options : "", &body, err);
    if (r < 0)
        return r;
    if (entry->initrds.count > 0)
        str_append(&body, "\ninitrd");
    if (entry->initrds.count > 0)
        add_early_initrds(run, entry, &body);
    for (size_t i = 0; i < entry->initrds.count; i++)
        str_appendf(&body, " ($root)%s", entry->initrds.items[i]);
    _cleanup_free_ char *text = str_take(&body, err);
    _cleanup_strv_ struct strv arguments = {0};
    r = text ? strv_add(&arguments, *entry->title ? entry->title : entry->kernel, err) : -ENOMEM;
    return r < 0 ? r : add_item(run, false, &arguments, entry->id, text, strlen(text), err);
}

static int find_bls(struct grub_run *run, const char *path, struct bls_list *ret,
                    struct error **err)
{
    _cleanup_grub_found_ struct grub_found found = {0};
    int r = grub_find(run, path, &found, err);
    if (r < 0 || found.kind != GRUB_DIRECTORY)
        return r;
    return run->host->list_bls(run->host->context, found.path, ret, err);
}

int grub_blscfg(struct grub_run *run, const struct strv *words, struct error **err)
{
    if (words->count > 1)
        return grub_unknown(err, "\"blscfg %s\" is not supported", words->items[1]);
    const char *set = grub_env_get(run->env, "blsdir");
    const char *const dirs[] = {set ? set : "/loader/entries", "/boot/loader/entries"};
    _cleanup_bls_list_ struct bls_list list = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dirs) && list.count == 0; i++)
        r = find_bls(run, dirs[i], &list, err);
    for (size_t i = 0; r >= 0 && i < list.count; i++)
        if (*list.items[i].kernel)
            r = add_bls_entry(run, &list.items[i], err);
    return r;
}

/* The default. */

/* Whether the first part of "title>entry" is this title; ">>" there stands for ">". */
static bool names(const char *wanted, const char *title)
{
    for (;; wanted++, title++) {
        if (*wanted == '>' && wanted[1] != '>')
            return !*title;
        if (*wanted == '>')
            wanted++;
        if (*wanted != *title)
            return false;
        if (!*title)
            return true;
    }
}

/* Behind the first part; NULL: there is no other. */
static const char *other_parts(const char *wanted)
{
    for (; *wanted; wanted++) {
        if (*wanted != '>')
            continue;
        if (wanted[1] != '>')
            return wanted[1] ? wanted + 1 : NULL;
        wanted++;
    }
    return NULL;
}

/* What begins with a number is one, whatever is behind it. An entry that does not exist is the
 * first. */
static int choose(const struct grub_menu *menu, const char *wanted, size_t *ret, struct error **err)
{
    *ret = 0;
    if (!wanted)
        return 0;
    if (grub_is_unknown(wanted))
        return grub_unknown_text(err, "the default entry of GRUB's menu", wanted);
    const char *digits = wanted + strspn(wanted, " \t\n\v\f\r");
    if (*digits >= '0' && *digits <= '9') {
        errno = 0;
        unsigned long long number = strtoull(digits, NULL, 0);
        *ret = errno == 0 && number < menu->count ? (size_t)number : 0;
        return 0;
    }
    for (size_t i = 0; i < menu->count; i++) {
        const struct grub_menu_item *item = &menu->items[i];
        if (grub_is_unknown(item->title) || grub_is_unknown(item->id))
            return grub_unknown_text(err, "the title of an entry of GRUB's menu",
                                     grub_is_unknown(item->title) ? item->title : item->id);
        if (names(wanted, item->title) || names(wanted, item->id)) {
            *ret = i;
            return 0;
        }
    }
    return 0;
}

static int run_entry(struct grub_run *run, const struct grub_menu_item *item, struct error **err);

static int run_submenu(struct grub_run *run, const struct grub_menu_item *item, const char *rest,
                       struct error **err)
{
    struct grub_menu *outer = run->menu;
    struct grub_menu menu = {0};
    int r = grub_env_open(&run->env, err);
    if (r < 0)
        return r;
    run->menu = &menu;
    if (rest)
        r = grub_env_set(run->env, "default", rest, err);
    else
        grub_env_unset(run->env, "default");
    if (r == 0)
        r = grub_run_in_scope(run, item->body, &item->arguments, err);
    if (r >= 0 && !run->ended && run->loaded)
        run->ended = true;
    if (r >= 0 && !run->ended && menu.count > 0)
        r = grub_run_menu(run, err);
    run->menu = outer;
    grub_menu_free(&menu);
    grub_env_close(&run->env);
    return r;
}

static int run_entry(struct grub_run *run, const struct grub_menu_item *item, struct error **err)
{
    const char *wanted = grub_env_get(run->env, "default");
    const char *rest = wanted ? other_parts(wanted) : NULL;
    _cleanup_free_ char *copy = rest ? strdup(rest) : NULL;
    if (rest && !copy)
        return error_oom(err);
    int r = grub_env_set(run->env, "chosen", item->id, err);
    if (r < 0)
        return r;
    if (item->submenu)
        return run_submenu(run, item, copy, err);
    if (copy)
        r = grub_env_set(run->env, "default", copy, err);
    else
        grub_env_unset(run->env, "default");
    if (r == 0)
        r = grub_run_in_scope(run, item->body, &item->arguments, err);
    if (r < 0)
        return r;
    run->ended = run->ended || run->loaded;
    if (run->boot.title)
        return GRUB_OK; /* of an entry in a menu that this one has opened */
    r = str_replace(&run->boot.title, item->title, err);
    return r < 0 ? r : GRUB_OK;
}

/* Where the default entry boots nothing, GRUB goes on with the numbers in "fallback". */
int grub_run_menu(struct grub_run *run, struct error **err)
{
    size_t index;
    int r = choose(run->menu, grub_env_get(run->env, "default"), &index, err);
    if (r < 0)
        return r;
    if (++run->nesting > NESTING_MAX)
        return error_set(err, E2BIG, "menus are nested too deeply");
    r = run_entry(run, &run->menu->items[index], err);
    if (r >= 0 && !run->ended && !str_empty(grub_env_get(run->env, "fallback")))
        return grub_unknown(err, "the default entry of GRUB's menu boots nothing, and there is a "
                                 "fallback");
    /* A person would have to choose now. */
    if (r >= 0)
        run->ended = true;
    run->nesting--;
    return r;
}
