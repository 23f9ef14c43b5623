/* The gate before the engines: checks arguments, so that engines need not, and names the object. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "guest/engine.h"

#define PATH_BYTES_MAX 4096
#define NAME_BYTES_MAX 255

int guest_path_check(const char *path, struct error **err)
{
    if (str_empty(path))
        return error_set(err, EINVAL, "a guest path is empty");
    if (path[0] != '/')
        return error_set(err, EINVAL, "guest path '%s' is not absolute", path);
    if (strlen(path) > PATH_BYTES_MAX)
        return error_set(err, ENAMETOOLONG, "a guest path is longer than %d bytes", PATH_BYTES_MAX);
    for (const char *part = path; *part;) {
        size_t length = strcspn(part, "/");
        if (length > NAME_BYTES_MAX)
            return error_set(err, ENAMETOOLONG, "guest path '%s' has a name longer than %d bytes",
                             path, NAME_BYTES_MAX);
        part += length + strspn(part + length, "/");
    }
    return 0;
}

/* Names the object in the message of a failed operation; passes r on. */
static int named(int r, const char *path, struct error **err)
{
    if (r < 0 && err && *err) {
        _cleanup_free_ char *shown = str_printable(path);
        error_wrap(err, "%s in the guest", shown ? shown : "a file");
    }
    return r;
}

static int check_writable(const struct guest *guest, struct error **err)
{
    if (guest->writable)
        return 0;
    return error_set(err, EROFS, "the image was opened for reading only");
}

