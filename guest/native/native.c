/* The native engine: ext2, ext3 and ext4 edited in-process. */
#include "guest/native/native.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "image/staged.h"

const unsigned native_capabilities = GUEST_CAN_EDIT | GUEST_CAN_RENEW | GUEST_CAN_RENEW_FS;

/* After a change that failed half-way, the guest is not what its programs would find. */
static int check_intact(const struct native *native, struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < native->mount_count; i++)
        r = native->mounts[i].fs ? ext_check_intact(native->mounts[i].fs, err) : 0;
    return r;
}

static int resolve(struct guest *guest, const char *path, bool follow, struct resolved *ret,
                   struct error **err)
{
    int r = check_intact(native_of(guest), err);
    return r < 0 ? r : native_resolve(native_of(guest), path, follow, ret, err);
}

int native_find(struct guest *guest, const char *path, bool follow, struct resolved *ret,
                struct error **err)
{
    int r = resolve(guest, path, follow, ret, err);
    if (r < 0)
        return r;
    return ret->exists ? 0 : error_set(err, ENOENT, "no such file or directory");
}

/* Resolves the name of something to be made. */
static int resolve_new(struct guest *guest, const char *path, struct resolved *ret,
                       struct error **err)
{
    int r = resolve(guest, path, false, ret, err);
    if (r < 0)
        return r;
    return ret->exists ? error_set(err, EEXIST, "already exists") : 0;
}

int native_find_new(struct guest *guest, const char *path, struct resolved *ret, struct error **err)
{
    int r = resolve_new(guest, path, ret, err);
    if (r == 0 && ret->must_be_dir)
        r = error_set(err, ENOENT, "ends with a slash, where no directory is to be made");
    return r;
}

/* Whether an entry may go: not a root, not a mount point. */
static int check_entry(struct guest *guest, const struct resolved *at, struct error **err)
{
    if (at->last != LAST_NAME)
        return error_set(err, EBUSY, "is the root directory, or named by '.' or '..'");
    if (!at->exists)
        return error_set(err, ENOENT, "no such file or directory");
    if (at->node.mount != at->parent.mount)
        return error_set(err, EBUSY, "is a mount point");
    return native_check_served(native_of(guest), at->node, err);
}

static int native_stat(struct guest *guest, const char *path, bool follow, struct guest_stat *ret,
                       struct error **err)
{
    struct resolved at;
    int r = native_find(guest, path, follow, &at, err);
    if (r == 0)
        r = ext_stat(native_fs(guest, at.node), at.node.inode, ret, err);
    if (r == 0)
        ret->fs = at.node.mount;
    return r;
}

/* Refuses what is no regular file. */
static int check_regular(struct guest *guest, const struct resolved *at, struct error **err)
{
    struct guest_stat st;
    int r = ext_stat(native_fs(guest, at->node), at->node.inode, &st, err);
    if (r < 0 || S_ISREG(st.mode))
        return r;
    if (S_ISDIR(st.mode))
        return error_set(err, EISDIR, "is a directory");
    return error_set(err, EINVAL, "is not a regular file");
}

int native_find_file(struct guest *guest, const char *path, bool follow, struct resolved *ret,
                     struct error **err)
{
    int r = native_find(guest, path, follow, ret, err);
    return r < 0 ? r : check_regular(guest, ret, err);
}

static int native_read(struct guest *guest, const char *path, size_t max, char **ret,
                       size_t *ret_size, struct error **err)
{
    struct resolved at;
    int r = native_find_file(guest, path, true, &at, err);
    if (r < 0)
        return r;
    return ext_read(native_fs(guest, at.node), at.node.inode, max, ret, ret_size, err);
}

static int native_read_head(struct guest *guest, const char *path, size_t max, char **ret,
                            size_t *ret_size, struct error **err)
{
    struct resolved at;
    int r = native_find_file(guest, path, true, &at, err);
    if (r < 0)
        return r;
    return ext_read_head(native_fs(guest, at.node), at.node.inode, max, ret, ret_size, err);
}

