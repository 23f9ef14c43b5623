#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"

int fd_pread_some(int fd, void *buf, size_t count, uint64_t offset, const char *name, size_t *ret,
                  struct error **err)
{
    size_t have = 0;
    while (have < count) {
        ssize_t n = pread(fd, (char *)buf + have, count - have, (off_t)(offset + have));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, errno, "%s: cannot read at offset %llu", name,
                             (unsigned long long)(offset + have));
        if (n == 0)
            break;
        have += (size_t)n;
    }
    *ret = have;
    return 0;
}

int fd_pread_full(int fd, void *buf, size_t count, uint64_t offset, const char *name,
                  struct error **err)
{
    size_t have;
    int r = fd_pread_some(fd, buf, count, offset, name, &have, err);
    if (r == 0 && have < count)
        return error_set(err, EIO, "%s: ends at offset %llu, where more data is expected", name,
                         (unsigned long long)(offset + have));
    return r;
}

int fd_pwrite_full(int fd, const void *buf, size_t count, uint64_t offset, const char *name,
                   struct error **err)
{
    const char *p = buf;
    while (count > 0) {
        ssize_t n = pwrite(fd, p, count, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, errno, "%s: cannot write", name);
        p += n;
        offset += (uint64_t)n;
        count -= (size_t)n;
    }
    return 0;
}

int fd_write_full(int fd, const void *buf, size_t count, const char *name, struct error **err)
{
    const char *p = buf;
    while (count > 0) {
        ssize_t n = write(fd, p, count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, errno, "%s: cannot write", name);
        p += n;
        count -= (size_t)n;
    }
    return 0;
}

int fd_read_all(int fd, size_t max, const char *name, char **ret_data, size_t *ret_size,
                struct error **err)
{
    _cleanup_str_ struct str data = {0};
    for (;;) {
        char chunk[16384];
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, errno, "%s: cannot read", name);
        if (n == 0)
            break;
        if ((size_t)n > max - data.length)
            return error_set(err, EFBIG, "%s: is larger than the %zu bytes allowed", name, max);
        str_append_n(&data, chunk, (size_t)n);
    }
    size_t size = data.length;
    char *text = str_take(&data, err);
    if (!text)
        return -ENOMEM;
    *ret_data = text;
    if (ret_size)
        *ret_size = size;
    return 0;
}

int file_read(const char *path, size_t max, char **ret_data, size_t *ret_size, struct error **err)
{
    if (strcmp(path, "-") == 0)
        return fd_read_all(STDIN_FILENO, max, "standard input", ret_data, ret_size, err);
    _cleanup_close_ int fd = file_open_data(path, err);
    return fd < 0 ? fd : fd_read_all(fd, max, path, ret_data, ret_size, err);
}

int file_open_data(const char *path, struct error **err)
{
    _cleanup_close_ int fd = file_open(path, O_RDONLY, 0, err);
    if (fd < 0)
        return fd;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", path);
    if (S_ISDIR(st.st_mode))
        return error_set(err, EISDIR, "%s: is a directory where a file is expected", path);
    return TAKE_FD(fd);
}

int file_open(const char *path, int flags, mode_t mode, struct error **err)
{
    int fd;
    do
        fd = open(path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return error_sys(err, errno, "%s: cannot open", path);
    return fd;
}

int dir_create(const char *path, mode_t mode, struct error **err)
{
    _cleanup_free_ char *copy = strdup(path);
    if (!copy)
        return error_oom(err);
    for (char *slash = copy + 1;; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char kept = *slash;
        *slash = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            return error_sys(err, errno, "%s: cannot create the directory", copy);
        if (kept == '\0')
            break;
        *slash = kept;
    }
    struct stat st;
    if (stat(path, &st) < 0)
        return error_sys(err, errno, "%s: cannot create the directory", path);
    if (!S_ISDIR(st.st_mode))
        return error_set(err, ENOTDIR, "%s: is not a directory", path);
    return 0;
}

int dir_open_of(const char *path, struct error **err)
{
    _cleanup_free_ char *parent = path_parent(path);
    if (!parent)
        return error_oom(err);
    return file_open(parent, O_RDONLY | O_DIRECTORY, 0, err);
}

int dir_sync(int fd, const char *path, struct error **err)
{
    /* Some network and FUSE file systems refuse to sync a directory; they have nothing to sync. */
    if (fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP)
        return error_sys(err, errno, "%s: cannot sync its directory", path);
    return 0;
}

char *path_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    while (slash > path && slash[-1] == '/')
        slash--;
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int fd_lock(int fd, bool exclusive, uint64_t timeout_ms, const char *name, struct error **err)
{
    uint64_t deadline = deadline_after(timeout_ms);
    struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
    for (;;) {
        struct flock lock = {.l_type = exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};
        if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
            return 0;
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return error_sys(err, errno, "%s: cannot lock", name);
        if (clock_now_ms() >= deadline)
            return error_set(err, ETIMEDOUT, "%s: is locked by another process", name);
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 100 * 1000 * 1000)
            pause.tv_nsec *= 2;
    }
}
