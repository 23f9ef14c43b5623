#include "customize/unpack/local_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/str.h"

/* Each level keeps one descriptor open. */
enum { depth_max = 512 };

/* A file with several names, and where its first one went. */
struct known_file {
    dev_t device;
    ino_t inode;
    char name[];
};

struct copier {
    struct unpack *unpack;
    struct reporter *reporter;
    void *known; /* tsearch(3) */
};

static int compare_known(const void *a, const void *b)
{
    const struct known_file *left = a, *right = b;
    if (left->device != right->device)
        return left->device < right->device ? -1 : 1;
    return left->inode < right->inode ? -1 : left->inode > right->inode;
}

static void copier_free(struct copier *copier)
{
    tdestroy(copier->known, free);
}

/* The name under which the file was put before; `name` itself, and remembered, the first time. */
static int first_name(struct copier *copier, const struct stat *st, const char *name,
                      const char **ret, struct error **err)
{
    size_t size = strlen(name) + 1;
    struct known_file *file = malloc(sizeof(*file) + size);
    if (!file)
        return error_oom(err);
    file->device = st->st_dev;
    file->inode = st->st_ino;
    memcpy(file->name, name, size);
    struct known_file *const *found = tsearch(file, &copier->known, compare_known);
    if (!found || *found != file)
        free(file);
    if (!found)
        return error_oom(err);
    *ret = *found == file ? name : (*found)->name;
    return 0;
}

/* An object on the way: where it lies on the host, and its name below the guest's directory. */
struct object {
    int directory;
    const char *host_name;
    const char *name;
    struct stat st;
};

static int put(struct copier *copier, const struct object *object, const char *link, bool hard_link,
               int fd, struct error **err)
{
    const struct unpack_entry entry = {
        .name = object->name,
        .mode = object->st.st_mode,
        .uid = object->st.st_uid,
        .gid = object->st.st_gid,
        .mtime = object->st.st_mtim.tv_sec,
        .device = object->st.st_rdev,
        .link = link,
        .hard_link = hard_link,
        .fd = fd,
    };
    return unpack_add(copier->unpack, &entry, err);
}

static int open_object(const struct object *object, int flags, struct error **err)
{
    int fd = openat(object->directory, object->host_name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags);
    return fd < 0 ? error_sys(err, errno, "%s: cannot be read", object->name) : fd;
}

static int put_file(struct copier *copier, const struct object *object, struct error **err)
{
    if (object->st.st_nlink > 1) {
        const char *first = NULL;
        int r = first_name(copier, &object->st, object->name, &first, err);
        if (r < 0 || first != object->name)
            return r < 0 ? r : put(copier, object, first, true, -1, err);
    }
    _cleanup_close_ int fd = open_object(object, 0, err);
    return fd < 0 ? fd : put(copier, object, NULL, false, fd, err);
}

static int put_link(struct copier *copier, const struct object *object, struct error **err)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(object->directory, object->host_name, target, sizeof(target));
    if (length < 0)
        return error_sys(err, errno, "%s: cannot be read", object->name);
    if ((size_t)length == sizeof(target))
        return error_set(err, ENAMETOOLONG, "%s: its target is too long", object->name);
    target[length] = '\0';
    return put(copier, object, target, false, -1, err);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void directory_close(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

/* The names in the directory, sorted, so that the same tree is put the same way. */
static int list_names(int fd, const char *name, struct strv *names, struct error **err)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    _cleanup_(directory_close) DIR *directory = copy < 0 ? NULL : fdopendir(copy);
    if (!directory) {
        int cause = errno;
        if (copy >= 0)
            close(copy);
        return error_sys(err, cause, "%s: cannot be read", name);
    }
    const struct dirent *entry;
    for (errno = 0; (entry = readdir(directory)); errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int r = strv_add(names, entry->d_name, err);
        if (r < 0)
            return r;
    }
    if (errno)
        return error_sys(err, errno, "%s: cannot be read", name);
    if (names->count > 0)
        qsort(names->items, names->count, sizeof(*names->items), compare_names);
    return 0;
}

static int put_object(struct copier *copier, int directory, const char *host_name, const char *name,
                      unsigned depth, struct error **err);

static int put_directory(struct copier *copier, const struct object *object, unsigned depth,
                         struct error **err)
{
    if (depth >= depth_max)
        return error_set(err, ELOOP, "%s: is nested too deeply", object->name);
    int r = put(copier, object, NULL, false, -1, err);
    _cleanup_close_ int fd = r < 0 ? -1 : open_object(object, O_DIRECTORY, err);
    if (r < 0 || fd < 0)
        return r < 0 ? r : fd;
    _cleanup_strv_ struct strv names = {0};
    r = list_names(fd, object->name, &names, err);
    for (size_t i = 0; r == 0 && i < names.count; i++) {
        _cleanup_free_ char *name = str_printf(err, "%s/%s", object->name, names.items[i]);
        r = name ? put_object(copier, fd, names.items[i], name, depth + 1, err) : -ENOMEM;
    }
    return r;
}

static int put_object(struct copier *copier, int directory, const char *host_name, const char *name,
                      unsigned depth, struct error **err)
{
    struct object object = {.directory = directory, .host_name = host_name, .name = name};
    if (fstatat(directory, host_name, &object.st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_sys(err, errno, "%s: cannot be read", name);
    mode_t mode = object.st.st_mode;
    if (S_ISDIR(mode))
        return put_directory(copier, &object, depth, err);
    if (S_ISREG(mode))
        return put_file(copier, &object, err);
    if (S_ISLNK(mode))
        return put_link(copier, &object, err);
    if (!S_ISSOCK(mode))
        return put(copier, &object, NULL, false, -1, err);
    report(copier->reporter, REPORT_WARNING, "%s is a socket and is left out", name);
    return 0;
}

int local_tree_unpack(const char *path, struct unpack *unpack, struct reporter *reporter,
                      struct error **err)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    _cleanup_free_ char *trimmed = strndup(path, length);
    if (!trimmed)
        return error_oom(err);
    if (!*path_name(trimmed))
        return error_set(err, EINVAL, "%s has no name to use in the guest", path);
    _cleanup_(copier_free) struct copier copier = {.unpack = unpack, .reporter = reporter};
    return put_object(&copier, AT_FDCWD, trimmed, path_name(trimmed), 0, err);
}