static int native_readlink(struct guest *guest, const char *path, char **ret, struct error **err)
{
    struct resolved at;
    int r = native_find(guest, path, false, &at, err);
    return r < 0 ? r : ext_readlink(native_fs(guest, at.node), at.node.inode, ret, err);
}

static int native_list(struct guest *guest, const char *path, guest_dirent_fn *entry, void *context,
                       struct error **err)
{
    struct resolved at;
    int r = native_find(guest, path, true, &at, err);
    if (r == 0)
        r = native_check_served(native_of(guest), at.node, err);
    if (r < 0)
        return r;
    return ext_list(native_fs(guest, at.node), at.node.inode, entry, context, err);
}

/* The owner first: changing it takes the set-id bits away. */
static int set_attr(struct guest *guest, struct node node, const struct guest_file_attr *attr,
                    struct error **err)
{
    int r = ext_chown(native_fs(guest, node), node.inode, attr->uid, attr->gid, err);
    return r < 0 ? r : ext_chmod(native_fs(guest, node), node.inode, attr->mode, err);
}

static int write_content(struct guest *guest, const char *path, const struct ext_content *content,
                         const struct guest_file_attr *attr, struct error **err)
{
    struct resolved at;
    int r = resolve(guest, path, true, &at, err);
    if (r < 0)
        return r;
    if (at.exists) {
        r = check_regular(guest, &at, err);
        if (r == 0)
            r = ext_replace(native_fs(guest, at.node), at.node.inode, content, err);
        if (r == 0 && attr->force)
            r = set_attr(guest, at.node, attr, err);
        return r;
    }
    if (at.must_be_dir)
        return error_set(err, EISDIR, "ends with a slash, where a file is to be written");
    struct ext_owner owner = {.mode = attr->mode, .uid = attr->uid, .gid = attr->gid};
    return ext_create(native_fs(guest, at.parent), at.parent.inode, at.name, &owner, content, err);
}

static int native_write(struct guest *guest, const char *path, const void *data, size_t size,
                        const struct guest_file_attr *attr, struct error **err)
{
    struct ext_content content = {.data = size ? data : "", .size = size, .fd = -1};
    return write_content(guest, path, &content, attr, err);
}

static int native_upload(struct guest *guest, int fd, const char *path,
                         const struct guest_file_attr *attr, struct error **err)
{
    struct ext_content content = {.fd = fd};
    return write_content(guest, path, &content, attr, err);
}

static int native_mkdir(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    struct resolved at;
    int r = resolve_new(guest, path, &at, err);
    if (r < 0)
        return r;
    struct ext_owner owner = {.mode = mode};
    return ext_mkdir(native_fs(guest, at.parent), at.parent.inode, at.name, &owner, err);
}

static int native_symlink(struct guest *guest, const char *target, const char *path,
                          struct error **err)
{
    struct resolved at;
    int r = native_find_new(guest, path, &at, err);
    if (r < 0)
        return r;
    return ext_symlink(native_fs(guest, at.parent), at.parent.inode, at.name, target, err);
}

/* Both ends are walked to before either is judged, as the kernel does it. */
static int native_rename(struct guest *guest, const char *from, const char *to, struct error **err)
{
    struct resolved at, target;
    int r = resolve(guest, from, false, &at, err);
    if (r < 0)
        return r;
    r = resolve(guest, to, false, &target, err);
    if (r == 0 && at.parent.mount != target.parent.mount)
        r = error_set(err, EXDEV, "it is on another file system");
    if (r == 0 && at.last == LAST_NAME && target.last != LAST_NAME)
        r = check_entry(guest, &target, err);
    if (r < 0)
        return error_wrap(err, "cannot be renamed to %s", to);
    r = check_entry(guest, &at, err);
    if (r < 0)
        return r;
    if (target.exists) {
        r = check_entry(guest, &target, err);
    } else if (target.must_be_dir) {
        struct guest_stat st;
        r = ext_stat(native_fs(guest, at.node), at.node.inode, &st, err);
        if (r == 0 && !S_ISDIR(st.mode))
            r = error_set(err, ENOTDIR, "a directory is asked for");
    }
    if (r < 0)
        return error_wrap(err, "cannot be renamed to %s", to);
    return ext_rename(native_fs(guest, at.parent), at.parent.inode, at.name, target.parent.inode,
                      target.name, err);
}

