#include "datasource/iso.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "base/str.h"

static void writer_free(struct archive **slot)
{
    archive_write_free(*slot);
}

static void entry_free(struct archive_entry **slot)
{
    archive_entry_free(*slot);
}

static int writer_failed(struct archive *writer, struct error **err)
{
    const char *text = archive_error_string(writer);
    int errnum = archive_errno(writer);
    return error_set(err, errnum > 0 ? errnum : EIO, "cannot create the ISO image: %s",
                     text ? text : "libarchive failed");
}

static la_ssize_t append_output(struct archive *writer, void *data, const void *bytes, size_t size)
{
    struct str *out = data;
    str_append_n(out, bytes, size);
    if (!out->failed)
        return (la_ssize_t)size;
    archive_set_error(writer, ENOMEM, "out of memory");
    return -1;
}

static int set_options(struct archive *writer, const char *label, struct error **err)
{
    _cleanup_free_ char *options =
        str_printf(err, "volume-id=%s,application-id=KILN,joliet,rockridge=strict,!zisofs", label);
    if (!options)
        return -ENOMEM;
    if (archive_write_set_format_iso9660(writer) != ARCHIVE_OK ||
        archive_write_set_options(writer, options) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(writer, 1) != ARCHIVE_OK)
        return writer_failed(writer, err);
    return 0;
}

static int add_file(struct archive *writer, const struct iso_file *file, struct error **err)
{
    _cleanup_(entry_free) struct archive_entry *entry = archive_entry_new();
    if (!entry)
        return error_oom(err);
    archive_entry_set_pathname(entry, file->name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)file->size);
    if (archive_write_header(writer, entry) != ARCHIVE_OK)
        return writer_failed(writer, err);
    for (size_t done = 0; done < file->size;) {
        la_ssize_t n =
            archive_write_data(writer, (const char *)file->data + done, file->size - done);
        if (n <= 0)
            return writer_failed(writer, err);
        done += (size_t)n;
    }
    return 0;
}

static int write_archive(struct str *out, const char *label, const struct iso_file *files,
                         size_t count, struct error **err)
{
    _cleanup_(writer_free) struct archive *writer = archive_write_new();
    if (!writer)
        return error_oom(err);
    int r = set_options(writer, label, err);
    if (r < 0)
        return r;
    if (archive_write_open(writer, out, NULL, append_output, NULL) != ARCHIVE_OK)
        return writer_failed(writer, err);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = add_file(writer, &files[i], err);
    /* libarchive lays the image out in a temporary file and writes all of it here. */
    if (r == 0 && archive_write_close(writer) != ARCHIVE_OK)
        r = writer_failed(writer, err);
    return r;
}

int iso_make(const char *label, const struct iso_file *files, size_t count, char **ret_data,
             size_t *ret_size, struct error **err)
{
    _cleanup_str_ struct str out = {0};
    int r = write_archive(&out, label, files, count, err);
    if (r < 0) {
        if (r == -ENOSPC || r == -EACCES || r == -EROFS || r == -ENOENT)
            error_hint(err, "libarchive needs room in $TMPDIR (or /tmp) for a copy of the image");
        return r;
    }
    size_t size = out.length;
    _cleanup_free_ char *data = str_take(&out, err);
    if (!data)
        return -ENOMEM;
    r = iso_pin(data, size, err);
    if (r < 0)
        return r;
    *ret_data = TAKE_PTR(data);
    *ret_size = size;
    return 0;
}
