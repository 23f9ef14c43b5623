/* The tree of the fake guest: entries, the objects that they name, and walking. For
 * fake_guest.c. */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/customize/fake_guest.h"

enum { link_depth_max = 20 };

struct fake_xattr {
    char *name;
    char *value; /* NUL-terminated behind its end */
    size_t size;
    struct fake_xattr *next;
};

/* What one or more entries name. */
struct fake_object {
    mode_t mode;
    uid_t uid;
    gid_t gid;
    uint64_t inode;
    unsigned names; /* entries that name it */
    dev_t device;
    int64_t atime, mtime;
    char *data; /* a file's content or a link's target, NUL-terminated */
    size_t size;
    unsigned overwritten;
    struct fake_xattr *xattrs; /* in the order in which they were set */
};

struct fake_node {
    char *name;
    struct fake_object *object;
    struct fake_node *parent;
    struct fake_node *children;
    struct fake_node *next;
};

static inline struct fake_object *object_new(struct fake_guest *fake, mode_t mode)
{
    struct fake_object *object = calloc(1, sizeof(*object));
    object->mode = mode;
    object->inode = ++fake->next_inode;
    object->atime = object->mtime = fake->now;
    object->data = calloc(1, 1);
    return object;
}

static inline void xattr_free(struct fake_xattr *xattr)
{
    free(xattr->name);
    free(xattr->value);
    free(xattr);
}

static inline void object_drop(struct fake_object *object)
{
    if (--object->names > 0)
        return;
    while (object->xattrs) {
        struct fake_xattr *next = object->xattrs->next;
        xattr_free(object->xattrs);
        object->xattrs = next;
    }
    free(object->data);
    free(object);
}

static inline void object_set(struct fake_object *object, const void *data, size_t size)
{
    char *copy = calloc(1, size + 1);
    if (size > 0)
        memcpy(copy, data, size);
    free(object->data);
    object->data = copy;
    object->size = size;
}

static inline struct fake_xattr **xattr_slot(struct fake_object *object, const char *name)
{
    struct fake_xattr **slot = &object->xattrs;
    while (*slot && strcmp((*slot)->name, name) != 0)
        slot = &(*slot)->next;
    return slot;
}

/* NULL removes it. */
static inline void xattr_set(struct fake_object *object, const char *name, const void *value,
                             size_t size)
{
    struct fake_xattr **slot = xattr_slot(object, name);
    struct fake_xattr *next = NULL;
    if (*slot) {
        next = (*slot)->next;
        xattr_free(*slot);
        *slot = next;
    }
    if (!value)
        return;
    struct fake_xattr *xattr = calloc(1, sizeof(*xattr));
    xattr->name = strdup(name);
    xattr->value = calloc(1, size + 1);
    memcpy(xattr->value, value, size);
    xattr->size = size;
    xattr->next = next;
    *slot = xattr;
}

/* The object then has one more name. */
static inline struct fake_node *node_new(const char *name, struct fake_object *object)
{
    struct fake_node *node = calloc(1, sizeof(*node));
    node->name = strdup(name);
    node->object = object;
    object->names++;
    return node;
}

static inline void node_free(struct fake_node *node)
{
    while (node->children) {
        struct fake_node *child = node->children;
        node->children = child->next;
        node_free(child);
    }
    object_drop(node->object);
    free(node->name);
    free(node);
}

static inline void node_attach(struct fake_node *dir, struct fake_node *node)
{
    node->parent = dir;
    node->next = dir->children;
    dir->children = node;
}

static inline void node_detach(struct fake_node *node)
{
    struct fake_node **at = &node->parent->children;
    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
}

static inline struct fake_node *child_of(struct fake_node *dir, const char *name, size_t length)
{
    for (struct fake_node *node = dir->children; node; node = node->next)
        if (strlen(node->name) == length && memcmp(node->name, name, length) == 0)
            return node;
    return NULL;
}

static inline bool node_is_within(const struct fake_node *inner, const struct fake_node *outer)
{
    while (inner && inner != outer)
        inner = inner->parent;
    return inner != NULL;
}

struct place {
    struct fake_node *dir;
    struct fake_node *node; /* NULL: the name is free */
    char *name;
};

/* Resolves from `dir`. -ENOENT with place->dir set: only the last name is missing. */
static inline int walk(struct fake_guest *fake, struct fake_node *dir, const char *path,
                       bool follow, unsigned depth, struct place *place)
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
        if (!S_ISDIR(place->node->object->mode))
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
        if (S_ISLNK(node->object->mode) && (!last || follow)) {
            int r = walk(fake, dir, node->object->data, true, depth + 1, place);
            if (r < 0 && !last)
                place->dir = NULL;
            if (r < 0)
                return r;
        }
        path = rest;
    }
}

static inline int locate(struct fake_guest *fake, const char *path, bool follow,
                         struct place *place)
{
    *place = (struct place){0};
    int r = walk(fake, fake->root, path, follow, 0, place);
    if (r < 0)
        place->node = NULL;
    return r;
}

static inline int find_node(struct fake_guest *fake, const char *path, bool follow,
                            struct fake_node **ret)
{
    struct place place;
    int r = locate(fake, path, follow, &place);
    free(place.name);
    if (r == 0)
        *ret = place.node;
    return r;
}

static inline int find(struct fake_guest *fake, const char *path, bool follow,
                       struct fake_object **ret)
{
    struct fake_node *node = NULL;
    int r = find_node(fake, path, follow, &node);
    if (r == 0)
        *ret = node->object;
    return r;
}

/* Gives an object (new or not) the name, which must be free. The object stays without names on
 * failure. */
static inline int add_name(struct fake_guest *fake, const char *path, struct fake_object *object)
{
    struct place place;
    int r = locate(fake, path, false, &place);
    if (r == 0)
        r = -EEXIST;
    else if (r == -ENOENT && place.dir) {
        node_attach(place.dir, node_new(place.name, object));
        fake->changes++;
        r = 0;
    }
    free(place.name);
    return r;
}

static inline int add_object(struct fake_guest *fake, const char *path, mode_t mode,
                             const char *data, dev_t device)
{
    struct fake_object *object = object_new(fake, mode);
    object_set(object, data, strlen(data));
    object->device = device;
    int r = add_name(fake, path, object);
    if (r < 0) {
        object->names = 1;
        object_drop(object);
    }
    return r;
}
