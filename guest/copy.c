/* Copies within the guest, composed of an engine's own operations. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/copy.h"
#include "guest/visited.h"

/* Directories deeper than this are not expected in a guest's file system. */
#define DEPTH_MAX 1000

/* A file of which more names may follow. */
struct copied {
    uint64_t fs, inode;
    char *to; /* its first name in the copy */
};

struct copy {
    struct guest *guest;
    void *copied; /* a tree of them: see tsearch(3) */
    struct visited visited;
};

static int compare_copied(const void *a, const void *b)
{
    const struct copied *x = a, *y = b;
    if (x->fs != y->fs)
        return x->fs < y->fs ? -1 : 1;
    return (x->inode > y->inode) - (x->inode < y->inode);
}

static void free_copied(void *item)
{
    struct copied *copied = item;
    free(copied->to);
    free(copied);
}

int guest_copy(struct guest *guest, const char *from, const char *to, struct error **err)
{
    struct guest_stat st;
    int r = guest_stat(guest, from, false, &st, err);
    if (r < 0)
        return r;
    if (S_ISDIR(st.mode))
        return error_set(err, EISDIR, "%s in the guest: is a directory", from);
    return copy_object(guest, from, to, &st, err);
}

/* Trees. */

static const struct copied *find_copied(const struct copy *copy, const struct guest_stat *st)
{
    const struct copied key = {.fs = st->fs, .inode = st->inode};
    struct copied *const *found = tfind(&key, &copy->copied, compare_copied);
    return found ? *found : NULL;
}

static int note_copied(struct copy *copy, const struct guest_stat *st, const char *to,
                       struct error **err)
{
    struct copied *item = malloc(sizeof(*item));
    if (!item)
        return error_oom(err);
    *item = (struct copied){.fs = st->fs, .inode = st->inode, .to = strdup(to)};
    if (item->to && tsearch(item, &copy->copied, compare_copied))
        return 0;
    free_copied(item);
    return error_oom(err);
}

/* One more name of what was copied already. */
static int copy_name(struct guest *guest, const char *existing, const char *to, struct error **err)
{
    struct guest_stat old;
    int r = copy_stat(guest, to, &old, err);
    if (r == 0 && old.mode && !S_ISDIR(old.mode))
        r = guest_unlink(guest, to, err);
    return r < 0 ? r : guest_link(guest, existing, to, err);
}

static int copy_file(struct copy *copy, const char *from, const char *to,
                     const struct guest_stat *st, struct error **err)
{
    if (st->links < 2)
        return copy_object(copy->guest, from, to, st, err);
    const struct copied *before = find_copied(copy, st);
    if (before)
        return copy_name(copy->guest, before->to, to, err);
    int r = copy_object(copy->guest, from, to, st, err);
    return r < 0 ? r : note_copied(copy, st, to, err);
}

struct entries {
    struct strv names;
    struct error **err;
};

static int add_entry(void *context, const char *name, mode_t type)
{
    (void)type;
    struct entries *entries = context;
    return strv_add(&entries->names, name, entries->err);
}

static char *join(const char *dir, const char *name, struct error **err)
{
    return str_printf(err, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name);
}

static int copy_at(struct copy *copy, const char *from, const char *to, unsigned depth,
                   struct error **err);

static int copy_entries(struct copy *copy, const char *from, const char *to, unsigned depth,
                        struct error **err)
{
    if (depth >= DEPTH_MAX)
        return error_set(err, ELOOP, "%s in the guest: is nested too deeply", from);
    struct entries entries = {.err = err};
    int r = guest_list(copy->guest, from, add_entry, &entries, err);
    for (size_t i = 0; r == 0 && i < entries.names.count; i++) {
        const char *name = entries.names.items[i];
        _cleanup_free_ char *source = join(from, name, err);
        _cleanup_free_ char *target = source ? join(to, name, err) : NULL;
        r = target ? copy_at(copy, source, target, depth + 1, err) : -ENOMEM;
    }
    strv_free(&entries.names);
    return r;
}

static int copy_at(struct copy *copy, const char *from, const char *to, unsigned depth,
                   struct error **err)
{
    struct guest_stat st, old;
    int r = guest_stat(copy->guest, from, false, &st, err);
    if (r < 0)
        return r;
    if (!S_ISDIR(st.mode))
        return copy_file(copy, from, to, &st, err);
    r = visited_enter(&copy->visited, &st, from, err);
    if (r == 0)
        r = copy_stat(copy->guest, to, &old, err);
    if (r == 0 && !old.mode)
        r = guest_mkdir(copy->guest, to, 0700, err);
    else if (r == 0 && !S_ISDIR(old.mode))
        r = error_set(err, ENOTDIR, "%s in the guest: is not a directory", to);
    if (r == 0)
        r = copy_entries(copy, from, to, depth, err);
    return r < 0 ? r : copy_attributes(copy->guest, from, to, &st, err);
}

/* Whether `to` would lie in the directory `st`: some directory on its way is that one. Compared as
 * objects, since links may lead there. */
static int check_outside(struct guest *guest, const struct guest_stat *st, const char *to,
                         struct error **err)
{
    struct guest_stat here, root;
    /* The last component may not exist yet; ".." behind it cannot be walked then. */
    const char *slash = strrchr(to, '/');
    _cleanup_str_ struct str path = {0};
    str_append_n(&path, to, (size_t)(slash - to));
    str_append(&path, "/");
    int r = guest_stat(guest, "/", true, &root, err);
    for (unsigned depth = 0; r == 0 && !path.failed; depth++) {
        r = guest_stat(guest, path.data, true, &here, err);
        if (r < 0)
            return r;
        if (here.inode == st->inode && here.fs == st->fs)
            return error_set(err, EINVAL, "%s in the guest: lies in the tree to be copied", to);
        if (here.inode == root.inode && here.fs == root.fs)
            return 0;
        if (depth >= DEPTH_MAX)
            return error_set(err, ELOOP, "%s in the guest: is nested too deeply", to);
        str_append(&path, "../");
    }
    return r < 0 ? r : error_oom(err);
}

static char *without_slashes(const char *path, struct error **err)
{
    char *copy = str_printf(err, "%s", path);
    for (size_t end = copy ? strlen(copy) : 0; end > 1 && copy[end - 1] == '/'; end--)
        copy[end - 1] = '\0';
    return copy;
}

int guest_copy_tree(struct guest *guest, const char *from, const char *to, struct error **err)
{
    struct guest_stat st, target;
    int r = guest_path_check(from, err);
    if (r == 0)
        r = guest_path_check(to, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *source = without_slashes(from, err);
    _cleanup_free_ char *copy_to = source ? without_slashes(to, err) : NULL;
    if (!copy_to)
        return -ENOMEM;
    r = guest_stat(guest, source, false, &st, err);
    if (r < 0)
        return r;
    if (S_ISDIR(st.mode)) {
        r = copy_stat(guest, copy_to, &target, err);
        if (r == 0 && target.mode && target.inode == st.inode && target.fs == st.fs)
            r = error_set(err, EINVAL, "%s in the guest: is to be copied onto itself", from);
        if (r == 0)
            r = check_outside(guest, &st, copy_to, err);
    }
    struct copy copy = {.guest = guest};
    if (r == 0)
        r = copy_at(&copy, source, copy_to, 0, err);
    tdestroy(copy.copied, free_copied);
    visited_free(&copy.visited);
    return r;
}
