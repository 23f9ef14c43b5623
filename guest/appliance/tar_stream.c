#include "guest/appliance/tar_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <sys/stat.h>

struct tar_stream {
    struct archive *writer;
    struct archive_entry *entry; /* used again for each file */
};

static int fail(const struct tar_stream *stream, struct error **err)
{
    int errnum = archive_errno(stream->writer);
    return error_set(err, errnum > 0 ? errnum : EIO, "files cannot be archived: %s",
                     archive_error_string(stream->writer));
}

static ssize_t append(struct archive *writer, void *opaque, const void *bytes, size_t size)
{
    struct str *out = opaque;
    str_append_n(out, bytes, size);
    if (!out->failed)
        return (ssize_t)size;
    archive_set_error(writer, ENOMEM, "out of memory");
    return -1;
}

int tar_stream_new(struct str *out, struct tar_stream **ret, struct error **err)
{
    _cleanup_tar_stream_ struct tar_stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return error_oom(err);
    stream->writer = archive_write_new();
    stream->entry = archive_entry_new();
    if (!stream->writer || !stream->entry)
        return error_oom(err);
    if (archive_write_set_format_pax_restricted(stream->writer) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(stream->writer, 1) != ARCHIVE_OK ||
        archive_write_open(stream->writer, out, NULL, append, NULL) != ARCHIVE_OK)
        return fail(stream, err);
    *ret = TAKE_PTR(stream);
    return 0;
}

int tar_stream_add(struct tar_stream *stream, const char *name, const struct guest_new_file *file,
                   struct error **err)
{
    struct archive_entry *entry = archive_entry_clear(stream->entry);
    archive_entry_copy_pathname(entry, name);
    archive_entry_set_mode(entry, S_IFREG | (file->attr.mode & 07777));
    archive_entry_set_uid(entry, file->attr.uid);
    archive_entry_set_gid(entry, file->attr.gid);
    archive_entry_set_size(entry, (int64_t)file->size);
    archive_entry_set_mtime(entry, file->mtime, 0);
    int r = archive_write_header(stream->writer, entry);
    /* It warns of names that are no UTF-8, and keeps them as they are. */
    if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
        return fail(stream, err);
    if (file->size > 0 &&
        archive_write_data(stream->writer, file->data, file->size) != (la_ssize_t)file->size)
        return fail(stream, err);
    return 0;
}

int tar_stream_end(struct tar_stream *stream, struct error **err)
{
    return archive_write_close(stream->writer) == ARCHIVE_OK ? 0 : fail(stream, err);
}

void tar_stream_free(struct tar_stream *stream)
{
    if (!stream)
        return;
    archive_entry_free(stream->entry);
    archive_write_free(stream->writer);
    free(stream);
}
