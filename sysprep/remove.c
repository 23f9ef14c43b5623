#include "sysprep/remove.h"

#include <string.h>
#include <sys/stat.h>

#include "guest/text/glob.h"
#include "sysprep/walk.h"

struct remover {
    struct guest *guest;
    const char *const *keep; /* may be NULL */
    size_t removed;
};

typedef int remove_fn(struct remover *remover, const char *path, struct error **err);

static bool stays(const struct remover *remover, const char *path)
{
    for (const char *const *keep = remover->keep; keep && *keep; keep++)
        if (strcmp(*keep, path) == 0)
            return true;
    return false;
}

static int remove_tree(struct remover *remover, const char *path, struct error **err)
{
    remover->removed++;
    return guest_remove(remover->guest, path, err);
}

static int unlink_one(void *context, const char *path, mode_t type, struct error **err)
{
    struct remover *remover = context;
    (void)type;
    if (stays(remover, path))
        return 0;
    remover->removed++;
    return guest_unlink(remover->guest, path, err);
}

static int remove_file(struct remover *remover, const char *path, struct error **err)
{
    struct guest_stat st;
    int r = guest_stat(remover->guest, path, false, &st, err);
    return r < 0 || S_ISDIR(st.mode) ? r : unlink_one(remover, path, st.mode & S_IFMT, err);
}

static int remove_below(struct remover *remover, const char *path, struct error **err)
{
    struct guest_stat st;
    int r = guest_stat(remover->guest, path, false, &st, err);
    if (r < 0)
        return r;
    if (!S_ISDIR(st.mode))
        return unlink_one(remover, path, st.mode & S_IFMT, err);
    return walk_files(remover->guest, path, unlink_one, remover, err);
}

/* One pattern after the other: what one has removed the next does not find. */
static int remove_each(struct remover *remover, const char *const *patterns, remove_fn *remove,
                       struct error **err)
{
    int r = 0;
    for (; r == 0 && patterns && *patterns; patterns++) {
        _cleanup_strv_ struct strv paths = {0};
        r = glob_expand(remover->guest, *patterns, &paths, err);
        for (size_t i = 0; r == 0 && i < paths.count; i++)
            if (!stays(remover, paths.items[i]))
                r = remove(remover, paths.items[i], err);
    }
    return r;
}

int sysprep_remove(struct guest *guest, const struct sysprep_removal *removal, size_t *ret_removed,
                   struct error **err)
{
    struct remover remover = {.guest = guest, .keep = removal->keep};
    int r = remove_each(&remover, removal->trees, remove_tree, err);
    if (r == 0)
        r = remove_each(&remover, removal->files, remove_file, err);
    if (r == 0)
        r = remove_each(&remover, removal->below, remove_below, err);
    if (r == 0 && ret_removed)
        *ret_removed = remover.removed;
    return r;
}
