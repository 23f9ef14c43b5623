#include "tests/unit/customize/fake_guest.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "tests/unit/customize/fake_tree.h"

static struct fake_guest *fake_of(struct guest *guest)
{
    return (struct fake_guest *)guest;
}

static int outcome(int r, struct error **err)
{
    return r < 0 ? error_sys(err, -r, "the fake cannot") : 0;
}

/* The outcome of an operation that changes something. */
static int changed(struct guest *guest, int r, struct error **err)
{
    if (r == 0)
        fake_of(guest)->changes++;
    return outcome(r, err);
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

/* The object that an operation is about. */
static int begin(struct guest *guest, const char *operation, const char *path, bool follow,
                 struct fake_object **ret)
{
    int r = fault(guest, operation);
    return r < 0 ? r : find(fake_of(guest), path, follow, ret);
}

static int begin_file(struct guest *guest, const char *operation, const char *path, bool follow,
                      struct fake_object **ret)
{
    int r = begin(guest, operation, path, follow, ret);
    if (r == 0 && !S_ISREG((*ret)->mode))
        r = S_ISDIR((*ret)->mode) ? -EISDIR : -EINVAL;
    return r;
}

static int fake_stat(struct guest *guest, const char *path, bool follow, struct guest_stat *ret,
                     struct error **err)
{
    struct fake_node *node = NULL;
    int r = fault(guest, "stat");
    if (r == 0)
        r = find_node(fake_of(guest), path, follow, &node);
    if (r < 0)
        return outcome(r, err);
    const struct fake_object *object = node->object;
    unsigned links = object->names;
    if (S_ISDIR(object->mode)) {
        links = 2;
        for (const struct fake_node *child = node->children; child; child = child->next)
            links += S_ISDIR(child->object->mode);
    }
    *ret = (struct guest_stat){.mode = object->mode,
                               .uid = object->uid,
                               .gid = object->gid,
                               .size = object->size,
                               .inode = object->inode,
                               .links = links,
                               .device = object->device,
                               .atime = object->atime,
                               .mtime = object->mtime};
    return 0;
}

static int fake_read(struct guest *guest, const char *path, size_t max, char **ret,
                     size_t *ret_size, struct error **err)
{
    struct fake_object *object = NULL;
    int r = begin_file(guest, "read", path, true, &object);
    if (r == 0 && object->size > max)
        r = -EFBIG;
    if (r == 0) {
        *ret = malloc(object->size + 1);
        memcpy(*ret, object->data, object->size + 1);
        *ret_size = object->size;
    }
    return outcome(r, err);
}

static int fake_readlink(struct guest *guest, const char *path, char **ret, struct error **err)
{
    struct fake_object *object = NULL;
    int r = begin(guest, "readlink", path, false, &object);
    if (r == 0 && !S_ISLNK(object->mode))
        r = -EINVAL;
    if (r == 0)
        *ret = strdup(object->data);
    return outcome(r, err);
}

static int fake_list(struct guest *guest, const char *path, guest_dirent_fn *entry, void *context,
                     struct error **err)
{
    struct fake_node *node = NULL;
    int r = fault(guest, "list");
    if (r == 0)
        r = find_node(fake_of(guest), path, true, &node);
    if (r == 0 && !S_ISDIR(node->object->mode))
        r = -ENOTDIR;
    if (r < 0)
        return outcome(r, err);
    for (struct fake_node *child = node->children; r == 0 && child; child = child->next)
        r = entry(context, child->name, child->object->mode & S_IFMT);
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
        place.node = node_new(place.name, object_new(fake, S_IFREG));
        node_attach(place.dir, place.node);
        r = 0;
    }
    free(place.name);
    if (r < 0)
        return r;
    struct fake_object *object = place.node->object;
    if (!S_ISREG(object->mode))
        return S_ISDIR(object->mode) ? -EISDIR : -EINVAL;
    if (created || attr->force) {
        object->mode = S_IFREG | attr->mode;
        object->uid = attr->uid;
        object->gid = attr->gid;
    }
    object_set(object, data, size);
    object->mtime = fake->now;
    return 0;
}

