#include "customize/unpack/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "base/str.h"
#include "base/tempfile.h"

enum { block_size = 128 << 10 };

/* Files up to this size are kept in memory on their way, larger ones in a temporary file. */
static const uint64_t in_memory_max = 1 << 20;
/* As large as ext4's files get. */
static const uint64_t file_max = (uint64_t)16 << 40;
/* A few bytes of an archive can stand for exabytes of zeroes, and engines may have to write them.
 */
static const uint64_t holes_max = (uint64_t)64 << 30;

struct reader {
    struct archive *archive;
    const char *name;
    int spool; /* -1: none yet */
    uint64_t holes;
};

static void reader_close(struct reader *reader)
{
    archive_read_free(reader->archive);
    if (reader->spool >= 0)
        close(reader->spool);
}

static int reader_failed(const struct reader *reader, struct error **err)
{
    const char *text = archive_error_string(reader->archive);
    int errnum = archive_errno(reader->archive);
    return error_set(err, errnum > 0 ? errnum : EIO, "%s: cannot be read as a tar archive: %s",
                     reader->name, text ? text : "it is damaged, or ends too early");
}

/* No filter that would start another program. */
static int reader_open(struct reader *reader, int fd, struct error **err)
{
    reader->archive = archive_read_new();
    if (!reader->archive)
        return error_oom(err);
    struct archive *archive = reader->archive;
    if (archive_read_support_format_tar(archive) != ARCHIVE_OK ||
        archive_read_support_filter_gzip(archive) != ARCHIVE_OK ||
        archive_read_support_filter_bzip2(archive) != ARCHIVE_OK ||
        archive_read_support_filter_xz(archive) != ARCHIVE_OK ||
        archive_read_support_filter_lzma(archive) != ARCHIVE_OK ||
        archive_read_support_filter_zstd(archive) != ARCHIVE_OK ||
        archive_read_support_filter_lz4(archive) != ARCHIVE_OK ||
        archive_read_support_filter_compress(archive) != ARCHIVE_OK ||
        archive_read_open_fd(archive, fd, block_size) != ARCHIVE_OK)
        return reader_failed(reader, err);
    return 0;
}

/* 1: *ret is the next entry, the reader's until the next call. 0: there are no more. A warning is
 * about something that is of no use here. */
static int reader_next(struct reader *reader, struct archive_entry **ret, struct error **err)
{
    int r = archive_read_next_header(reader->archive, ret);
    if (r == ARCHIVE_EOF)
        return 0;
    if (r == ARCHIVE_OK || r == ARCHIVE_WARN)
        return 1;
    return reader_failed(reader, err);
}

static int open_spool(struct reader *reader, struct error **err)
{
    if (reader->spool < 0)
        reader->spool = temp_file("kiln-tar", err);
    if (reader->spool < 0)
        return reader->spool;
    if (ftruncate(reader->spool, 0) < 0 || lseek(reader->spool, 0, SEEK_SET) < 0)
        return error_sys(err, errno, "cannot truncate a temporary file");
    return 0;
}

/* Where the contents of one file go: `data`, or the spool where that is NULL. */
struct contents {
    uint8_t *data;
    uint64_t size;
    uint64_t seen; /* bytes that the archive really held */
};

static void contents_free(struct contents *contents)
{
    free(contents->data);
}

static int keep_block(struct reader *reader, struct contents *contents, const void *block,
                      size_t size, int64_t offset, struct error **err)
{
    if (offset < 0 || !range_within((uint64_t)offset, size, contents->size))
        return error_set(err, EINVAL, "%s: a file is longer than the archive says", reader->name);
    contents->seen += size;
    if (!contents->data)
        return fd_pwrite_full(reader->spool, block, size, (uint64_t)offset, "temporary file", err);
    if (size > 0)
        memcpy(contents->data + offset, block, size);
    return 0;
}

static int read_blocks(struct reader *reader, struct contents *contents, struct error **err)
{
    for (;;) {
        const void *block;
        size_t size;
        la_int64_t offset;
        int r = archive_read_data_block(reader->archive, &block, &size, &offset);
        if (r == ARCHIVE_EOF)
            return 0;
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
            return reader_failed(reader, err);
        r = keep_block(reader, contents, block, size, offset, err);
        if (r < 0)
            return r;
    }
}

