/* Guest paths to inodes. The host's file system is never asked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/native/native.h"

#define LINKS_MAX 40   /* as Linux */
#define DEPTH_MAX 4096 /* directories below the root that a path can pass */

/* The directories from the root to where the walk is: what ".." goes back to. */
struct walk {
    struct native *native;
    struct node *stack;
    size_t depth, room;
    unsigned links;
    char *rest; /* what is still to be walked */
};

static int push(struct walk *walk, struct node node, struct error **err)
{
    if (walk->depth >= DEPTH_MAX)
        return error_set(err, ENAMETOOLONG, "the path is nested too deeply");
    if (walk->depth == walk->room) {
        size_t room = walk->room ? 2 * walk->room : 16;
        struct node *stack = reallocarray(walk->stack, room, sizeof(*stack));
        if (!stack)
            return error_oom(err);
        walk->stack = stack;
        walk->room = room;
    }
    walk->stack[walk->depth++] = node;
    return 0;
}

static struct ext_fs *fs_of(const struct walk *walk, struct node node)
{
    return walk->native->mounts[node.mount].fs;
}

static bool same(struct node a, struct node b)
{
    return a.mount == b.mount && a.inode == b.inode;
}

int native_check_served(const struct native *native, struct node node, struct error **err)
{
    for (size_t i = native->mount_count; i-- > 1;) {
        const struct native_mount *mount = &native->mounts[i];
        if (!same(mount->at, node) || mount->fs)
            continue;
        error_set(err, EOPNOTSUPP, "%s cannot be reached: %s", mount->dir, mount->refusal);
        return error_hint(err, "use --engine appliance");
    }
    return 0;
}

/* What is mounted on the directory, and on what is mounted there, and so on. */
static struct node cross(const struct native *native, struct node node)
{
    /* Each mount covers what an earlier one offers: one pass finds them all. */
    for (size_t i = 1; i < native->mount_count; i++)
        if (native->mounts[i].fs && same(native->mounts[i].at, node))
            node = (struct node){.mount = i, .inode = EXT_ROOT};
    return node;
}

/* Puts the link's target in front of what is left of the path. */
static int follow_link(struct walk *walk, struct node link, const char *rest, struct error **err)
{
    if (++walk->links > LINKS_MAX)
        return error_set(err, ELOOP, "too many levels of symbolic links");
    _cleanup_free_ char *target = NULL;
    int r = ext_readlink(fs_of(walk, link), link.inode, &target, err);
    if (r < 0)
        return r;
    char *joined = str_printf(err, "%s%s", target, rest);
    if (!joined)
        return -ENOMEM;
    free(walk->rest);
    walk->rest = joined;
    if (*target == '/')
        walk->depth = 1;
    return 0;
}

/* Looks one name up in the directory where the walk is. -ENOENT without a message. */
static int look_up(struct walk *walk, const char *name, struct node *ret, mode_t *ret_mode,
                   struct error **err)
{
    struct node dir = walk->stack[walk->depth - 1];
    int r = native_check_served(walk->native, dir, err);
    if (r < 0)
        return r;
    _cleanup_error_ struct error *error = NULL;
    struct node node = {.mount = dir.mount};
    r = ext_lookup(fs_of(walk, dir), dir.inode, name, &node.inode, &error);
    if (r == -ENOENT)
        return r;
    struct guest_stat st;
    if (r == 0)
        r = ext_stat(fs_of(walk, node), node.inode, &st, &error);
    if (r < 0)
        return error_move(err, TAKE_PTR(error));
    *ret = node;
    *ret_mode = st.mode;
    return 0;
}

/* The outcome of one component. */
enum step { STEP_ON, STEP_END };

static int take_step(struct walk *walk, const char *name, const char *rest, bool follow,
                     struct resolved *ret, struct error **err)
{
    bool last = rest[strspn(rest, "/")] == '\0', slash = *rest == '/';
    struct node dir = walk->stack[walk->depth - 1], node;
    mode_t mode;
    int r = look_up(walk, name, &node, &mode, err);
    if (r < 0 && r != -ENOENT)
        return r;
    if (r == -ENOENT && !last)
        return error_set(err, ENOENT, "no such directory: %s", name);
    if (r == 0 && S_ISLNK(mode) && (!last || follow || slash)) {
        r = follow_link(walk, node, rest, err);
        return r < 0 ? r : STEP_ON;
    }
    if (last) {
        *ret = (struct resolved){.parent = dir, .exists = r == 0, .must_be_dir = slash};
        memcpy(ret->name, name, strlen(name) + 1);
        if (r == 0)
            ret->node = S_ISDIR(mode) ? cross(walk->native, node) : node;
        if (r == 0 && slash && !S_ISDIR(mode))
            return error_set(err, ENOTDIR, "%s is not a directory", name);
        return STEP_END;
    }
    if (!S_ISDIR(mode))
        return error_set(err, ENOTDIR, "%s is not a directory", name);
    r = push(walk, cross(walk->native, node), err);
    if (r < 0)
        return r;
    /* Not free()d before: `name` and `rest` may lie in it. */
    memmove(walk->rest, rest, strlen(rest) + 1);
    return STEP_ON;
}

static int run(struct walk *walk, bool follow, struct resolved *ret, struct error **err)
{
    int last = LAST_ROOT;
    for (;;) {
        char *start = walk->rest + strspn(walk->rest, "/");
        size_t length = strcspn(start, "/");
        char name[256];
        if (length == 0) {
            struct node here = walk->stack[walk->depth - 1];
            *ret =
                (struct resolved){.exists = true, .node = here, .must_be_dir = true, .last = last};
            return 0;
        }
        if (length >= sizeof(name))
            return error_set(err, ENAMETOOLONG, "a name in the path is too long");
        memcpy(name, start, length);
        name[length] = '\0';
        const char *rest = start + length;
        bool up = strcmp(name, "..") == 0;
        if (up || strcmp(name, ".") == 0) {
            last = up ? LAST_DOT_DOT : LAST_DOT;
            if (up && walk->depth > 1)
                walk->depth--;
            memmove(walk->rest, rest, strlen(rest) + 1);
            continue;
        }
        int r = take_step(walk, name, rest, follow, ret, err);
        if (r < 0)
            return r;
        if (r == STEP_END)
            return 0;
        last = LAST_ROOT;
    }
}

int native_resolve(struct native *native, const char *path, bool follow, struct resolved *ret,
                   struct error **err)
{
    struct walk walk = {.native = native, .rest = strdup(path)};
    int r = walk.rest ? push(&walk, (struct node){.inode = EXT_ROOT}, err) : error_oom(err);
    if (r == 0)
        r = run(&walk, follow, ret, err);
    free(walk.stack);
    free(walk.rest);
    return r;
}
