/* Copies of single objects. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tempfile.h"
#include "guest/copy.h"

/* Contents up to this size go through memory, others through a file. */
#define MEMORY_MAX ((uint64_t)8 << 20)
#define XATTRS_MAX 1000u

/* Contents. */

/* A nameless file for `size` bytes, which no other process can open. */
static int open_buffer(uint64_t size, struct error **err)
{
    if (size <= MEMORY_MAX) {
        int fd = memfd_create("kiln-copy", MFD_CLOEXEC);
        return fd >= 0 ? fd : error_sys(err, errno, "memfd_create failed");
    }
    return temp_file("kiln-copy", err);
}

static int copy_contents(struct guest *guest, const char *from, const char *to,
                         const struct guest_stat *st, struct error **err)
{
    struct guest_file_attr attr = {.mode = st->mode & 07777, .uid = st->uid, .gid = st->gid};
    _cleanup_close_ int fd = open_buffer(st->size, err);
    if (fd < 0)
        return fd;
    int r = guest_download(guest, from, fd, err);
    if (r < 0)
        return r;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_sys(err, errno, "cannot read a temporary file");
    return guest_upload(guest, fd, to, &attr, err);
}

/* Attributes. */

struct xattr {
    char *name, *value;
    size_t size;
};

struct xattrs {
    struct xattr *items;
    size_t count;
    struct error **err;
};

static void xattrs_free(struct xattrs *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].value);
    }
    free(list->items);
}
#define _cleanup_xattrs_ _cleanup_(xattrs_free)

static int add_xattr(void *context, const char *name, const void *value, size_t size)
{
    struct xattrs *list = context;
    if (list->count >= XATTRS_MAX)
        return error_set(list->err, EFBIG, "there are too many extended attributes");
    struct xattr *items = reallocarray(list->items, list->count + 1, sizeof(*items));
    if (!items)
        return error_oom(list->err);
    list->items = items;
    struct xattr item = {.name = strdup(name), .value = malloc(size + 1), .size = size};
    if (!item.name || !item.value) {
        free(item.name);
        free(item.value);
        return error_oom(list->err);
    }
    memcpy(item.value, value, size);
    items[list->count++] = item;
    return 0;
}

static const struct xattr *find_xattr(const struct xattrs *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

static int copy_xattrs(struct guest *guest, const char *from, const char *to, struct error **err)
{
    _cleanup_xattrs_ struct xattrs wanted = {.err = err}, found = {.err = err};
    int r = guest_list_xattrs(guest, from, add_xattr, &wanted, err);
    if (r == 0)
        r = guest_list_xattrs(guest, to, add_xattr, &found, err);
    for (size_t i = 0; r == 0 && i < found.count; i++)
        if (!find_xattr(&wanted, found.items[i].name))
            r = guest_set_xattr(guest, to, found.items[i].name, NULL, 0, err);
    for (size_t i = 0; r == 0 && i < wanted.count; i++) {
        const struct xattr *item = &wanted.items[i], *has = find_xattr(&found, item->name);
        if (!has || has->size != item->size || memcmp(has->value, item->value, item->size) != 0)
            r = guest_set_xattr(guest, to, item->name, item->value, item->size, err);
    }
    return r;
}

/* The owner first, which takes set-id bits and capabilities away; the times last. */
int copy_attributes(struct guest *guest, const char *from, const char *to,
                    const struct guest_stat *st, struct error **err)
{
    const struct guest_times times = {.atime = st->atime, .mtime = st->mtime};
    int r = guest_lchown(guest, to, st->uid, st->gid, err);
    if (r == 0 && !S_ISLNK(st->mode))
        r = guest_chmod(guest, to, st->mode & 07777, err);
    if (r == 0)
        r = copy_xattrs(guest, from, to, err);
    return r < 0 ? r : guest_set_times(guest, to, &times, err);
}

/* Objects. */

int copy_stat(struct guest *guest, const char *path, struct guest_stat *ret, struct error **err)
{
    _cleanup_error_ struct error *absent = NULL;
    *ret = (struct guest_stat){0};
    int r = guest_stat(guest, path, false, ret, &absent);
    if (r == -ENOENT)
        return 0;
    return r < 0 ? error_move(err, TAKE_PTR(absent)) : 0;
}

static int copy_link(struct guest *guest, const char *from, const char *to, struct error **err)
{
    _cleanup_free_ char *target = NULL;
    int r = guest_readlink(guest, from, &target, err);
    return r < 0 ? r : guest_symlink(guest, target, to, err);
}

/* cp(1) writes a file through a link that has its name, but not one that leads nowhere, and puts a
 * new file in the place of one that has several names: those are to stay what they are. *ret is
 * where the contents go; caller frees. */
static int prepare_place(struct guest *guest, const char *to, const struct guest_stat *st,
                         struct guest_stat *old, char **ret, struct error **err)
{
    bool through = S_ISREG(st->mode) && S_ISLNK(old->mode);
    _cleanup_free_ char *place = NULL;
    int r = guest_resolve(guest, to, through, &place, err);
    if (r == 0 && through)
        r = copy_stat(guest, place, old, err);
    if (r < 0)
        return r;
    if (through && !old->mode)
        return error_set(err, EEXIST, "%s in the guest: is a link that leads nowhere", to);
    bool replaced = old->mode && !S_ISDIR(old->mode) && (!S_ISREG(st->mode) || old->links > 1);
    bool same = old->mode && old->fs == st->fs && old->inode == st->inode;
    if (same)
        return error_set(err, EINVAL, "%s in the guest: is to be copied onto itself", to);
    if (old->mode && !replaced && !S_ISREG(old->mode))
        return error_set(err, EEXIST, "%s in the guest: already exists, and is not a regular file",
                         to);
    if (replaced)
        r = guest_unlink(guest, to, err);
    *ret = replaced ? strdup(to) : TAKE_PTR(place);
    return r < 0 ? r : *ret ? 0 : error_oom(err);
}

int copy_object(struct guest *guest, const char *from, const char *to, const struct guest_stat *st,
                struct error **err)
{
    struct guest_stat old;
    _cleanup_free_ char *place = NULL;
    int r = copy_stat(guest, to, &old, err);
    if (r == 0)
        r = prepare_place(guest, to, st, &old, &place, err);
    if (r < 0)
        return r;
    if (S_ISREG(st->mode))
        r = copy_contents(guest, from, place, st, err);
    else if (S_ISLNK(st->mode))
        r = copy_link(guest, from, place, err);
    else
        r = guest_mknod(guest, place, st->mode, st->device, err);
    return r < 0 ? r : copy_attributes(guest, from, place, st, err);
}
