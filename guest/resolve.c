#include "guest/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/engine.h"

/* As Linux. */
enum { links_max = 40 };

struct walk {
    const struct resolve_ops *ops;
    void *context;
    unsigned flags;
    char *rest;                /* what is still to be walked */
    struct str done;           /* "" is the root */
    struct resolved_path here; /* what is at `done`, but for its path */
    size_t absent_at;          /* the depth from which on nothing exists; 0: none */
    unsigned links;
};

static void walk_free(struct walk *walk)
{
    free(walk->rest);
    str_free(&walk->done);
}

static void cut_to(struct walk *walk, size_t length, size_t depth)
{
    walk->done.length = length;
    if (walk->done.data)
        walk->done.data[length] = '\0';
    walk->here = (struct resolved_path){.depth = depth, .mode = S_IFDIR, .must_be_dir = true};
    if (walk->absent_at > depth)
        walk->absent_at = 0;
}

static void climb(struct walk *walk)
{
    if (walk->here.depth > 0)
        cut_to(walk, (size_t)(strrchr(walk->done.data, '/') - walk->done.data),
               walk->here.depth - 1);
    if (walk->absent_at)
        walk->here.mode = 0;
}

/* Puts the target of the link that was just walked to in front of the rest. */
static int follow_link(struct walk *walk, const char *rest, struct error **err)
{
    if (++walk->links > links_max)
        return error_set(err, ELOOP, "too many levels of symbolic links");
    _cleanup_free_ char *target = NULL;
    int r = walk->ops->readlink(walk->context, walk->done.data, walk->here.depth, &target, err);
    if (r < 0)
        return r;
    char *joined = str_printf(err, "%s%s", target, rest);
    if (!joined)
        return -ENOMEM;
    free(walk->rest);
    walk->rest = joined;
    if (*target == '/')
        cut_to(walk, 0, 0);
    else
        climb(walk);
    walk->here.last = LAST_ROOT;
    return 0;
}

/* Goes one name deeper, and tells what is there. */
static int descend(struct walk *walk, const char *name, size_t length, struct error **err)
{
    str_append(&walk->done, "/");
    str_append_n(&walk->done, name, length);
    if (walk->done.failed)
        return error_oom(err);
    size_t depth = walk->here.depth + 1;
    walk->here = (struct resolved_path){.depth = depth, .last = LAST_NAME};
    if (walk->absent_at)
        return 0;
    int r = walk->ops->look(walk->context, walk->done.data, depth, &walk->here.mode, err);
    if (r == 0 && walk->here.mode == 0)
        walk->absent_at = depth;
    return r;
}

static int take_name(struct walk *walk, const char *name, size_t length, struct error **err)
{
    const char *rest = name + length;
    bool last = rest[strspn(rest, "/")] == '\0', slash = *rest == '/';
    int r = descend(walk, name, length, err);
    if (r < 0)
        return r;
    mode_t mode = walk->here.mode;
    if (S_ISLNK(mode) && (slash || walk->flags & RESOLVE_FOLLOW))
        return follow_link(walk, rest, err);
    if (walk->flags & RESOLVE_STRICT && mode == 0 && !last)
        return error_set(err, ENOENT, "no such directory: %.*s", (int)length, name);
    if (walk->flags & RESOLVE_STRICT && mode != 0 && slash && !S_ISDIR(mode))
        return error_set(err, ENOTDIR, "%.*s is not a directory", (int)length, name);
    walk->here.must_be_dir = slash;
    memmove(walk->rest, rest, strlen(rest) + 1);
    return 0;
}

static int take_step(struct walk *walk, const char *name, struct error **err)
{
    size_t length = strcspn(name, "/");
    bool dot = length == 1 && *name == '.', up = length == 2 && memcmp(name, "..", 2) == 0;
    if (!dot && !up)
        return take_name(walk, name, length, err);
    if (up)
        climb(walk);
    walk->here.last = up ? LAST_DOT_DOT : LAST_DOT;
    walk->here.must_be_dir = true;
    memmove(walk->rest, name + length, strlen(name + length) + 1);
    return 0;
}

int resolve_path(const struct resolve_ops *ops, void *context, const char *path, unsigned flags,
                 struct resolved_path *ret, struct error **err)
{
    _cleanup_(walk_free) struct walk walk = {
        .ops = ops,
        .context = context,
        .flags = flags,
        .rest = strdup(path),
    };
    if (!walk.rest)
        return error_oom(err);
    cut_to(&walk, 0, 0);
    walk.here.last = LAST_ROOT;
    for (const char *name; *(name = walk.rest + strspn(walk.rest, "/"));) {
        int r = take_step(&walk, name, err);
        if (r < 0)
            return r;
    }
    if (walk.done.length == 0)
        str_append(&walk.done, "/");
    walk.here.path = str_take(&walk.done, err);
    if (!walk.here.path)
        return -ENOMEM;
    *ret = walk.here;
    return 0;
}

/* On a guest's own operations. */

static int look(void *context, const char *path, size_t depth, mode_t *ret_mode, struct error **err)
{
    (void)depth;
    struct guest *guest = context;
    struct guest_stat st;
    _cleanup_error_ struct error *cause = NULL;
    /* A link may have led to a name that no engine should get. */
    int r = guest_path_check(path, &cause);
    if (r == 0)
        r = guest->ops->stat(guest, path, false, &st, &cause);
    if (r < 0 && r != -ENOENT)
        return error_move(err, TAKE_PTR(cause));
    *ret_mode = r < 0 ? 0 : st.mode;
    return 0;
}

static int read_target(void *context, const char *path, size_t depth, char **ret,
                       struct error **err)
{
    (void)depth;
    struct guest *guest = context;
    return guest->ops->readlink(guest, path, ret, err);
}

int guest_resolve(struct guest *guest, const char *path, bool follow, char **ret,
                  struct error **err)
{
    static const struct resolve_ops ops = {.look = look, .readlink = read_target};
    struct resolved_path resolved;
    int r = guest_path_check(path, err);
    if (r < 0)
        return r;
    r = resolve_path(&ops, guest, path, follow ? RESOLVE_FOLLOW : 0, &resolved, err);
    if (r < 0)
        return error_wrap(err, "%s in the guest", path);
    *ret = resolved.path;
    return 0;
}
