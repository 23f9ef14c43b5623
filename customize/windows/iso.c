/* ISO 9660 images, with their Joliet or Rock Ridge names (libarchive). */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "customize/windows/source.h"

enum { block_size = 128 << 10 };

struct iso {
    struct archive *archive;
    const char *name;
};

static void iso_close(struct iso *iso)
{
    archive_read_free(iso->archive);
}

static int iso_failed(const struct iso *iso, struct error **err)
{
    const char *text = archive_error_string(iso->archive);
    _cleanup_free_ char *shown = str_printable(text ? text : "it ends too early");
    int errnum = archive_errno(iso->archive);
    return error_set(err, errnum > 0 ? errnum : EIO, "%s: cannot be read as an ISO image: %s",
                     iso->name, shown ? shown : "");
}

static int iso_open(struct iso *iso, int fd, const char *name, struct error **err)
{
    *iso = (struct iso){.archive = archive_read_new(), .name = name};
    if (!iso->archive)
        return error_oom(err);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_sys(err, errno, "%s", name);
    if (archive_read_support_format_iso9660(iso->archive) != ARCHIVE_OK ||
        archive_read_open_fd(iso->archive, fd, block_size) != ARCHIVE_OK)
        return iso_failed(iso, err);
    return 0;
}

/* 1: *ret is the next entry; 0: there are no more. */
static int iso_next(const struct iso *iso, struct archive_entry **ret, struct error **err)
{
    int r = archive_read_next_header(iso->archive, ret);
    if (r == ARCHIVE_EOF)
        return 0;
    return r == ARCHIVE_OK || r == ARCHIVE_WARN ? 1 : iso_failed(iso, err);
}

int windows_iso_check(int fd, const char *name, struct error **err)
{
    _cleanup_(iso_close) struct iso iso = {0};
    struct archive_entry *entry;
    int r = iso_open(&iso, fd, name, err);
    if (r == 0)
        r = iso_next(&iso, &entry, err);
    if (r == 0)
        r = error_set(err, ENODATA, "%s: the ISO image is empty", name);
    return r < 0 ? r : 0;
}

static int read_contents(const struct iso *iso, size_t size, char **ret, struct error **err)
{
    _cleanup_free_ char *data = malloc(size + 1);
    if (!data)
        return error_oom(err);
    for (size_t at = 0; at < size;) {
        la_ssize_t n = archive_read_data(iso->archive, data + at, size - at);
        if (n <= 0)
            return iso_failed(iso, err);
        at += (size_t)n;
    }
    data[size] = '\0';
    *ret = TAKE_PTR(data);
    return 0;
}

static int visit_entry(const struct iso *iso, struct archive_entry *entry,
                       const struct windows_source_visitor *visitor, struct error **err)
{
    const char *path = archive_entry_pathname(entry);
    if (!path || archive_entry_filetype(entry) != S_IFREG)
        return 0;
    path += strspn(path, "/");
    if (!visitor->wants(visitor->context, path))
        return 0;
    int64_t size = archive_entry_size(entry);
    if (size < 0 || (uint64_t)size > windows_source_file_max)
        return error_set(err, EFBIG, "%s: %s is larger than the %zu bytes allowed", iso->name, path,
                         windows_source_file_max);
    _cleanup_free_ char *data = NULL;
    int r = read_contents(iso, (size_t)size, &data, err);
    return r < 0 ? r : visitor->file(visitor->context, path, data, (size_t)size, err);
}

int windows_iso_visit(int fd, const char *name, const struct windows_source_visitor *visitor,
                      struct error **err)
{
    _cleanup_(iso_close) struct iso iso = {0};
    struct archive_entry *entry;
    int r = iso_open(&iso, fd, name, err);
    while (r == 0) {
        r = iso_next(&iso, &entry, err);
        if (r <= 0)
            return r;
        r = visit_entry(&iso, entry, visitor, err);
    }
    return r;
}
