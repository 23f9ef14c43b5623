#include "tests/unit/customize/fake_guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"

enum { link_depth_max = 20 };

struct fake_node {
    char *name;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    uint64_t inode;
    char *data; /* a file's content or a link's target, NUL-terminated */
    size_t size;
    struct fake_node *parent;
    struct fake_node *children;
    struct fake_node *next;
};

static struct fake_guest *fake_of(struct guest *guest)
{
    return (struct fake_guest *)guest;
}

static struct fake_node *node_new(struct fake_guest *fake, const char *name, size_t length,
                                  mode_t mode)
{
    struct fake_node *node = calloc(1, sizeof(*node));
    node->name = strndup(name, length);
    node->mode = mode;
    node->inode = ++fake->next_inode;
    node->data = calloc(1, 1);
    return node;
}

static void node_free(struct fake_node *node)
{
    while (node->children) {
        struct fake_node *child = node->children;
        node->children = child->next;
        node_free(child);
    }
    free(node->name);
    free(node->data);
    free(node);
}

static void node_attach(struct fake_node *dir, struct fake_node *node)
{
    node->parent = dir;
    node->next = dir->children;
    dir->children = node;
}

static void node_detach(struct fake_node *node)
{
    struct fake_node **at = &node->parent->children;
    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
}

static void node_set(struct fake_node *node, const void *data, size_t size)
{
    free(node->data);
    node->data = malloc(size + 1);
    if (size > 0)
        memcpy(node->data, data, size);
    node->data[size] = '\0';
    node->size = size;
}

static struct fake_node *child_of(struct fake_node *dir, const char *name, size_t length)
{
    for (struct fake_node *node = dir->children; node; node = node->next)
        if (strlen(node->name) == length && memcmp(node->name, name, length) == 0)
            return node;
    return NULL;
}

struct place {
    struct fake_node *dir;
    struct fake_node *node; /* NULL: the name is free */
    char *name;
};

/* Resolves from `dir`. -ENOENT with place->dir set: only the last name is missing. */
static int walk(struct fake_guest *fake, struct fake_node *dir, const char *path, bool follow,
                unsigned depth, struct place *place)
{
    if (depth > link_depth_max)
        return -ELOOP;
    if (*path == '/')
        dir = fake->root;
    place->dir = dir->parent ? dir->parent : dir;
    place->node = dir;
    for (;;) {
        path += strspn(path, "/");
        if (!*path)
            return 0;
        size_t length = strcspn(path, "/");
        const char *rest = path + length;
        bool last = rest[strspn(rest, "/")] == '\0';
        if (!S_ISDIR(place->node->mode))
            return -ENOTDIR;
        dir = place->node;
        struct fake_node *node = child_of(dir, path, length);
        if (length == 1 && *path == '.')
            node = dir;
        if (length == 2 && memcmp(path, "..", 2) == 0)
            node = dir->parent ? dir->parent : dir;
        place->dir = dir;
        place->node = node;
        if (!node) {
            free(place->name);
            place->name = last ? strndup(path, length) : NULL;
            place->dir = last ? dir : NULL;
            return -ENOENT;
        }
        if (S_ISLNK(node->mode) && (!last || follow)) {
            int r = walk(fake, dir, node->data, true, depth + 1, place);
            if (r < 0 && !last)
                place->dir = NULL;
            if (r < 0)
                return r;
        }
        path = rest;
    }
}

static int locate(struct fake_guest *fake, const char *path, bool follow, struct place *place)
{
    *place = (struct place){0};
    int r = walk(fake, fake->root, path, follow, 0, place);
    if (r < 0)
        place->node = NULL;
    return r;
}

static int find(struct fake_guest *fake, const char *path, bool follow, struct fake_node **ret)
{
    struct place place;
    int r = locate(fake, path, follow, &place);
    free(place.name);
    if (r == 0)
        *ret = place.node;
    return r;
}

static int outcome(int r, struct error **err)
{
    return r < 0 ? error_sys(err, -r, "the fake cannot") : 0;
}

/* The injected fault of an operation, or 0. */
static int fault(struct guest *guest, const char *operation)
{
    struct fake_guest *fake = fake_of(guest);
    if (!fake->fault || strcmp(fake->fault, operation) != 0)
        return 0;
    if (fake->fault_after > 0) {
        fake->fault_after--;
        return 0;
    }
    return -fake->fault_errno;
}

static int fake_stat(struct guest *guest, const char *path, bool follow, struct guest_stat *ret,
                     struct error **err)
{
    struct fake_node *node = NULL;
    int r = fault(guest, "stat");
    if (r == 0)
        r = find(fake_of(guest), path, follow, &node);
    if (r == 0)
        *ret = (struct guest_stat){.mode = node->mode,
                                   .uid = node->uid,
                                   .gid = node->gid,
                                   .size = node->size,
                                   .inode = node->inode};
    return outcome(r, err);
}

