#include "guest/text/place.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"

char *place_join(const char *directory, const char *name, struct error **err)
{
    size_t length = strlen(directory);
    while (length > 0 && directory[length - 1] == '/')
        length--;
    return str_printf(err, "%.*s/%s", (int)length, directory, name);
}

char *place_trim(const char *path, struct error **err)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    char *trimmed = strndup(path, length);
    if (!trimmed)
        error_oom(err);
    return trimmed;
}

int place_destination(struct guest *guest, const char *dest, const char *source, char **ret,
                      struct error **err)
{
    char *place;
    if (guest_is_dir(guest, dest)) {
        _cleanup_free_ char *trimmed = place_trim(source, err);
        place = trimmed ? place_join(dest, path_name(trimmed), err) : NULL;
    } else {
        place = str_printf(err, "%s", dest);
    }
    if (!place)
        return -ENOMEM;
    *ret = place;
    return 0;
}

int place_look(struct guest *guest, const char *path, struct guest_stat *ret, struct error **err)
{
    struct error *absent = NULL;
    int r = guest_stat(guest, path, false, ret, &absent);
    if (r == 0)
        return 1;
    if (r != -ENOENT)
        return error_move(err, absent);
    error_free(absent);
    return 0;
}

void place_entries_free(struct place_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->items[i].name);
    free(entries->items);
    *entries = (struct place_entries){0};
}

struct listing {
    struct place_entries entries;
    size_t capacity;
    struct error **err;
};

static int add_entry(void *context, const char *name, mode_t type)
{
    struct listing *listing = context;
    struct place_entries *entries = &listing->entries;
    if (entries->count == listing->capacity) {
        size_t capacity = listing->capacity ? 2 * listing->capacity : 16;
        struct place_entry *items = reallocarray(entries->items, capacity, sizeof(*items));
        if (!items)
            return error_oom(listing->err);
        entries->items = items;
        listing->capacity = capacity;
    }
    char *copy = strdup(name);
    if (!copy)
        return error_oom(listing->err);
    entries->items[entries->count++] = (struct place_entry){.name = copy, .type = type};
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct place_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

int place_entries(struct guest *guest, const char *directory, struct place_entries *ret,
                  struct error **err)
{
    struct listing listing = {.err = err};
    int r = guest_list(guest, directory, add_entry, &listing, err);
    if (r < 0) {
        place_entries_free(&listing.entries);
        return r;
    }
    if (listing.entries.count > 1)
        qsort(listing.entries.items, listing.entries.count, sizeof(*listing.entries.items),
              compare_entries);
    *ret = listing.entries;
    return 0;
}

int place_list(struct guest *guest, const char *directory, struct strv *names, struct error **err)
{
    _cleanup_(place_entries_free) struct place_entries entries = {0};
    int r = place_entries(guest, directory, &entries, err);
    for (size_t i = 0; r == 0 && i < entries.count; i++)
        r = strv_take(names, TAKE_PTR(entries.items[i].name), err);
    return r;
}
