#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/journal/record.h"

const uint64_t guest_journal_keep_max = 1 << 20;

enum { first_capacity = 64 };

static size_t hash_of(const char *path)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32);
}

/* Where the path's record is, or would go. */
static size_t probe(const struct journal_records *records, const char *path)
{
    size_t at = hash_of(path) & (records->capacity - 1);
    while (records->table[at] && strcmp(records->table[at]->path, path) != 0)
        at = (at + 1) & (records->capacity - 1);
    return at;
}

struct journal_record *journal_find(const struct journal_records *records, const char *path)
{
    return records->count ? records->table[probe(records, path)] : NULL;
}

static int grow(struct journal_records *records, struct error **err)
{
    struct journal_records larger = {
        .capacity = records->capacity ? 2 * records->capacity : first_capacity,
        .count = records->count,
    };
    larger.table = calloc(larger.capacity, sizeof(struct journal_record *));
    if (!larger.table)
        return error_oom(err);
    for (size_t i = 0; i < records->capacity; i++)
        if (records->table[i])
            larger.table[probe(&larger, records->table[i]->path)] = records->table[i];
    free(records->table);
    *records = larger;
    return 0;
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
    if (records->count + records->count / 2 >= records->capacity && grow(records, err) < 0)
        return NULL;
    struct journal_record *added = TAKE_PTR(record);
    records->table[probe(records, path)] = added;
    records->count++;
    return added;
}

void journal_records_free(struct journal_records *records)
{
    for (size_t i = 0; i < records->capacity; i++)
        record_free(records->table[i]);
    free(records->table);
    *records = (struct journal_records){0};
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
