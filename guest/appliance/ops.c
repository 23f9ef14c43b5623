/* The appliance engine's operations: each with the meaning that guest.h gives it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "base/str.h"
#include "guest/appliance/appliance.h"

static int op_stat(struct guest *guest, const char *path, bool follow, struct guest_stat *ret,
                   struct error **err)
{
    struct guestfs_statns *st = follow ? guestfs_statns(appliance_handle(guest), path)
                                       : guestfs_lstatns(appliance_handle(guest), path);
    if (!st)
        return appliance_fail(appliance_of(guest), err);
    *ret = (struct guest_stat){
        .mode = (mode_t)st->st_mode,
        .uid = (uid_t)st->st_uid,
        .gid = (gid_t)st->st_gid,
        .size = (uint64_t)st->st_size,
        .inode = (uint64_t)st->st_ino,
        .fs = (uint64_t)st->st_dev,
        .links = (unsigned)st->st_nlink,
        .device = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? (dev_t)st->st_rdev : 0,
        .atime = st->st_atime_sec,
        .mtime = st->st_mtime_sec,
    };
    guestfs_free_statns(st);
    return 0;
}

/* What one message of libguestfs's protocol may carry, by far. */
#define HEAD_MAX ((size_t)1 << 20)

static int op_read(struct guest *guest, const char *path, size_t max, char **ret, size_t *ret_size,
                   struct error **err)
{
    struct guest_stat st;
    int r = op_stat(guest, path, true, &st, err);
    if (r == 0)
        r = appliance_check_regular(&st, err);
    if (r < 0)
        return r;
    if (st.size > max)
        return error_set(err, EFBIG, "is larger than the %zu bytes allowed", max);
    char *data = guestfs_read_file(appliance_handle(guest), path, ret_size);
    if (!data)
        return appliance_fail(appliance_of(guest), err);
    *ret = data; /* libguestfs ends it with a NUL of its own */
    return 0;
}

static int op_read_head(struct guest *guest, const char *path, size_t max, char **ret,
                        size_t *ret_size, struct error **err)
{
    struct guest_stat st;
    int r = op_stat(guest, path, true, &st, err);
    if (r == 0)
        r = appliance_check_regular(&st, err);
    if (r < 0)
        return r;
    char *data =
        guestfs_pread(appliance_handle(guest), path, (int)min_u64(max, HEAD_MAX), 0, ret_size);
    if (!data)
        return appliance_fail(appliance_of(guest), err);
    *ret = data;
    return 0;
}

static int op_readlink(struct guest *guest, const char *path, char **ret, struct error **err)
{
    char *target = guestfs_readlink(appliance_handle(guest), path);
    if (!target)
        return appliance_fail(appliance_of(guest), err);
    *ret = target;
    return 0;
}

static mode_t type_of(char letter)
{
    static const struct {
        char letter;
        mode_t type;
    } types[] = {{'r', S_IFREG}, {'d', S_IFDIR}, {'l', S_IFLNK}, {'c', S_IFCHR},
                 {'b', S_IFBLK}, {'f', S_IFIFO}, {'s', S_IFSOCK}};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (types[i].letter == letter)
            return types[i].type;
    return 0;
}

static int list_typed(const struct guestfs_dirent_list *list, guest_dirent_fn *entry, void *context)
{
    int r = 0;
    for (uint32_t i = 0; r >= 0 && i < list->len; i++) {
        const char *name = list->val[i].name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            r = entry(context, name, type_of(list->val[i].ftyp));
    }
    return r < 0 ? r : 0;
}

static int op_list(struct guest *guest, const char *path, guest_dirent_fn *entry, void *context,
                   struct error **err)
{
    struct guestfs_dirent_list *list = guestfs_readdir(appliance_handle(guest), path);
    if (list) {
        int r = list_typed(list, entry, context);
        guestfs_free_dirent_list(list);
        return r;
    }
    /* Some versions of libguestfs cannot read a very large directory in this way. */
    _cleanup_list_ char **names = guestfs_ls(appliance_handle(guest), path);
    if (!names)
        return appliance_fail(appliance_of(guest), err);
    int r = 0;
    for (size_t i = 0; r >= 0 && names[i]; i++)
        r = entry(context, names[i], 0);
    return r < 0 ? r : 0;
}

