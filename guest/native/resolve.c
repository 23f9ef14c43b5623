/* Guest paths to inodes. */
#include "guest/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "guest/native/native.h"

#define DEPTH_MAX 4096 /* directories below the root that a path can pass */

/* What is at each depth of the path that is walked: nodes[0] is the root. */
struct trail {
    struct native *native;
    struct node *nodes;
    size_t room;
};

static int make_room(struct trail *trail, size_t depth, struct error **err)
{
    if (depth > DEPTH_MAX)
        return error_set(err, ENAMETOOLONG, "the path is nested too deeply");
    if (depth < trail->room)
        return 0;
    size_t room = trail->room ? 2 * trail->room : 16;
    struct node *nodes = reallocarray(trail->nodes, room, sizeof(*nodes));
    if (!nodes)
        return error_oom(err);
    trail->nodes = nodes;
    trail->room = room;
    return 0;
}

static struct ext_fs *fs_of(const struct trail *trail, struct node node)
{
    return trail->native->mounts[node.mount].fs;
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

static int look(void *context, const char *path, size_t depth, mode_t *ret_mode, struct error **err)
{
    struct trail *trail = context;
    struct node dir = trail->nodes[depth - 1];
    const char *name = path_name(path);
    int r = native_check_served(trail->native, dir, err);
    if (r == 0 && strlen(name) > NATIVE_NAME_MAX)
        r = error_set(err, ENAMETOOLONG, "a name in the path is too long");
    if (r == 0)
        r = make_room(trail, depth, err);
    if (r < 0)
        return r;
    _cleanup_error_ struct error *error = NULL;
    struct node node = {.mount = dir.mount};
    struct guest_stat st = {0};
    r = ext_lookup(fs_of(trail, dir), dir.inode, name, &node.inode, &error);
    bool exists = r != -ENOENT;
    if (r == 0)
        r = ext_stat(fs_of(trail, node), node.inode, &st, &error);
    if (r < 0 && exists)
        return error_move(err, TAKE_PTR(error));
    trail->nodes[depth] = S_ISDIR(st.mode) ? cross(trail->native, node) : node;
    *ret_mode = st.mode;
    return 0;
}

static int read_target(void *context, const char *path, size_t depth, char **ret,
                       struct error **err)
{
    (void)path;
    struct trail *trail = context;
    struct node link = trail->nodes[depth];
    return ext_readlink(fs_of(trail, link), link.inode, ret, err);
}

static void take_result(const struct trail *trail, const struct resolved_path *path,
                        struct resolved *ret)
{
    *ret = (struct resolved){
        .last = path->last,
        .exists = path->mode != 0,
        .must_be_dir = path->must_be_dir,
    };
    if (ret->exists)
        ret->node = trail->nodes[path->depth];
    if (ret->last != LAST_NAME)
        return;
    const char *name = path_name(path->path);
    memcpy(ret->name, name, strlen(name) + 1);
    ret->parent = trail->nodes[path->depth - 1];
}

int native_resolve(struct native *native, const char *path, bool follow, struct resolved *ret,
                   struct error **err)
{
    static const struct resolve_ops ops = {.look = look, .readlink = read_target};
    struct trail trail = {.native = native};
    struct resolved_path resolved = {0};
    int r = make_room(&trail, 0, err);
    if (r == 0) {
        trail.nodes[0] = (struct node){.inode = EXT_ROOT};
        r = resolve_path(&ops, &trail, path, RESOLVE_STRICT | (follow ? RESOLVE_FOLLOW : 0),
                         &resolved, err);
    }
    if (r == 0)
        take_result(&trail, &resolved, ret);
    free(resolved.path);
    free(trail.nodes);
    return r;
}
