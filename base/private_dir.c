#include "base/private_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/str.h"

int private_dir_check(int fd, const char *path, enum private_dir_writers writers,
                      struct error **err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read the directory's owner", path);
    if (st.st_uid != geteuid())
        return error_set(err, EPERM, "%s: this directory belongs to another user", path);
    if (writers == PRIVATE_DIR_STICKY && (st.st_mode & S_ISVTX))
        return 0;
    if (!(st.st_mode & (S_IWGRP | S_IWOTH)))
        return 0;
    error_set(err, EPERM, "%s: %s may write into this directory", path,
              st.st_mode & S_IWOTH ? "everybody" : "its group");
    return error_hint(err, "remove that permission: chmod go-w '%s'", path);
}

/* One part: `path` is the whole path up to it. */
static int open_part(int parent, const char *name, const char *path, struct error **err)
{
    if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
        return error_sys(err, errno, "%s: cannot create the directory", path);
    _cleanup_close_ int fd =
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        return error_set(err, ENOTDIR, "%s: is not a directory (links are not followed)", path);
    if (fd < 0)
        return error_sys(err, errno, "%s: cannot open the directory", path);
    int r = private_dir_check(fd, path, PRIVATE_DIR_OWNER, err);
    return r < 0 ? r : TAKE_FD(fd);
}

int private_dir_open(const char *path, const char *below, struct error **err)
{
    int r = dir_create(path, 0700, err);
    if (r < 0)
        return r;
    _cleanup_close_ int fd = file_open(path, O_RDONLY | O_DIRECTORY, 0, err);
    _cleanup_free_ char *whole = str_printf(err, "%s/%s", path, below);
    if (fd < 0 || !whole)
        return fd < 0 ? fd : -ENOMEM;
    char *part = whole + strlen(path) + 1;
    for (;;) {
        size_t length = strcspn(part, "/");
        bool last = part[length] == '\0';
        part[length] = '\0';
        int next = open_part(fd, part, whole, err);
        if (next < 0 || last)
            return next;
        close(fd);
        fd = next;
        part[length] = '/';
        part += length + 1;
    }
}