static int fake_write(struct guest *guest, const char *path, const void *data, size_t size,
                      const struct guest_file_attr *attr, struct error **err)
{
    int r = fault(guest, "write");
    return changed(guest, r < 0 ? r : write_bytes(guest, path, data, size, attr), err);
}

static int fake_upload(struct guest *guest, int fd, const char *path,
                       const struct guest_file_attr *attr, struct error **err)
{
    char *data;
    size_t size;
    int r = fault(guest, "upload");
    if (r < 0)
        return outcome(r, err);
    r = fd_read_all(fd, 64 << 20, path, &data, &size, err);
    if (r < 0)
        return r;
    r = write_bytes(guest, path, data, size, attr);
    free(data);
    return changed(guest, r, err);
}

static int fake_mkdir(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    int r = fault(guest, "mkdir");
    return outcome(r < 0 ? r : add_object(fake_of(guest), path, S_IFDIR | mode, "", 0), err);
}

static int fake_symlink(struct guest *guest, const char *target, const char *path,
                        struct error **err)
{
    int r = fault(guest, "symlink");
    return outcome(r < 0 ? r : add_object(fake_of(guest), path, S_IFLNK | 0777, target, 0), err);
}

static int fake_mknod(struct guest *guest, const char *path, mode_t mode, dev_t device,
                      struct error **err)
{
    int r = fault(guest, "mknod");
    return outcome(r < 0 ? r : add_object(fake_of(guest), path, mode, "", device), err);
}

static int fake_link(struct guest *guest, const char *existing, const char *path,
                     struct error **err)
{
    struct fake_object *object = NULL;
    int r = begin(guest, "link", existing, false, &object);
    if (r == 0 && S_ISDIR(object->mode))
        r = -EPERM;
    return outcome(r < 0 ? r : add_name(fake_of(guest), path, object), err);
}

/* Makes room for what is renamed, as rename(2) does. */
static int replace_target(struct fake_node *node, struct fake_node *target)
{
    if (node_is_within(target, node))
        return -EINVAL;
    bool dir = S_ISDIR(node->object->mode), onto_dir = S_ISDIR(target->object->mode);
    if (dir != onto_dir)
        return dir ? -ENOTDIR : -EISDIR;
    if (target->children)
        return -ENOTEMPTY;
    node_detach(target);
    node_free(target);
    return 0;
}

static int rename_node(struct fake_guest *fake, const char *from, const char *to)
{
    struct fake_node *node = NULL;
    struct place place;
    int r = find_node(fake, from, false, &node);
    if (r < 0)
        return r;
    if (node == fake->root)
        return -EBUSY;
    r = locate(fake, to, false, &place);
    _cleanup_free_ char *name = place.name;
    bool fresh = r == -ENOENT && place.dir;
    if (r < 0 && !fresh)
        return r;
    if (!fresh) {
        if (place.node->object == node->object)
            return 0;
        free(name);
        name = strdup(place.node->name);
        r = replace_target(node, place.node);
    } else if (node_is_within(place.dir, node)) {
        r = -EINVAL;
    } else {
        r = 0;
    }
    if (r < 0)
        return r;
    node_detach(node);
    free(node->name);
    node->name = TAKE_PTR(name);
    node_attach(place.dir, node);
    return 0;
}

static int fake_rename(struct guest *guest, const char *from, const char *to, struct error **err)
{
    int r = fault(guest, "rename");
    return changed(guest, r < 0 ? r : rename_node(fake_of(guest), from, to), err);
}

static int remove_node(struct fake_guest *fake, const char *path, bool directory)
{
    struct fake_node *node = NULL;
    int r = find_node(fake, path, false, &node);
    if (r < 0)
        return r;
    if (directory != S_ISDIR(node->object->mode))
        return directory ? -ENOTDIR : -EISDIR;
    if (node->children)
        return -ENOTEMPTY;
    node_detach(node);
    node_free(node);
    return 0;
}

