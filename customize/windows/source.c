#include "customize/windows/source.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"

const size_t windows_source_file_max = (size_t)256 << 20;

int windows_source_check(const char *method, struct error **err)
{
    struct stat st;
    if (!*method) {
        error_set(err, EINVAL, "the method of injecting is empty");
    } else if (strcmp(method, "osinfo") == 0 || strcmp(method, "libosinfo") == 0) {
        error_set(err, EOPNOTSUPP,
                  "the method %s is not supported: libosinfo has no location of "
                  "drivers on this host",
                  method);
    } else {
        _cleanup_close_ int fd = file_open(method, O_RDONLY, 0, err);
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
            return 0;
        if (fd >= 0 && windows_iso_check(fd, method, err) == 0)
            return 0;
    }
    return error_hint(err, "give the path of virtio-win.iso "
                           "(https://github.com/virtio-win/virtio-win-pkg-scripts), or of a "
                           "directory with its contents");
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int visit_entry(const FTSENT *entry, size_t root_length,
                       const struct windows_source_visitor *visitor, struct error **err)
{
    switch (entry->fts_info) {
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return error_sys(err, entry->fts_errno, "%s", entry->fts_path);
    case FTS_F:
        break;
    default:
        return 0;
    }
    const char *path = entry->fts_path + root_length;
    path += strspn(path, "/");
    if (!visitor->wants(visitor->context, path))
        return 0;
    _cleanup_free_ char *data = NULL;
    size_t size;
    int r = file_read(entry->fts_accpath, windows_source_file_max, &data, &size, err);
    return r < 0 ? r : visitor->file(visitor->context, path, data, size, err);
}

static void close_walk(FTS **walk)
{
    if (*walk)
        fts_close(*walk);
}

/* Links are followed: unpacked driver sets have them. fts(3) does not go round in circles. */
static int visit_directory(const char *directory, const struct windows_source_visitor *visitor,
                           struct error **err)
{
    char *const roots[] = {(char *)directory, NULL};
    _cleanup_(close_walk) FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (!walk)
        return error_sys(err, errno, "%s", directory);
    for (;;) {
        errno = 0;
        const FTSENT *entry = fts_read(walk);
        if (!entry)
            return errno ? error_sys(err, errno, "%s", directory) : 0;
        int r = visit_entry(entry, strlen(directory), visitor, err);
        if (r < 0)
            return r;
    }
}

int windows_source_visit(const char *method, const struct windows_source_visitor *visitor,
                         struct error **err)
{
    struct stat st;
    _cleanup_close_ int fd = file_open(method, O_RDONLY, 0, err);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s", method);
    return S_ISDIR(st.st_mode) ? visit_directory(method, visitor, err)
                               : windows_iso_visit(fd, method, visitor, err);
}