static int fake_read(struct guest *guest, const char *path, size_t max, char **ret,
                     size_t *ret_size, struct error **err)
{
    struct fake_node *node = NULL;
    int r = fault(guest, "read");
    if (r == 0)
        r = find(fake_of(guest), path, true, &node);
    if (r == 0 && !S_ISREG(node->mode))
        r = S_ISDIR(node->mode) ? -EISDIR : -EINVAL;
    if (r == 0 && node->size > max)
        r = -EFBIG;
    if (r == 0) {
        *ret = malloc(node->size + 1);
        memcpy(*ret, node->data, node->size + 1);
        *ret_size = node->size;
    }
    return outcome(r, err);
}

static int fake_readlink(struct guest *guest, const char *path, char **ret, struct error **err)
{
    struct fake_node *node = NULL;
    int r = fault(guest, "readlink");
    if (r == 0)
        r = find(fake_of(guest), path, false, &node);
    if (r == 0 && !S_ISLNK(node->mode))
        r = -EINVAL;
    if (r == 0)
        *ret = strdup(node->data);
    return outcome(r, err);
}

static int fake_list(struct guest *guest, const char *path, guest_dirent_fn *entry, void *context,
                     struct error **err)
{
    struct fake_node *node = NULL;
    int r = fault(guest, "list");
    if (r == 0)
        r = find(fake_of(guest), path, true, &node);
    if (r == 0 && !S_ISDIR(node->mode))
        r = -ENOTDIR;
    if (r < 0)
        return outcome(r, err);
    for (struct fake_node *child = node->children; r == 0 && child; child = child->next)
        r = entry(context, child->name);
    return r;
}

static int write_bytes(struct guest *guest, const char *path, const void *data, size_t size,
                       const struct guest_file_attr *attr)
{
    struct fake_guest *fake = fake_of(guest);
    struct place place;
    int r = locate(fake, path, true, &place);
    bool created = r == -ENOENT && place.dir;
    if (created) {
        place.node = node_new(fake, place.name, strlen(place.name), S_IFREG);
        node_attach(place.dir, place.node);
        r = 0;
    }
    free(place.name);
    if (r == 0 && !S_ISREG(place.node->mode))
        r = S_ISDIR(place.node->mode) ? -EISDIR : -EINVAL;
    if (r < 0)
        return r;
    if (created || attr->force) {
        place.node->mode = S_IFREG | attr->mode;
        place.node->uid = attr->uid;
        place.node->gid = attr->gid;
    }
    node_set(place.node, data, size);
    fake->changes++;
    return 0;
}

static int fake_write(struct guest *guest, const char *path, const void *data, size_t size,
                      const struct guest_file_attr *attr, struct error **err)
{
    int r = fault(guest, "write");
    return outcome(r < 0 ? r : write_bytes(guest, path, data, size, attr), err);
}

static int fake_upload(struct guest *guest, int fd, const char *path,
                       const struct guest_file_attr *attr, struct error **err)
{
    char *data;
    size_t size;
    int r = fault(guest, "upload");
    if (r < 0)
        return outcome(r, err);
    r = fd_read_all(fd, 1 << 20, path, &data, &size, err);
    if (r < 0)
        return r;
    r = write_bytes(guest, path, data, size, attr);
    free(data);
    return outcome(r, err);
}

static int add_node(struct fake_guest *fake, const char *path, mode_t mode, const char *data)
{
    struct place place;
    int r = locate(fake, path, false, &place);
    if (r == 0)
        r = -EEXIST;
    else if (r == -ENOENT && place.dir) {
        struct fake_node *node = node_new(fake, place.name, strlen(place.name), mode);
        node_set(node, data, strlen(data));
        node_attach(place.dir, node);
        fake->changes++;
        r = 0;
    }
    free(place.name);
    return r;
}

static int fake_mkdir(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    int r = fault(guest, "mkdir");
    return outcome(r < 0 ? r : add_node(fake_of(guest), path, S_IFDIR | mode, ""), err);
}

static int fake_symlink(struct guest *guest, const char *target, const char *path,
                        struct error **err)
{
    int r = fault(guest, "symlink");
    return outcome(r < 0 ? r : add_node(fake_of(guest), path, S_IFLNK | 0777, target), err);
}

static int fake_rename(struct guest *guest, const char *from, const char *to, struct error **err)
{
    struct fake_guest *fake = fake_of(guest);
    struct fake_node *node = NULL;
    struct place place = {0};
    int r = fault(guest, "rename");
    if (r == 0)
        r = find(fake, from, false, &node);
    if (r == 0) {
        r = locate(fake, to, false, &place);
        if (r == 0)
            r = -EEXIST;
        else if (r == -ENOENT && place.dir)
            r = 0;
    }
    if (r == 0) {
        node_detach(node);
        free(node->name);
        node->name = place.name;
        place.name = NULL;
        node_attach(place.dir, node);
        fake->changes++;
    }
    free(place.name);
    return outcome(r, err);
}