static int native_unlink(struct guest *guest, const char *path, struct error **err)
{
    struct resolved at;
    int r = resolve(guest, path, false, &at, err);
    if (r == 0 && at.last != LAST_NAME)
        r = error_set(err, EISDIR, "is a directory");
    if (r == 0)
        r = check_entry(guest, &at, err);
    if (r < 0)
        return r;
    return ext_unlink(native_fs(guest, at.parent), at.parent.inode, at.name, err);
}

static int native_rmdir(struct guest *guest, const char *path, struct error **err)
{
    struct resolved at;
    int r = resolve(guest, path, false, &at, err);
    if (r == 0 && at.last == LAST_DOT_DOT)
        r = error_set(err, ENOTEMPTY, "the directory is not empty");
    if (r == 0 && at.last == LAST_DOT)
        r = error_set(err, EINVAL, "cannot be removed by the name '.'");
    if (r == 0)
        r = check_entry(guest, &at, err);
    if (r < 0)
        return r;
    return ext_rmdir(native_fs(guest, at.parent), at.parent.inode, at.name, err);
}

int native_find_for_change(struct guest *guest, const char *path, bool follow, struct resolved *ret,
                           struct error **err)
{
    int r = native_find(guest, path, follow, ret, err);
    return r < 0 ? r : native_check_served(native_of(guest), ret->node, err);
}

static int native_chmod(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    struct resolved at;
    int r = native_find_for_change(guest, path, true, &at, err);
    return r < 0 ? r : ext_chmod(native_fs(guest, at.node), at.node.inode, mode, err);
}

static int native_chown(struct guest *guest, const char *path, uid_t uid, gid_t gid,
                        struct error **err)
{
    struct resolved at;
    int r = native_find_for_change(guest, path, true, &at, err);
    return r < 0 ? r : ext_chown(native_fs(guest, at.node), at.node.inode, uid, gid, err);
}

static int native_root(struct guest *guest, struct guest_root *ret, struct error **err)
{
    const struct native_mount *mount = &native_of(guest)->mounts[0];
    struct guest_root root = {
        .device = strdup(mount->volume->device),
        .fs = strdup(ext_kind(mount->fs)),
        .uuid = strdup(mount->volume->uuid),
        .size = ext_size(mount->fs),
        .free = ext_free(mount->fs),
    };
    if (!root.device || !root.fs || !root.uuid) {
        guest_root_free(&root);
        return error_oom(err);
    }
    *ret = root;
    return 0;
}

static int native_sync(struct guest *guest, struct error **err)
{
    struct native *native = native_of(guest);
    for (size_t i = 0; i < native->mount_count; i++) {
        int r = native->mounts[i].fs ? ext_sync(native->mounts[i].fs, err) : 0;
        if (r < 0)
            return r;
    }
    return block_flush(native->block, err);
}

static int native_commit(struct guest *guest, struct error **err)
{
    struct native *native = native_of(guest);
    int r = 0;
    if (native->staging != GUEST_STAGED)
        return 0;
    for (size_t i = 0; r == 0 && i < native->mount_count; i++)
        r = native->mounts[i].fs ? ext_guard(native->mounts[i].fs, native->block, err) : 0;
    return r < 0 ? r : staged_commit(native->block, native->guest.path, native->format, err);
}

static void native_close(struct guest *guest)
{
    struct native *native = native_of(guest);
    native_unmount_all(native);
    volumes_free(&native->volumes);
    block_close(native->block);
    free(native);
}

