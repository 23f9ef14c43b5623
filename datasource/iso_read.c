#include "datasource/iso.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

/* ECMA-119, section 8.4: the primary volume descriptor, and where the volume identifier is. */
enum { descriptor_offset = 32768, label_offset = 40, label_size = 32 };

static void reader_free(struct archive **slot)
{
    archive_read_free(*slot);
}

static int reader_failed(struct archive *reader, const char *name, struct error **err)
{
    const char *text = archive_error_string(reader);
    return error_set(err, EINVAL, "%s: cannot be read as an ISO image: %s", name,
                     text ? text : "libarchive failed");
}

static int check_label(const char *data, size_t size, const char *label, const char *name,
                       struct error **err)
{
    const char *descriptor = data + descriptor_offset;
    size_t length = strlen(label);
    if (size < descriptor_offset + label_offset + label_size ||
        memcmp(descriptor, "\1CD001", 6) != 0)
        return error_set(err, EINVAL, "%s: is not an ISO 9660 image", name);
    const char *there = descriptor + label_offset;
    if (length > label_size || strncasecmp(there, label, length) != 0 ||
        strspn(there + length, " ") < label_size - length)
        return error_set(err, EINVAL, "%s: is not labelled %s", name, label);
    return 0;
}

static int read_entry(struct archive *reader, const char *name, size_t max, struct iso_found *ret,
                      struct error **err)
{
    _cleanup_str_ struct str text = {0};
    char buffer[65536];
    la_ssize_t n;
    while ((n = archive_read_data(reader, buffer, sizeof(buffer))) > 0) {
        if ((size_t)n > max - text.length)
            return error_set(err, EFBIG, "%s: '%s' is larger than %zu bytes", name, ret->name, max);
        str_append_n(&text, buffer, (size_t)n);
    }
    if (n < 0)
        return reader_failed(reader, name, err);
    size_t size = text.length;
    char *data = str_take(&text, err);
    if (!data)
        return -ENOMEM;
    free(ret->data);
    ret->data = data;
    ret->size = size;
    return 0;
}

static struct iso_found *find_wanted(struct archive_entry *entry, const struct iso_wanted *wanted)
{
    const char *path = archive_entry_pathname(entry);
    if (!path || archive_entry_filetype(entry) != AE_IFREG)
        return NULL;
    for (size_t i = 0; i < wanted->count; i++)
        if (strcmp(path, wanted->files[i].name) == 0)
            return &wanted->files[i];
    return NULL;
}

static int read_entries(struct archive *reader, const char *name, const struct iso_wanted *wanted,
                        struct error **err)
{
    struct archive_entry *entry;
    int status, r = 0;
    while (r == 0 && (status = archive_read_next_header(reader, &entry)) != ARCHIVE_EOF) {
        if (status < ARCHIVE_WARN)
            return reader_failed(reader, name, err);
        struct iso_found *file = find_wanted(entry, wanted);
        if (file)
            r = read_entry(reader, name, wanted->max, file, err);
    }
    return r;
}

int iso_read(const char *data, size_t size, const char *name, const struct iso_wanted *wanted,
             struct error **err)
{
    int r = check_label(data, size, wanted->label, name, err);
    if (r < 0)
        return r;
    _cleanup_(reader_free) struct archive *reader = archive_read_new();
    if (!reader)
        return error_oom(err);
    if (archive_read_support_format_iso9660(reader) != ARCHIVE_OK ||
        archive_read_open_memory(reader, data, size) != ARCHIVE_OK)
        return reader_failed(reader, name, err);
    r = read_entries(reader, name, wanted, err);
    for (size_t i = 0; r < 0 && i < wanted->count; i++) {
        free(TAKE_PTR(wanted->files[i].data));
        wanted->files[i].size = 0;
    }
    return r;
}