static bool is_within(const char *path, const char *dir)
{
    size_t length = strcmp(dir, "/") == 0 ? 0 : strlen(dir);
    return strncmp(path, dir, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* What the path leads to, by a link in its last name as well. */
static int check_served(struct guest *guest, const char *path, bool follow, struct error **err)
{
    _cleanup_free_ char *resolved = NULL;
    int r = guest_resolve(guest, path, follow, &resolved, err);
    for (size_t i = 0; r == 0 && i + 1 < guest->unserved.count; i += 2)
        if (is_within(resolved, guest->unserved.items[i]))
            r = error_set(err, EROFS, "nothing can be changed below %s: %s",
                          guest->unserved.items[i], guest->unserved.items[i + 1]);
    return r;
}

/* The gate of the operations that change something. */
static int check_change(struct guest *guest, const char *path, struct error **err)
{
    int r = guest_path_check(path, err);
    if (r == 0)
        r = named(check_writable(guest, err), path, err);
    if (r < 0 || guest->unserved.count == 0)
        return r;
    r = check_served(guest, path, false, err);
    return r < 0 ? r : check_served(guest, path, true, err);
}

static int check_mode(mode_t mode, const char *path, struct error **err)
{
    if ((mode & ~(mode_t)07777) == 0)
        return 0;
    return named(error_set(err, EINVAL, "mode %o has bits beyond 7777", (unsigned)mode), path, err);
}

int guest_stat(struct guest *guest, const char *path, bool follow, struct guest_stat *ret,
               struct error **err)
{
    int r = guest_path_check(path, err);
    return r < 0 ? r : named(guest->ops->stat(guest, path, follow, ret, err), path, err);
}

bool guest_exists(struct guest *guest, const char *path)
{
    struct guest_stat st;
    return guest_stat(guest, path, true, &st, NULL) == 0;
}

bool guest_is_dir(struct guest *guest, const char *path)
{
    struct guest_stat st;
    return guest_stat(guest, path, true, &st, NULL) == 0 && S_ISDIR(st.mode);
}

int guest_read(struct guest *guest, const char *path, size_t max, char **ret, size_t *ret_size,
               struct error **err)
{
    int r = guest_path_check(path, err);
    if (r < 0)
        return r;
    size_t size;
    r = named(guest->ops->read(guest, path, max, ret, &size, err), path, err);
    if (r == 0 && ret_size)
        *ret_size = size;
    return r;
}

int guest_read_head(struct guest *guest, const char *path, size_t max, char **ret, size_t *ret_size,
                    struct error **err)
{
    int r = guest_path_check(path, err);
    if (r < 0)
        return r;
    if (guest->ops->read_head)
        return named(guest->ops->read_head(guest, path, max, ret, ret_size, err), path, err);
    r = guest_read(guest, path, SIZE_MAX, ret, ret_size, err);
    if (r == 0)
        *ret_size = min_u64(*ret_size, max);
    return r;
}

int guest_readlink(struct guest *guest, const char *path, char **ret, struct error **err)
{
    int r = guest_path_check(path, err);
    return r < 0 ? r : named(guest->ops->readlink(guest, path, ret, err), path, err);
}

int guest_list(struct guest *guest, const char *path, guest_dirent_fn *entry, void *context,
               struct error **err)
{
    int r = guest_path_check(path, err);
    return r < 0 ? r : named(guest->ops->list(guest, path, entry, context, err), path, err);
}

int guest_write(struct guest *guest, const char *path, const void *data, size_t size,
                const struct guest_file_attr *attr, struct error **err)
{
    int r = check_change(guest, path, err);
    if (r < 0)
        return r;
    r = check_mode(attr->mode, path, err);
    return r < 0 ? r : named(guest->ops->write(guest, path, data, size, attr, err), path, err);
}

int guest_upload(struct guest *guest, int fd, const char *path, const struct guest_file_attr *attr,
                 struct error **err)
{
    int r = check_change(guest, path, err);
    if (r < 0)
        return r;
    r = check_mode(attr->mode, path, err);
    return r < 0 ? r : named(guest->ops->upload(guest, fd, path, attr, err), path, err);
}

int guest_mkdir(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    int r = check_change(guest, path, err);
    if (r < 0)
        return r;
    r = check_mode(mode, path, err);
    return r < 0 ? r : named(guest->ops->mkdir(guest, path, mode, err), path, err);
}

int guest_symlink(struct guest *guest, const char *target, const char *path, struct error **err)
{
    int r = check_change(guest, path, err);
    if (r < 0)
        return r;
    if (str_empty(target))
        return named(error_set(err, ENOENT, "the link's target is empty"), path, err);
    if (strlen(target) >= PATH_BYTES_MAX)
        return named(error_set(err, ENAMETOOLONG, "the link's target is too long"), path, err);
    return named(guest->ops->symlink(guest, target, path, err), path, err);
}

int guest_rename(struct guest *guest, const char *from, const char *to, struct error **err)
{
    int r = guest_path_check(from, err);
    if (r < 0)
        return r;
    r = check_change(guest, to, err);
    return r < 0 ? r : named(guest->ops->rename(guest, from, to, err), from, err);
}

int guest_unlink(struct guest *guest, const char *path, struct error **err)
{
    int r = check_change(guest, path, err);
    return r < 0 ? r : named(guest->ops->unlink(guest, path, err), path, err);
}

int guest_rmdir(struct guest *guest, const char *path, struct error **err)
{
    int r = check_change(guest, path, err);
    return r < 0 ? r : named(guest->ops->rmdir(guest, path, err), path, err);
}

int guest_chmod(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    int r = check_change(guest, path, err);
    if (r < 0)
        return r;
    r = check_mode(mode, path, err);
    return r < 0 ? r : named(guest->ops->chmod(guest, path, mode, err), path, err);
}

int guest_chown(struct guest *guest, const char *path, uid_t uid, gid_t gid, struct error **err)
{
    int r = check_change(guest, path, err);
    return r < 0 ? r : named(guest->ops->chown(guest, path, uid, gid, err), path, err);
}

int guest_lchown(struct guest *guest, const char *path, uid_t uid, gid_t gid, struct error **err)
{
    int r = check_change(guest, path, err);
    return r < 0 ? r : named(guest->ops->lchown(guest, path, uid, gid, err), path, err);
}

int guest_set_times(struct guest *guest, const char *path, const struct guest_times *times,
                    struct error **err)
{
    int r = check_change(guest, path, err);
    return r < 0 ? r : named(guest->ops->set_times(guest, path, times, err), path, err);
}

int guest_list_xattrs(struct guest *guest, const char *path, guest_xattr_fn *attribute,
                      void *context, struct error **err)
{
    int r = guest_path_check(path, err);
    return r < 0 ? r
                 : named(guest->ops->list_xattrs(guest, path, attribute, context, err), path, err);
}

int guest_set_xattr(struct guest *guest, const char *path, const char *name, const void *value,
                    size_t size, struct error **err)
{
    int r = check_change(guest, path, err);
    if (r < 0)
        return r;
    if (str_empty(name) || strlen(name) > NAME_BYTES_MAX || !strchr(name, '.'))
        return named(error_set(err, EINVAL, "an extended attribute's name is not valid"), path,
                     err);
    return named(guest->ops->set_xattr(guest, path, name, value, size, err), path, err);
}

int guest_truncate(struct guest *guest, const char *path, uint64_t size, struct error **err)
{
    int r = check_change(guest, path, err);
    return r < 0 ? r : named(guest->ops->truncate(guest, path, size, err), path, err);
}

int guest_download(struct guest *guest, const char *path, int fd, struct error **err)
{
    int r = guest_path_check(path, err);
    return r < 0 ? r : named(guest->ops->download(guest, path, fd, err), path, err);
}

int guest_overwrite(struct guest *guest, const char *path, struct error **err)
{
    int r = check_change(guest, path, err);
    return r < 0 ? r : named(guest->ops->overwrite(guest, path, err), path, err);
}

bool guest_creates_in_bulk(const struct guest *guest)
{
    return guest->ops->create_files;
}

int guest_create_files(struct guest *guest, const struct guest_new_file *files, size_t count,
                       struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = check_change(guest, files[i].path, err);
        if (r == 0)
            r = check_mode(files[i].attr.mode, files[i].path, err);
    }
    if (r == 0 && count > 0)
        r = named(guest->ops->create_files(guest, files, count, err), files[0].path, err);
    return r < 0 && count > 1 ? error_wrap(err, "%zu files", count) : r;
}

int guest_mknod(struct guest *guest, const char *path, mode_t mode, dev_t device,
                struct error **err)
{
    int r = check_change(guest, path, err);
    if (r == 0)
        r = check_mode(mode & ~(mode_t)S_IFMT, path, err);
    if (r < 0)
        return r;
    if (!S_ISCHR(mode) && !S_ISBLK(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode))
        return named(error_set(err, EINVAL, "mode %o is no special file's", (unsigned)mode), path,
                     err);
    return named(guest->ops->mknod(guest, path, mode, device, err), path, err);
}

int guest_link(struct guest *guest, const char *existing, const char *path, struct error **err)
{
    int r = guest_path_check(existing, err);
    if (r == 0)
        r = check_change(guest, path, err);
    return r < 0 ? r : named(guest->ops->link(guest, existing, path, err), path, err);
}

/* For operations that not every engine has. */
static int check_capable(const struct guest *guest, enum guest_capability capability,
                         const char *what, struct error **err)
{
    if (guest->ops->capabilities & capability)
        return check_writable(guest, err);
    error_set(err, EOPNOTSUPP, "the %s engine cannot %s", guest->ops->name, what);
    return error_hint(err, "use --engine appliance");
}

int guest_run(struct guest *guest, const char *script, struct guest_run_result *ret,
              struct error **err)
{
    int r = check_capable(guest, GUEST_CAN_RUN, "run programs of the guest", err);
    return r < 0 ? r : guest->ops->run(guest, script, ret, err);
}

void guest_run_result_free(struct guest_run_result *result)
{
    free(result->output);
    *result = (struct guest_run_result){0};
}

int guest_mount_on_host(struct guest *guest, const char *directory, guest_work_fn *work,
                        void *context, struct error **err)
{
    int r = check_capable(guest, GUEST_CAN_MOUNT, "mount the guest on the host", err);
    return r < 0 ? r : guest->ops->mount_on_host(guest, directory, work, context, err);
}

int guest_renew(struct guest *guest, enum guest_identity what, struct error **err)
{
    int r = check_writable(guest, err);
    return r < 0 ? r : guest->ops->renew(guest, what, err);
}

int guest_trim(struct guest *guest, uint64_t *ret_freed, struct error **err)
{
    int r = check_writable(guest, err);
    return r < 0 ? r : guest->ops->trim(guest, ret_freed, err);
}

int guest_sync(struct guest *guest, struct error **err)
{
    if (!guest->writable)
        return 0;
    return guest->ops->sync(guest, err);
}

int guest_root(struct guest *guest, struct guest_root *ret, struct error **err)
{
    return guest->ops->root(guest, ret, err);
}
