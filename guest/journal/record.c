#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/journal/record.h"

const uint64_t guest_journal_keep_max = 1 << 20;

static uint64_t code_of(const char *path)
{
    return hash_text(hash_text_start, path);
}

static bool is_of(const void *record, const void *path)
{
    return strcmp(((const struct journal_record *)record)->path, path) == 0;
}

struct journal_record *journal_find(const struct journal_records *records, const char *path)
{
    return hash_find(&records->table, code_of(path), is_of, path);
}

static void record_free(struct journal_record *record)
{
    if (!record)
        return;
    /* It may have been a file of passwords. */
    if (record->contents)
        explicit_bzero(record->contents, record->size);
    free(record->path);
    free(record->contents);
    free(record->xattrs);
    free(record);
}
DEFINE_CLEANUP(struct journal_record *, record_free);

struct journal_record *journal_add(struct journal_records *records, const char *path,
                                   struct error **err)
{
    _cleanup_(record_freep) struct journal_record *record = calloc(1, sizeof(*record));
    if (!record || !(record->path = strdup(path))) {
        error_oom(err);
        return NULL;
    }
    return hash_add(&records->table, code_of(path), record, err) < 0 ? NULL : TAKE_PTR(record);
}

void journal_records_free(struct journal_records *records)
{
    size_t position = 0;
    for (struct journal_record *record; (record = hash_next(&records->table, &position));)
        record_free(record);
    hash_free(&records->table);
}

static int add_xattr(void *context, const char *name, const void *value, size_t size)
{
    _cleanup_free_ char *hex = malloc(2 * size + 1);
    if (!hex)
        return -ENOMEM;
    hex_encode(value, size, hex);
    return strv_addf(context, NULL, "%s=%s;", name, hex);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *journal_xattrs(struct guest *guest, const char *path)
{
    _cleanup_strv_ struct strv list = {0};
    _cleanup_str_ struct str text = {0};
    if (!guest->ops->list_xattrs ||
        guest->ops->list_xattrs(guest, path, add_xattr, &list, NULL) < 0)
        return NULL;
    if (list.count > 0)
        qsort(list.items, list.count, sizeof(*list.items), compare_texts);
    for (size_t i = 0; i < list.count; i++)
        str_append(&text, list.items[i]);
    return str_take(&text, NULL);
}

/* What cannot be read is not known, and counts as changed later. */
static int look_inside(struct guest *guest, struct journal_record *record, unsigned touch,
                       bool keep, struct error **err)
{
    if (S_ISLNK(record->stat.mode)) {
        if (guest->ops->readlink(guest, record->path, &record->contents, NULL) == 0)
            record->size = strlen(record->contents);
        return 0;
    }
    char *contents;
    size_t size;
    if (((touch & JOURNAL_GONE) && !keep) || !S_ISREG(record->stat.mode) ||
        record->stat.size > guest_journal_keep_max ||
        guest->ops->read(guest, record->path, guest_journal_keep_max, &contents, &size, NULL) < 0)
        return 0;
    record->size = size;
    if (keep) {
        record->contents = contents;
        return 0;
    }
    int r = digest_bytes(DIGEST_SHA256, contents, size, record->digest, err);
    explicit_bzero(contents, size);
    free(contents);
    return r;
}

int journal_look(struct guest *guest, struct journal_record *record, const struct guest_stat *st,
                 unsigned touch, bool keep, struct error **err)
{
    bool known = record->contents || *record->digest;
    if (st) {
        record->existed = true;
        record->stat = *st;
    }
    if (record->existed && (touch & (JOURNAL_XATTRS | JOURNAL_GONE)) && !record->xattrs)
        record->xattrs = journal_xattrs(guest, record->path);
    /* Once contents were touched, what is there now is not what was there before. */
    if (!record->existed || !(touch & JOURNAL_CONTENTS) || known ||
        (record->touched & JOURNAL_CONTENTS))
        return 0;
    return look_inside(guest, record, touch, keep, err);
}