static int set_attr(struct guest *guest, const char *path, const struct guest_file_attr *attr,
                    struct error **err)
{
    int r = guestfs_chown(appliance_handle(guest), (int)attr->uid, (int)attr->gid, path);
    if (r == 0)
        r = guestfs_chmod(appliance_handle(guest), (int)attr->mode, path);
    return appliance_done(guest, r, err);
}

/* libguestfs opens the file by name: from its beginning. */
static int send_fd(struct guest *guest, int fd, const char *path, struct error **err)
{
    char name[32];
    snprintf(name, sizeof(name), "/dev/fd/%d", fd);
    return appliance_done(guest, guestfs_upload(appliance_handle(guest), name, path), err);
}

/* Copies what is left of fd, so that it begins where a file begins. */
static int send_rest(struct guest *guest, int fd, const char *path, struct error **err)
{
    _cleanup_close_ int copy = memfd_create("upload", MFD_CLOEXEC);
    if (copy < 0)
        return error_sys(err, errno, "cannot make a temporary file");
    for (;;) {
        char chunk[65536];
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, errno, "cannot read the file to upload");
        if (n == 0)
            return send_fd(guest, copy, path, err);
        int r = fd_write_full(copy, chunk, (size_t)n, "upload", err);
        if (r < 0)
            return r;
    }
}

/* Sends contents to an existing or a new file, and sets mode and owner as guest_write() does. */
static int store(struct guest *guest, int fd, const char *path, const struct guest_file_attr *attr,
                 struct error **err)
{
    struct guest_stat st;
    _cleanup_error_ struct error *absent = NULL;
    int r = op_stat(guest, path, true, &st, &absent);
    bool exists = r == 0;
    if (exists)
        r = appliance_check_regular(&st, err);
    else if (r == -ENOENT)
        r = 0;
    else
        return error_move(err, TAKE_PTR(absent));
    if (r == 0 && !exists && str_ends(path, "/"))
        r = error_set(err, EISDIR, "ends with a slash, where a file is to be written");
    if (r < 0)
        return r;
    bool whole = lseek(fd, 0, SEEK_CUR) == 0;
    r = whole ? send_fd(guest, fd, path, err) : send_rest(guest, fd, path, err);
    if (r == 0 && (!exists || attr->force))
        r = set_attr(guest, path, attr, err);
    return r;
}

static int op_upload(struct guest *guest, int fd, const char *path,
                     const struct guest_file_attr *attr, struct error **err)
{
    return store(guest, fd, path, attr, err);
}

static int op_write(struct guest *guest, const char *path, const void *data, size_t size,
                    const struct guest_file_attr *attr, struct error **err)
{
    _cleanup_close_ int fd = memfd_create("write", MFD_CLOEXEC);
    if (fd < 0)
        return error_sys(err, errno, "cannot make a temporary file");
    int r = fd_pwrite_full(fd, data, size, 0, "write", err);
    return r < 0 ? r : store(guest, fd, path, attr, err);
}

static int op_mkdir(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    int r =
        appliance_done(guest, guestfs_mkdir_mode(appliance_handle(guest), path, (int)mode), err);
    /* mkdir(2) leaves these bits out. */
    if (r == 0 && mode & (S_ISUID | S_ISGID))
        r = appliance_done(guest, guestfs_chmod(appliance_handle(guest), (int)mode, path), err);
    return r;
}

static int op_symlink(struct guest *guest, const char *target, const char *path, struct error **err)
{
    /* ln(1) would also make the link within an existing directory. */
    int r = appliance_check_new(guest, path, err);
    if (r < 0)
        return r;
    struct error *error = NULL;
    _cleanup_free_ char *real = appliance_resolve_parent(guest, path, &error);
    if (!real)
        return error_move(err, error);
    return appliance_done(guest, guestfs_ln_s(appliance_handle(guest), target, real), err);
}

static int op_rename(struct guest *guest, const char *from, const char *to, struct error **err)
{
    return appliance_done(guest, guestfs_rename(appliance_handle(guest), from, to), err);
}

