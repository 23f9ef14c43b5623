#include "repos/index.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "repos/index_field.h"
#include "repos/ini.h"

enum { MAX_ENTRIES = 65536, MAX_TOLD = 10 };

struct parser {
    const char *name; /* of the index, for messages */
    struct index index;
    size_t capacity;
    struct index_entry *entry; /* the section at hand, NULL before the first */
    uint32_t seen;
    bool skipping;        /* until the next section: what stands there is left out */
    struct strv failures; /* why entries were left out, at most MAX_TOLD */
    size_t failure_count;

    /* The field at hand, whose value may go on in the next line. */
    bool in_field;
    unsigned line;
    struct slice key, subkey;
    struct str value;
};

static void parser_free(struct parser *parser)
{
    index_free(&parser->index);
    str_free(&parser->value);
    strv_free(&parser->failures);
}

/* Puts "index:line: " before the message. */
static int at_line(const struct parser *parser, unsigned line, struct error **err)
{
    return error_wrap(err, "%s:%u", parser->name, line);
}

static char *slice_copy(struct slice slice, struct error **err)
{
    char *copy = strndup(slice.data ? slice.data : "", slice.length);
    if (!copy)
        error_oom(err);
    return copy;
}

/* Stores the field at hand, which is complete now. */
static int end_field(struct parser *parser, struct error **err)
{
    if (!parser->in_field)
        return 0;
    parser->in_field = false;
    _cleanup_free_ char *key = slice_copy(parser->key, err);
    _cleanup_free_ char *subkey = key ? slice_copy(parser->subkey, err) : NULL;
    _cleanup_free_ char *value = subkey ? str_take(&parser->value, err) : NULL;
    if (!value)
        return -ENOMEM;
    int r = index_field_set(parser->entry, &parser->seen, key, subkey, value, err);
    return r < 0 ? at_line(parser, parser->line, err) : 0;
}

static int end_entry(struct parser *parser, struct error **err)
{
    int r = end_field(parser, err);
    const struct index_entry *entry = parser->entry;
    if (r < 0 || !entry)
        return r;
    const char *missing = !entry->arch   ? "arch"
                          : !entry->file ? "file"
                          : !entry->size ? "size"
                                         : NULL;
    if (missing) {
        error_set(err, EINVAL, "[%s] has no %s", entry->id, missing);
        return at_line(parser, entry->line, err);
    }
    parser->entry = NULL;
    return 0;
}

static int begin_entry(struct parser *parser, const struct ini_line *line, struct error **err)
{
    struct index *index = &parser->index;
    parser->skipping = false;
    if (index->count == MAX_ENTRIES) {
        error_set(err, EINVAL, "more than %d images", MAX_ENTRIES);
        return at_line(parser, line->number, err);
    }
    if (index->count == parser->capacity) {
        size_t capacity = parser->capacity ? parser->capacity * 2 : 16;
        struct index_entry *grown = reallocarray(index->entries, capacity, sizeof(*grown));
        if (!grown)
            return error_oom(err);
        index->entries = grown;
        parser->capacity = capacity;
    }
    struct index_entry *entry = &index->entries[index->count];
    *entry = (struct index_entry){.line = line->number, .revision = 1};
    entry->id = slice_copy(line->value, err);
    if (!entry->id)
        return -ENOMEM;
    index->count++;
    parser->entry = entry;
    parser->seen = 0;
    return 0;
}

static int begin_field(struct parser *parser, const struct ini_line *line, struct error **err)
{
    if (!parser->entry) {
        error_set(err, EINVAL, "a field before the first [section]");
        return at_line(parser, line->number, err);
    }
    int r = end_field(parser, err);
    if (r < 0)
        return r;
    parser->in_field = true;
    parser->line = line->number;
    parser->key = line->key;
    parser->subkey = line->subkey;
    str_append_n(&parser->value, line->value.data, line->value.length);
    return 0;
}

static int continue_field(struct parser *parser, const struct ini_line *line, struct error **err)
{
    if (parser->in_field) {
        /* Empty lines in the middle of a value were empty lines of it. */
        for (unsigned i = 0; i <= line->blanks; i++)
            str_append(&parser->value, "\n");
        str_append_n(&parser->value, line->value.data, line->value.length);
        return 0;
    }
    for (size_t i = 0; i < line->value.length; i++) {
        if (line->value.data[i] == ' ' || line->value.data[i] == '\t')
            continue;
        error_set(err, EINVAL, "an indented line that continues no field");
        return at_line(parser, line->number, err);
    }
    return 0;
}

static int note_failure(struct parser *parser, const struct error *failure, const char *id,
                        struct error **err)
{
    if (parser->failure_count++ >= MAX_TOLD)
        return 0;
    return id ? strv_addf(&parser->failures, err, "%s; the image '%s' is left out",
                          error_message(failure), id)
              : strv_addf(&parser->failures, err, "%s; what stands there is left out",
                          error_message(failure));
}

/* What is wrong with an entry costs that entry alone. Takes the failure; other errors than -EINVAL
 * are passed on. */
static int leave_out(struct parser *parser, int r, struct error *failure, struct error **err)
{
    _cleanup_error_ struct error *owned = failure;
    struct index_entry *entry = parser->entry;
    if (r != -EINVAL)
        return r == 0 ? 0 : error_move(err, TAKE_PTR(owned));
    r = note_failure(parser, owned, entry ? entry->id : NULL, err);
    if (entry) {
        index_entry_free(entry);
        parser->index.count--;
    }
    str_free(&parser->value);
    parser->in_field = false;
    parser->entry = NULL;
    parser->skipping = true;
    return r;
}