static int fake_unlink(struct guest *guest, const char *path, struct error **err)
{
    int r = fault(guest, "unlink");
    return changed(guest, r < 0 ? r : remove_node(fake_of(guest), path, false), err);
}

static int fake_rmdir(struct guest *guest, const char *path, struct error **err)
{
    int r = fault(guest, "rmdir");
    return changed(guest, r < 0 ? r : remove_node(fake_of(guest), path, true), err);
}

static int fake_chmod(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    struct fake_object *object = NULL;
    int r = begin(guest, "chmod", path, true, &object);
    if (r == 0)
        object->mode = (object->mode & S_IFMT) | mode;
    return changed(guest, r, err);
}

static int change_owner(struct guest *guest, const char *operation, const char *path, bool follow,
                        uid_t uid, gid_t gid, struct error **err)
{
    struct fake_object *object = NULL;
    int r = begin(guest, operation, path, follow, &object);
    if (r == 0) {
        object->uid = uid;
        object->gid = gid;
    }
    return changed(guest, r, err);
}

static int fake_chown(struct guest *guest, const char *path, uid_t uid, gid_t gid,
                      struct error **err)
{
    return change_owner(guest, "chown", path, true, uid, gid, err);
}

static int fake_lchown(struct guest *guest, const char *path, uid_t uid, gid_t gid,
                       struct error **err)
{
    return change_owner(guest, "lchown", path, false, uid, gid, err);
}

static int fake_set_times_op(struct guest *guest, const char *path, const struct guest_times *times,
                             struct error **err)
{
    struct fake_object *object = NULL;
    int r = begin(guest, "set_times", path, false, &object);
    if (r == 0) {
        object->atime = times->atime;
        object->mtime = times->mtime;
    }
    return changed(guest, r, err);
}

static int fake_list_xattrs(struct guest *guest, const char *path, guest_xattr_fn *attribute,
                            void *context, struct error **err)
{
    struct fake_object *object = NULL;
    int r = begin(guest, "list_xattrs", path, false, &object);
    if (r < 0)
        return outcome(r, err);
    for (struct fake_xattr *xattr = object->xattrs; r == 0 && xattr; xattr = xattr->next)
        r = attribute(context, xattr->name, xattr->value, xattr->size);
    return r;
}

static int fake_set_xattr(struct guest *guest, const char *path, const char *name,
                          const void *value, size_t size, struct error **err)
{
    struct fake_object *object = NULL;
    int r = begin(guest, "set_xattr", path, false, &object);
    if (r == 0)
        xattr_set(object, name, value, size);
    return changed(guest, r, err);
}

static int fake_truncate(struct guest *guest, const char *path, uint64_t size, struct error **err)
{
    struct fake_object *object = NULL;
    int r = begin_file(guest, "truncate", path, true, &object);
    if (r == 0 && size > 64 << 20)
        r = -EFBIG;
    if (r == 0) {
        char *data = calloc(1, (size_t)size + 1);
        memcpy(data, object->data, size < object->size ? (size_t)size : object->size);
        free(object->data);
        object->data = data;
        object->size = (size_t)size;
        object->mtime = fake_of(guest)->now;
    }
    return changed(guest, r, err);
}

static int fake_download(struct guest *guest, const char *path, int fd, struct error **err)
{
    struct fake_object *object = NULL;
    int r = begin_file(guest, "download", path, true, &object);
    return r < 0 ? outcome(r, err) : fd_write_full(fd, object->data, object->size, path, err);
}

static int fake_overwrite(struct guest *guest, const char *path, struct error **err)
{
    struct fake_object *object = NULL;
    int r = begin_file(guest, "overwrite", path, false, &object);
    if (r == 0) {
        memset(object->data, 0, object->size);
        object->overwritten++;
    }
    return changed(guest, r, err);
}

