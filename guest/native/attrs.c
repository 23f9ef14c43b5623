/* The native engine: what goes beyond making, reading and removing files. */
#include <errno.h>

#include "guest/native/native.h"

int native_lchown(struct guest *guest, const char *path, uid_t uid, gid_t gid, struct error **err)
{
    struct resolved at;
    int r = native_find_for_change(guest, path, false, &at, err);
    return r < 0 ? r : ext_chown(native_fs(guest, at.node), at.node.inode, uid, gid, err);
}

int native_set_times(struct guest *guest, const char *path, const struct guest_times *times,
                     struct error **err)
{
    struct resolved at;
    int r = native_find_for_change(guest, path, false, &at, err);
    return r < 0 ? r : ext_set_times(native_fs(guest, at.node), at.node.inode, times, err);
}

int native_list_xattrs(struct guest *guest, const char *path, guest_xattr_fn *attribute,
                       void *context, struct error **err)
{
    struct resolved at;
    int r = native_find_for_change(guest, path, false, &at, err);
    if (r < 0)
        return r;
    return ext_list_xattrs(native_fs(guest, at.node), at.node.inode, attribute, context, err);
}

int native_set_xattr(struct guest *guest, const char *path, const char *name, const void *value,
                     size_t size, struct error **err)
{
    struct resolved at;
    int r = native_find_for_change(guest, path, false, &at, err);
    if (r < 0)
        return r;
    return ext_set_xattr(native_fs(guest, at.node), at.node.inode, name, value, size, err);
}

int native_truncate(struct guest *guest, const char *path, uint64_t size, struct error **err)
{
    struct resolved at;
    int r = native_find_file(guest, path, true, &at, err);
    return r < 0 ? r : ext_truncate(native_fs(guest, at.node), at.node.inode, size, err);
}

int native_download(struct guest *guest, const char *path, int fd, struct error **err)
{
    struct resolved at;
    int r = native_find_file(guest, path, true, &at, err);
    return r < 0 ? r : ext_download(native_fs(guest, at.node), at.node.inode, fd, err);
}

int native_overwrite(struct guest *guest, const char *path, struct error **err)
{
    struct resolved at;
    int r = native_find_file(guest, path, false, &at, err);
    return r < 0 ? r : ext_overwrite(native_fs(guest, at.node), at.node.inode, err);
}

int native_mknod(struct guest *guest, const char *path, mode_t mode, dev_t device,
                 struct error **err)
{
    struct resolved at;
    int r = native_find_new(guest, path, &at, err);
    if (r < 0)
        return r;
    return ext_mknod(native_fs(guest, at.parent), at.parent.inode, at.name, mode, device, err);
}

int native_link(struct guest *guest, const char *existing, const char *path, struct error **err)
{
    struct resolved from, at;
    int r = native_find_for_change(guest, existing, false, &from, err);
    if (r == 0)
        r = native_find_new(guest, path, &at, err);
    if (r == 0 && from.node.mount != at.parent.mount)
        r = error_set(err, EXDEV, "is on another file system");
    if (r < 0)
        return r;
    return ext_link(native_fs(guest, at.parent), from.node.inode, at.parent.inode, at.name, err);
}