static const struct guest_ops native_ops = {
    .name = "native",
    .capabilities = GUEST_CAN_EDIT | GUEST_CAN_RENEW | GUEST_CAN_RENEW_FS,
    .stat = native_stat,
    .read = native_read,
    .read_head = native_read_head,
    .readlink = native_readlink,
    .list = native_list,
    .write = native_write,
    .upload = native_upload,
    .mkdir = native_mkdir,
    .symlink = native_symlink,
    .rename = native_rename,
    .unlink = native_unlink,
    .rmdir = native_rmdir,
    .chmod = native_chmod,
    .chown = native_chown,
    .lchown = native_lchown,
    .set_times = native_set_times,
    .list_xattrs = native_list_xattrs,
    .set_xattr = native_set_xattr,
    .truncate = native_truncate,
    .download = native_download,
    .overwrite = native_overwrite,
    .mknod = native_mknod,
    .link = native_link,
    .renew = native_renew,
    .trim = native_trim,
    .root = native_root,
    .file_systems = native_file_systems,
    .sync = native_sync,
    .commit = native_commit,
    .close = native_close,
};

/* Puts a layer over the image, where that is asked for. Takes the block over. */
static int stage(struct block **block, const struct guest_open_options *options, struct error **err)
{
    const struct staged_options defaults = {0};
    if (options->staging == GUEST_IN_PLACE)
        return 0;
    return staged_open(TAKE_PTR(*block), &defaults, block, err);
}

int native_set_lack(struct native *native, struct error **err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = vasprintf(&native->lack, fmt, args);
    va_end(args);
    if (length >= 0)
        return 0;
    native->lack = NULL;
    return error_oom(err);
}

int native_open(const char *path, const struct guest_open_options *options,
                struct guest_opening *ret, struct error **err)
{
    struct image_open_options image = {
        .format = options->format,
        .writable = options->writable && options->staging != GUEST_THROW_AWAY,
        .lock = options->lock,
        .unseal = options->unseal,
        .trust = options->resources.trust,
    };
    struct block *block;
    int r = image_open(path, &image, &block, err);
    if (r < 0)
        return r;
    return native_open_block(block, path, options, ret, err);
}

/* What the options ask of the disk beyond its being edited. */
static int check_needs(struct native *native, const struct guest_open_options *options,
                       struct error **err)
{
    int r = 0;
    if (options->capabilities & GUEST_CAN_RENEW)
        r = native_check_renew(native, GUEST_LVM_UUIDS, err);
    if (r == 0 && !native->lack && options->capabilities & GUEST_CAN_RENEW_FS)
        r = native_check_renew(native, GUEST_FILE_SYSTEM_UUIDS, err);
    return r;
}

int native_open_block(struct block *block, const char *path,
                      const struct guest_open_options *options, struct guest_opening *ret,
                      struct error **err)
{
    _cleanup_block_ struct block *owned = block;
    int r = stage(&owned, options, err);
    if (r < 0)
        return r;
    struct native *native = calloc(1, sizeof(*native));
    if (!native)
        return error_oom(err);
    native->guest.ops = &native_ops;
    native->guest.writable = options->writable;
    native->guest.path = strdup(path);
    native->staging = options->staging;
    native->format = options->format;
    native->block = TAKE_PTR(owned);
    r = native->guest.path ? volumes_scan(native->block, &native->volumes, err) : error_oom(err);
    if (r == 0)
        r = native_mount_all(native, options->resources.root, options->reporter, err);
    if (r == 0 && !native->lack)
        r = check_needs(native, options, err);
    *ret = (struct guest_opening){.lack = TAKE_PTR(native->lack)};
    if (r == 0 && !ret->lack) {
        ret->guest = &native->guest;
        return 0;
    }
    guest_discard(&native->guest);
    if (r < 0)
        free(TAKE_PTR(ret->lack));
    return r;
}