static int bad_line(const struct parser *parser, const struct ini_line *line, struct error **err)
{
    error_set(err, EINVAL, "%s", line->problem);
    return at_line(parser, line->number, err);
}

static int take_content(struct parser *parser, const struct ini_line *line, struct error **err)
{
    if (line->kind == INI_FIELD)
        return begin_field(parser, line, err);
    if (line->kind == INI_MORE)
        return continue_field(parser, line, err);
    return bad_line(parser, line, err);
}

static int take_line(struct parser *parser, const struct ini_line *line, struct error **err)
{
    struct error *failure = NULL;
    bool ends = line->kind == INI_SECTION || line->kind == INI_END || line->was_section;
    if (!ends && parser->skipping)
        return 0;
    int r = ends ? end_entry(parser, &failure) : take_content(parser, line, &failure);
    r = leave_out(parser, r, failure, err);
    if (r < 0 || !ends)
        return r;
    if (line->kind == INI_SECTION)
        return begin_entry(parser, line, err);
    failure = NULL;
    r = line->was_section ? bad_line(parser, line, &failure) : 0;
    return leave_out(parser, r, failure, err);
}

static int compare_entries(const void *a, const void *b)
{
    const struct index_entry *left = *(const struct index_entry *const *)a;
    const struct index_entry *right = *(const struct index_entry *const *)b;
    int order = strcmp(left->id, right->id);
    if (order == 0)
        order = strcmp(left->arch, right->arch);
    return order ? order : (left->line > right->line) - (left->line < right->line);
}

/* The second one is left out. */
static int drop_repeated(struct parser *parser, const struct index_entry *first,
                         struct index_entry *second, struct error **err)
{
    _cleanup_error_ struct error *failure = NULL;
    error_set(&failure, EINVAL, "[%s] for %s is there twice, first in line %u", second->id,
              second->arch, first->line);
    at_line(parser, second->line, &failure);
    int r = note_failure(parser, failure, second->id, err);
    second->line = 0;
    return r;
}

static void compact(struct index *index)
{
    size_t kept = 0;
    for (size_t i = 0; i < index->count; i++) {
        if (index->entries[i].line == 0)
            index_entry_free(&index->entries[i]);
        else
            index->entries[kept++] = index->entries[i];
    }
    index->count = kept;
}

/* By sorting: an index of tens of thousands of entries must not take quadratic time. */
static int drop_all_repeated(struct parser *parser, struct error **err)
{
    const struct index *index = &parser->index;
    _cleanup_free_ struct index_entry **sorted =
        calloc(index->count + 1, sizeof(struct index_entry *));
    if (!sorted)
        return error_oom(err);
    for (size_t i = 0; i < index->count; i++)
        sorted[i] = &index->entries[i];
    qsort(sorted, index->count, sizeof(*sorted), compare_entries);
    int r = 0;
    const struct index_entry *first = sorted[0];
    for (size_t i = 1; r == 0 && i < index->count; i++) {
        if (strcmp(first->id, sorted[i]->id) != 0 || strcmp(first->arch, sorted[i]->arch) != 0)
            first = sorted[i];
        else
            r = drop_repeated(parser, first, sorted[i], err);
    }
    compact(&parser->index);
    return r;
}

/* Where nothing is left, that is an error: it may be no index at all. */
static int tell_failures(const struct parser *parser, struct reporter *reporter, struct error **err)
{
    const struct strv *failures = &parser->failures;
    if (failures->count > 0 && parser->index.count == 0)
        return error_set(err, EINVAL, "%s", failures->items[0]);
    for (size_t i = 0; i < failures->count; i++)
        report(reporter, REPORT_WARNING, "%s", failures->items[i]);
    if (parser->failure_count > failures->count)
        report(reporter, REPORT_WARNING, "%s: %zu more images are left out", parser->name,
               parser->failure_count - failures->count);
    return 0;
}

int index_parse(const char *text, size_t size, const char *name, struct reporter *reporter,
                struct index *ret, struct error **err)
{
    _cleanup_(parser_free) struct parser parser = {.name = name};
    struct ini_reader reader;
    struct ini_line line;
    ini_begin(&reader, text, size);
    do {
        ini_read(&reader, &line);
        int r = take_line(&parser, &line, err);
        if (r < 0)
            return r;
    } while (line.kind != INI_END);
    int r = drop_all_repeated(&parser, err);
    if (r == 0)
        r = tell_failures(&parser, reporter, err);
    if (r < 0)
        return r;
    *ret = parser.index;
    parser.index = (struct index){0};
    return 0;
}

void index_free(struct index *index)
{
    for (size_t i = 0; i < index->count; i++)
        index_entry_free(&index->entries[i]);
    free(index->entries);
    *index = (struct index){0};
}

static const char *note_in(const struct index_entry *entry, const char *language, size_t length)
{
    for (size_t i = 0; i < entry->note_count; i++) {
        const char *candidate = entry->notes[i].language;
        if (strlen(candidate) == length && strncmp(candidate, language, length) == 0)
            return entry->notes[i].text;
    }
    return NULL;
}

const char *index_note(const struct index_entry *entry, const char *locale)
{
    const char *note = NULL;
    if (locale && *locale) {
        /* language[_territory][.codeset][@modifier] */
        note = note_in(entry, locale, strcspn(locale, ".@"));
        if (!note)
            note = note_in(entry, locale, strcspn(locale, "_.@"));
    }
    return note ? note : note_in(entry, "", 0);
}