static int fake_run(struct guest *guest, const char *script, struct guest_run_result *ret,
                    struct error **err)
{
    struct fake_guest *fake = fake_of(guest);
    static const struct fake_answer fine = {.output = ""};
    const struct fake_answer *answer = fake->answers;
    int r = fault(guest, "run");
    if (r == 0)
        r = strv_add(&fake->ran, script, NULL);
    while (answer && answer->part && !strstr(script, answer->part))
        answer++;
    if (!answer || !answer->part)
        answer = &fine;
    if (r == 0)
        r = -answer->errnum;
    if (r == 0)
        *ret = (struct guest_run_result){.status = answer->status,
                                         .output = strdup(answer->output ? answer->output : "")};
    return changed(guest, r, err);
}

static int fake_renew(struct guest *guest, enum guest_identity what, struct error **err)
{
    int r = fault(guest, "renew");
    if (r == 0)
        fake_of(guest)->renewed[what]++;
    return changed(guest, r, err);
}

static int fake_trim(struct guest *guest, uint64_t *ret_freed, struct error **err)
{
    int r = fault(guest, "trim");
    if (r == 0) {
        fake_of(guest)->trimmed++;
        *ret_freed = fake_of(guest)->trim_freed;
    }
    return outcome(r, err);
}

static int fake_root(struct guest *guest, struct guest_root *ret, struct error **err)
{
    int r = fault(guest, "root");
    if (r == 0)
        *ret = (struct guest_root){.device = strdup("/dev/sda1"),
                                   .fs = strdup("ext4"),
                                   .uuid = strdup("9d3a1d5c-0000-4000-8000-000000000001"),
                                   .size = UINT64_C(1) << 30,
                                   .free = UINT64_C(1) << 29};
    return outcome(r, err);
}

static int fake_sync(struct guest *guest, struct error **err)
{
    return outcome(fault(guest, "sync"), err);
}

static void fake_close(struct guest *guest)
{
    node_free(fake_of(guest)->root);
    strv_free(&fake_of(guest)->ran);
    free(fake_of(guest));
}

/* Not among the operations: for tests of what an engine does that has it. */
static inline int fake_create_files(struct guest *guest, const struct guest_new_file *files,
                                    size_t count, struct error **err)
{
    int r = fault(guest, "create_files");
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct fake_object *object = NULL;
        r = write_bytes(guest, files[i].path, files[i].data, files[i].size, &files[i].attr);
        if (r == 0)
            r = find(fake_of(guest), files[i].path, false, &object);
        if (r == 0)
            object->mtime = files[i].mtime;
    }
    return changed(guest, r, err);
}

static const struct guest_ops fake_ops = {
    .name = "fake",
    .capabilities = GUEST_CAN_EDIT | GUEST_CAN_RUN | GUEST_CAN_NETWORK | GUEST_CAN_RENEW,
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
    .lchown = fake_lchown,
    .set_times = fake_set_times_op,
    .list_xattrs = fake_list_xattrs,
    .set_xattr = fake_set_xattr,
    .truncate = fake_truncate,
    .download = fake_download,
    .overwrite = fake_overwrite,
    .mknod = fake_mknod,
    .link = fake_link,
    .run = fake_run,
    .renew = fake_renew,
    .trim = fake_trim,
    .root = fake_root,
    .sync = fake_sync,
    .close = fake_close,
};

struct fake_guest *fake_guest_new(void)
{
    struct fake_guest *fake = calloc(1, sizeof(*fake));
    fake->ops = fake_ops;
    fake->now = FAKE_NOW;
    fake->guest.ops = &fake->ops;
    fake->guest.writable = true;
    fake->root = node_new("", object_new(fake, S_IFDIR | 0755));
    return fake;
}

void fake_guest_free(struct fake_guest *fake)
{
    guest_discard(&fake->guest);
}

#include "tests/unit/customize/fake_contents.c"