static int op_unlink(struct guest *guest, const char *path, struct error **err)
{
    return appliance_done(guest, guestfs_rm(appliance_handle(guest), path), err);
}

static int op_rmdir(struct guest *guest, const char *path, struct error **err)
{
    return appliance_done(guest, guestfs_rmdir(appliance_handle(guest), path), err);
}

static int op_chmod(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    return appliance_done(guest, guestfs_chmod(appliance_handle(guest), (int)mode, path), err);
}

static int op_chown(struct guest *guest, const char *path, uid_t uid, gid_t gid, struct error **err)
{
    return appliance_done(guest, guestfs_chown(appliance_handle(guest), (int)uid, (int)gid, path),
                          err);
}

static int op_root(struct guest *guest, struct guest_root *ret, struct error **err)
{
    struct appliance *appliance = appliance_of(guest);
    guestfs_h *g = appliance->handle;
    struct guest_root root = {
        .device = guestfs_canonical_device_name(g, appliance->root),
        .fs = guestfs_vfs_type(g, appliance->root),
        .uuid = guestfs_vfs_uuid(g, appliance->root),
    };
    struct guestfs_statvfs *st = guestfs_statvfs(g, "/");
    if (!root.device || !root.fs || !root.uuid || !st) {
        int r = appliance_fail(appliance, err);
        guest_root_free(&root);
        guestfs_free_statvfs(st);
        return r;
    }
    /* A subvolume is no device, and btrfs may lie on several. */
    bool subvolume = strcmp(root.fs, "btrfs") == 0;
    int64_t size = subvolume ? 0 : guestfs_blockdev_getsize64(g, appliance->root);
    root.size = size > 0 ? (uint64_t)size : (uint64_t)st->blocks * (uint64_t)st->frsize;
    root.free = (uint64_t)st->bfree * (uint64_t)st->frsize;
    guestfs_free_statvfs(st);
    *ret = root;
    return 0;
}

static int op_sync(struct guest *guest, struct error **err)
{
    return appliance_done(guest, guestfs_sync(appliance_handle(guest)), err);
}

static void op_close(struct guest *guest)
{
    struct appliance *appliance = appliance_of(guest);
    /* QEMU ends with this process. */
    if (appliance->abandoned) {
        appliance_free_drives(appliance);
        return;
    }
    if (appliance->handle) {
        guestfs_shutdown(appliance->handle);
        guestfs_close(appliance->handle);
    }
    appliance_free_drives(appliance);
    free(appliance->mount_options);
    free(appliance->locked);
    appliance_free_mounts(appliance);
    volumes_free(&appliance->volumes);
    free(appliance->doubt);
    free(appliance->arch);
    free(appliance->root);
    for (size_t i = 0; i < APPLIANCE_LINES; i++)
        free(appliance->lines[i]);
    free(appliance);
}

const struct guest_ops appliance_ops = {
    .name = "appliance",
    .capabilities = GUEST_CAN_EDIT | GUEST_CAN_RUN | GUEST_CAN_NETWORK | GUEST_CAN_RENEW |
                    GUEST_CAN_RENEW_FS | GUEST_CAN_MOUNT,
    .stat = op_stat,
    .read = op_read,
    .read_head = op_read_head,
    .readlink = op_readlink,
    .list = op_list,
    .write = op_write,
    .upload = op_upload,
    .mkdir = op_mkdir,
    .symlink = op_symlink,
    .rename = op_rename,
    .unlink = op_unlink,
    .rmdir = op_rmdir,
    .chmod = op_chmod,
    .chown = op_chown,
    .lchown = appliance_lchown,
    .set_times = appliance_set_times,
    .list_xattrs = appliance_list_xattrs,
    .set_xattr = appliance_set_xattr,
    .truncate = appliance_truncate,
    .create_files = appliance_create_files,
    .download = appliance_download,
    .overwrite = appliance_overwrite,
    .mknod = appliance_mknod,
    .link = appliance_link,
    .run = appliance_run,
    .mount_on_host = appliance_mount_on_host,
    .renew = appliance_renew,
    .trim = appliance_trim,
    .root = op_root,
    .file_systems = appliance_file_systems,
    .sync = op_sync,
    .commit = appliance_commit,
    .close = op_close,
};