static int remove_node(struct fake_guest *fake, const char *path, bool directory)
{
    struct fake_node *node = NULL;
    int r = find(fake, path, false, &node);
    if (r < 0)
        return r;
    if (directory != S_ISDIR(node->mode))
        return directory ? -ENOTDIR : -EISDIR;
    if (node->children)
        return -ENOTEMPTY;
    node_detach(node);
    node_free(node);
    fake->changes++;
    return 0;
}

static int fake_unlink(struct guest *guest, const char *path, struct error **err)
{
    int r = fault(guest, "unlink");
    return outcome(r < 0 ? r : remove_node(fake_of(guest), path, false), err);
}

static int fake_rmdir(struct guest *guest, const char *path, struct error **err)
{
    int r = fault(guest, "rmdir");
    return outcome(r < 0 ? r : remove_node(fake_of(guest), path, true), err);
}

static int fake_chmod(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    struct fake_node *node = NULL;
    int r = fault(guest, "chmod");
    if (r == 0)
        r = find(fake_of(guest), path, true, &node);
    if (r == 0) {
        node->mode = (node->mode & S_IFMT) | mode;
        fake_of(guest)->changes++;
    }
    return outcome(r, err);
}

static int fake_chown(struct guest *guest, const char *path, uid_t uid, gid_t gid,
                      struct error **err)
{
    struct fake_node *node = NULL;
    int r = fault(guest, "chown");
    if (r == 0)
        r = find(fake_of(guest), path, true, &node);
    if (r == 0) {
        node->uid = uid;
        node->gid = gid;
        fake_of(guest)->changes++;
    }
    return outcome(r, err);
}

static int fake_sync(struct guest *guest, struct error **err)
{
    return outcome(fault(guest, "sync"), err);
}

static void fake_close(struct guest *guest)
{
    node_free(fake_of(guest)->root);
    free(fake_of(guest));
}

static const struct guest_ops fake_ops = {
    .name = "fake",
    .capabilities = GUEST_CAN_EDIT,
    .stat = fake_stat,
    .read = fake_read,
    .readlink = fake_readlink,
    .list = fake_list,
    .write = fake_write,
    .upload = fake_upload,
    .mkdir = fake_mkdir,
    .symlink = fake_symlink,
    .rename = fake_rename,
    .unlink = fake_unlink,
    .rmdir = fake_rmdir,
    .chmod = fake_chmod,
    .chown = fake_chown,
    .sync = fake_sync,
    .close = fake_close,
};

struct fake_guest *fake_guest_new(void)
{
    struct fake_guest *fake = calloc(1, sizeof(*fake));
    fake->guest.ops = &fake_ops;
    fake->guest.writable = true;
    fake->root = node_new(fake, "", 0, S_IFDIR | 0755);
    return fake;
}

void fake_guest_free(struct fake_guest *fake)
{
    guest_discard(&fake->guest);
}

static void add_parents(struct fake_guest *fake, const char *path)
{
    char *copy = strdup(path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        add_node(fake, copy, S_IFDIR | 0755, "");
        *slash = '/';
    }
    free(copy);
}

void fake_add_file(struct fake_guest *fake, const char *path, mode_t mode, uid_t uid, gid_t gid,
                   const char *content)
{
    const struct guest_file_attr attr = {.mode = mode, .uid = uid, .gid = gid, .force = true};
    add_parents(fake, path);
    write_bytes(&fake->guest, path, content, strlen(content), &attr);
    fake->changes = 0;
}

void fake_add_bytes(struct fake_guest *fake, const char *path, const void *data, size_t size)
{
    const struct guest_file_attr attr = {.mode = 0644};
    add_parents(fake, path);
    write_bytes(&fake->guest, path, data, size, &attr);
    fake->changes = 0;
}

void fake_add_dir(struct fake_guest *fake, const char *path)
{
    add_parents(fake, path);
    add_node(fake, path, S_IFDIR | 0755, "");
    fake->changes = 0;
}

void fake_add_link(struct fake_guest *fake, const char *path, const char *target)
{
    add_parents(fake, path);
    add_node(fake, path, S_IFLNK | 0777, target);
    fake->changes = 0;
}

const char *fake_content(struct fake_guest *fake, const char *path)
{
    struct fake_node *node = NULL;
    return find(fake, path, true, &node) == 0 && S_ISREG(node->mode) ? node->data : NULL;
}

mode_t fake_mode(struct fake_guest *fake, const char *path)
{
    struct fake_node *node = NULL;
    return find(fake, path, false, &node) == 0 ? node->mode : 0;
}
