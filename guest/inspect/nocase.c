#include "guest/inspect/nocase.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct wanted {
    const char *name;
    char *found; /* NULL: nothing yet */
    struct error **err;
};

/* An exact match counts more than one that comes first. */
static int compare(void *context, const char *name, mode_t type)
{
    (void)type;
    struct wanted *wanted = context;
    if (strcasecmp(name, wanted->name) != 0)
        return 0;
    if (wanted->found && strcmp(name, wanted->name) != 0)
        return 0;
    return str_replace(&wanted->found, name, wanted->err);
}

/* DIRECTORY/NAME as it is spelt there. */
static int find_in(struct guest *guest, const char *directory, const char *name, char **ret,
                   struct error **err)
{
    const char *parent = strcmp(directory, "/") == 0 ? "" : directory;
    struct error *error = NULL;
    struct wanted wanted = {.name = name, .err = &error};
    _cleanup_free_ char *exact = str_printf(err, "%s/%s", parent, name);
    if (!exact)
        return -ENOMEM;
    bool exists = guest_exists(guest, exact);
    int r = exists ? 0 : guest_list(guest, directory, compare, &wanted, &error);
    _cleanup_free_ char *found = wanted.found;
    if (r < 0 && r != -ENOENT && r != -ENOTDIR)
        return error_move(err, error);
    error_free(error);
    *ret = found ? str_printf(err, "%s/%s", parent, found) : TAKE_PTR(exact);
    return *ret ? 0 : -ENOMEM;
}

int guest_nocase(struct guest *guest, const char *directory, const char *path, char **ret,
                 struct error **err)
{
    _cleanup_free_ char *at = str_printf(err, "%s", directory);
    _cleanup_free_ char *parts = str_printf(err, "%s", path);
    if (!at || !parts)
        return -ENOMEM;
    char *next = parts;
    for (char *name = strsep(&next, "/"); name; name = strsep(&next, "/")) {
        char *deeper = NULL;
        int r = *name ? find_in(guest, at, name, &deeper, err) : 0;
        if (r < 0)
            return r;
        if (deeper) {
            free(at);
            at = deeper;
        }
    }
    *ret = TAKE_PTR(at);
    return 0;
}