static int read_contents(struct reader *reader, struct contents *contents, struct error **err)
{
    int r;
    if (contents->size > file_max)
        return error_set(err, EFBIG, "%s: a file is too large", reader->name);
    if (contents->size <= in_memory_max) {
        contents->data = calloc(1, contents->size + 1);
        r = contents->data ? 0 : error_oom(err);
    } else {
        r = open_spool(reader, err);
    }
    if (r == 0)
        r = read_blocks(reader, contents, err);
    if (r < 0)
        return r;
    reader->holes += contents->size > contents->seen ? contents->size - contents->seen : 0;
    if (reader->holes > holes_max)
        return error_set(err, EFBIG, "%s: the holes in its files are too large", reader->name);
    if (!contents->data && ftruncate(reader->spool, (off_t)contents->size) < 0)
        return error_sys(err, errno, "a temporary file cannot be made that large");
    return 0;
}

static int describe(const struct reader *reader, struct archive_entry *from,
                    struct unpack_entry *ret, struct error **err)
{
    const char *name = archive_entry_pathname(from);
    const char *hard_link = archive_entry_hardlink(from);
    la_int64_t uid = archive_entry_uid(from), gid = archive_entry_gid(from);
    if (!name)
        return error_set(err, EINVAL, "%s: an entry has a name that cannot be read", reader->name);
    if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
        return error_set(err, EINVAL, "%s: %s has an owner out of range", reader->name, name);
    *ret = (struct unpack_entry){
        .name = name,
        .mode = archive_entry_filetype(from) | archive_entry_perm(from),
        .uid = (uid_t)uid,
        .gid = (gid_t)gid,
        .mtime = archive_entry_mtime(from),
        .device = makedev((unsigned)archive_entry_rdevmajor(from),
                          (unsigned)archive_entry_rdevminor(from)),
        .link = hard_link ? hard_link : archive_entry_symlink(from),
        .hard_link = hard_link != NULL,
        .fd = -1,
    };
    if (!ret->link && S_ISLNK(ret->mode))
        return error_set(err, EINVAL, "%s: %s is a link without a target", reader->name, name);
    return 0;
}

static int unpack_one(struct reader *reader, struct archive_entry *from, struct unpack *unpack,
                      struct error **err)
{
    struct unpack_entry entry;
    int r = describe(reader, from, &entry, err);
    if (r < 0)
        return r;
    _cleanup_(contents_free) struct contents contents = {0};
    if (S_ISREG(entry.mode) && !entry.hard_link) {
        la_int64_t size = archive_entry_size(from);
        contents.size = size > 0 ? (uint64_t)size : 0;
        r = read_contents(reader, &contents, err);
        if (r < 0)
            return r;
        entry.data = contents.data;
        entry.size = contents.size;
        entry.fd = contents.data ? -1 : reader->spool;
    }
    r = unpack_add(unpack, &entry, err);
    return r < 0 ? error_wrap(err, "%s", reader->name) : 0;
}

static int unpack_all(int fd, const char *name, struct unpack *unpack, struct error **err)
{
    _cleanup_(reader_close) struct reader reader = {.name = name, .spool = -1};
    int r = reader_open(&reader, fd, err);
    while (r == 0) {
        struct archive_entry *entry;
        r = reader_next(&reader, &entry, err);
        if (r <= 0)
            break;
        r = unpack_one(&reader, entry, unpack, err);
    }
    return r;
}

int tar_unpack(int fd, const char *name, struct unpack *unpack, struct error **err)
{
    /* Names in pax headers are UTF-8, and libarchive translates them to the locale's encoding. */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    int r = unpack_all(fd, name, unpack, err);
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    return r;
}

int tar_probe(int fd, const char *name, struct error **err)
{
    _cleanup_(reader_close) struct reader reader = {.name = name, .spool = -1};
    int r = reader_open(&reader, fd, err);
    struct archive_entry *entry;
    if (r == 0)
        r = reader_next(&reader, &entry, err);
    return r < 0 ? r : 0;
}
