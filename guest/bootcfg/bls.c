#include "guest/bootcfg/bls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/inspect/version.h"

#define ENTRY_MAX   ((size_t)64 << 10)
#define ENTRIES_MAX 500

static int join(char **slot, const char *text, struct error **err)
{
    char *joined = str_printf(err, "%s%s%s", *slot, **slot ? " " : "", text);
    if (!joined)
        return -ENOMEM;
    free(*slot);
    *slot = joined;
    return 0;
}

static int set_key(struct bls_entry *entry, const char *key, const char *value, struct error **err)
{
    const struct {
        const char *key;
        char **slot;
    } keys[] = {
        {"title", &entry->title},
        {"version", &entry->version},
        {"sort-key", &entry->sort_key},
        {"machine-id", &entry->machine_id},
        {"architecture", &entry->architecture},
        {"linux", &entry->kernel},
        {"efi", &entry->efi},
        {"uki", &entry->efi},
        {"uki-url", &entry->efi},
    };
    if (strcmp(key, "options") == 0)
        return join(&entry->options, value, err);
    if (strcmp(key, "initrd") == 0)
        return strv_add(&entry->initrds, value, err);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (strcmp(key, keys[i].key) == 0)
            return str_replace(keys[i].slot, value, err);
    return 0;
}

static int set_defaults(struct bls_entry *entry, const char *id, struct error **err)
{
    char **const slots[] = {&entry->title,        &entry->version, &entry->sort_key,
                            &entry->machine_id,   &entry->kernel,  &entry->efi,
                            &entry->architecture, &entry->options};
    int r = str_replace(&entry->id, id, err);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(slots); i++)
        r = str_replace(slots[i], "", err);
    return r;
}

int bls_parse(const char *id, const char *text, struct bls_entry *ret, struct error **err)
{
    _cleanup_bls_entry_ struct bls_entry entry = {0};
    _cleanup_free_ char *copy = strdup(text);
    int r = copy ? set_defaults(&entry, id, err) : error_oom(err);
    char *next = copy;
    while (r == 0 && next) {
        char *line = str_strip(strsep(&next, "\n"));
        size_t key = strcspn(line, " \t");
        if (*line == '#' || line[key] == '\0')
            continue;
        line[key] = '\0';
        r = set_key(&entry, line, str_strip(line + key + 1), err);
    }
    if (r < 0)
        return r;
    *ret = entry;
    entry = (struct bls_entry){0};
    return 0;
}

void bls_entry_free(struct bls_entry *entry)
{
    free(entry->id);
    free(entry->title);
    free(entry->version);
    free(entry->sort_key);
    free(entry->machine_id);
    free(entry->architecture);
    free(entry->kernel);
    free(entry->efi);
    strv_free(&entry->initrds);
    free(entry->options);
    *entry = (struct bls_entry){0};
}

void bls_list_free(struct bls_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        bls_entry_free(&list->items[i]);
    free(list->items);
    *list = (struct bls_list){0};
}

/* Directories. */

struct adding {
    struct guest *guest;
    const char *dir;
    struct bls_list *list;
    struct error **err;
};

static int add_file(void *context, const char *name, mode_t type)
{
    (void)type;
    const struct adding *adding = context;
    struct bls_list *list = adding->list;
    size_t length = strlen(name);
    if (!str_ends(name, ".conf") || length == strlen(".conf") || *name == '.')
        return 0;
    if (list->count >= ENTRIES_MAX)
        return error_set(adding->err, E2BIG, "%s in the guest has more than %d entries",
                         adding->dir, ENTRIES_MAX);
    _cleanup_free_ char *path = str_printf(adding->err, "%s/%s", adding->dir, name);
    _cleanup_free_ char *id = strndup(name, length - strlen(".conf"));
    _cleanup_free_ char *text = NULL;
    if (!path || !id)
        return path ? error_oom(adding->err) : -ENOMEM;
    int r = guest_read(adding->guest, path, ENTRY_MAX, &text, NULL, adding->err);
    if (r < 0)
        return r;
    struct bls_entry *items = reallocarray(list->items, list->count + 1, sizeof(*items));
    if (!items)
        return error_oom(adding->err);
    list->items = items;
    r = bls_parse(id, text, &items[list->count], adding->err);
    if (r == 0)
        list->count++;
    return r;
}

int bls_read_dir(struct guest *guest, const char *dir, struct bls_list *list, struct error **err)
{
    _cleanup_error_ struct error *of_file = NULL, *of_dir = NULL;
    struct adding adding = {.guest = guest, .dir = dir, .list = list, .err = &of_file};
    int r = guest_list(guest, dir, add_file, &adding, &of_dir);
    if (of_file)
        return error_move(err, TAKE_PTR(of_file));
    return r == 0 || r == -ENOENT || r == -ENOTDIR ? 0 : error_move(err, TAKE_PTR(of_dir));
}

/* Order. */

/* "NAME+LEFT" or "NAME+LEFT-DONE" (Automatic Boot Assessment): no try is left. */
static bool is_exhausted(const struct bls_entry *entry)
{
    const char *plus = strrchr(entry->id, '+');
    if (!plus || plus[1 + strspn(plus + 1, "0")] == '\0')
        return plus && plus[1];
    const char *end = plus + 1 + strspn(plus + 1, "0");
    return end > plus + 1 && *end == '-' && end[1] && !end[1 + strspn(end + 1, "0123456789")];
}

int bls_compare(const void *a, const void *b)
{
    const struct bls_entry *x = a, *y = b;
    bool exhausted = is_exhausted(x);
    if (exhausted != is_exhausted(y))
        return exhausted ? 1 : -1;
    bool keyed = *x->sort_key != '\0';
    if (keyed != (*y->sort_key != '\0'))
        return keyed ? -1 : 1;
    if (keyed) {
        int order = strcmp(x->sort_key, y->sort_key);
        if (order == 0)
            order = strcmp(x->machine_id, y->machine_id);
        if (order == 0)
            order = -version_compare(x->version, y->version);
        if (order != 0)
            return order;
    }
    return bls_compare_by_id(a, b);
}

int bls_compare_by_id(const void *a, const void *b)
{
    const struct bls_entry *x = a, *y = b;
    int order = -version_compare(x->id, y->id);
    return order ? order : strcmp(x->id, y->id);
}
