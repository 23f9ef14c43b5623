#include "sysprep/walk.h"

#include <errno.h>
#include <sys/stat.h>

#include "guest/text/place.h"

/* Directories deeper than this are not expected in a guest's file system. */
enum { depth_max = 1000 };

static int walk_into(struct guest *guest, const char *dir, unsigned depth, walk_fn *visit,
                     void *context, struct error **err);

static int walk_one(struct guest *guest, const char *path, mode_t type, unsigned depth,
                    walk_fn *visit, void *context, struct error **err)
{
    if (!type) {
        struct guest_stat st;
        int r = guest_stat(guest, path, false, &st, err);
        if (r < 0)
            return r;
        type = st.mode & S_IFMT;
    }
    if (S_ISDIR(type))
        return walk_into(guest, path, depth, visit, context, err);
    return visit(context, path, type, err);
}

static int walk_into(struct guest *guest, const char *dir, unsigned depth, walk_fn *visit,
                     void *context, struct error **err)
{
    if (depth >= depth_max)
        return error_set(err, ELOOP, "%s in the guest: is nested too deeply", dir);
    /* Listed as a whole first: removal while listing is not defined for every engine. */
    _cleanup_(place_entries_free) struct place_entries entries = {0};
    int r = place_entries(guest, dir, &entries, err);
    for (size_t i = 0; r == 0 && i < entries.count; i++) {
        const struct place_entry *entry = &entries.items[i];
        _cleanup_free_ char *path = place_join(dir, entry->name, err);
        r = path ? walk_one(guest, path, entry->type, depth + 1, visit, context, err) : -ENOMEM;
    }
    return r;
}

int walk_files(struct guest *guest, const char *dir, walk_fn *visit, void *context,
               struct error **err)
{
    return walk_into(guest, dir, 0, visit, context, err);
}
