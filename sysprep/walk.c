#include "sysprep/walk.h"

#include <errno.h>
#include <sys/stat.h>

#include "guest/text/place.h"
#include "guest/visited.h"

/* Directories deeper than this are not expected in a guest's file system. */
enum { depth_max = 1000 };

struct walk {
    struct guest *guest;
    walk_fn *visit;
    void *context;
    struct visited visited;
};

static int walk_into(struct walk *walk, const char *dir, const struct guest_stat *st,
                     unsigned depth, struct error **err);

static int walk_one(struct walk *walk, const char *path, mode_t type, unsigned depth,
                    struct error **err)
{
    struct guest_stat st;
    if (!type || S_ISDIR(type)) {
        int r = guest_stat(walk->guest, path, false, &st, err);
        if (r < 0)
            return r;
        type = st.mode & S_IFMT;
    }
    return S_ISDIR(type) ? walk_into(walk, path, &st, depth, err)
                         : walk->visit(walk->context, path, type, err);
}

static int walk_into(struct walk *walk, const char *dir, const struct guest_stat *st,
                     unsigned depth, struct error **err)
{
    if (depth >= depth_max)
        return error_set(err, ELOOP, "%s in the guest: is nested too deeply", dir);
    /* Listed as a whole first: removal while listing is not defined for every engine. */
    _cleanup_(place_entries_free) struct place_entries entries = {0};
    int r = visited_enter(&walk->visited, st, dir, err);
    if (r == 0)
        r = place_entries(walk->guest, dir, &entries, err);
    for (size_t i = 0; r == 0 && i < entries.count; i++) {
        const struct place_entry *entry = &entries.items[i];
        _cleanup_free_ char *path = place_join(dir, entry->name, err);
        r = path ? walk_one(walk, path, entry->type, depth + 1, err) : -ENOMEM;
    }
    return r;
}

int walk_files(struct guest *guest, const char *dir, walk_fn *visit, void *context,
               struct error **err)
{
    struct walk walk = {.guest = guest, .visit = visit, .context = context};
    struct guest_stat st;
    int r = guest_stat(guest, dir, true, &st, err);
    if (r == 0)
        r = walk_into(&walk, dir, &st, 0, err);
    visited_free(&walk.visited);
    return r;
}
