#include "guest/bootcfg/bls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "guest/inspect/version.h"

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
        {"title", &entry->title},       {"version", &entry->version},
        {"sort-key", &entry->sort_key}, {"machine-id", &entry->machine_id},
        {"linux", &entry->kernel},      {"initrd", &entry->initrd},
    };
    if (strcmp(key, "options") == 0)
        return join(&entry->options, value, err);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (strcmp(key, keys[i].key) == 0)
            return str_replace(keys[i].slot, value, err);
    return 0;
}

static int set_defaults(struct bls_entry *entry, const char *id, struct error **err)
{
    char **const slots[] = {&entry->title,  &entry->version, &entry->sort_key, &entry->machine_id,
                            &entry->kernel, &entry->initrd,  &entry->options};
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
    free(entry->kernel);
    free(entry->initrd);
    free(entry->options);
    *entry = (struct bls_entry){0};
}

int bls_compare(const void *a, const void *b)
{
    const struct bls_entry *x = a, *y = b;
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
