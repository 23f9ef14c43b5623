#include "repos/index.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "repos/index_field.h"
#include "repos/ini.h"

enum { MAX_ENTRIES = 65536 };

struct parser {
    const char *name; /* of the index, for messages */
    struct index index;
    size_t capacity;
    struct index_entry *entry; /* the section at hand, NULL before the first */
    uint32_t seen;

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
    int r = end_entry(parser, err);
    if (r < 0)
        return r;
    struct index *index = &parser->index;
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

static int take_line(struct parser *parser, const struct ini_line *line, struct error **err)
{
    switch (line->kind) {
    case INI_SECTION:
        return begin_entry(parser, line, err);
    case INI_FIELD:
        return begin_field(parser, line, err);
    case INI_MORE:
        return continue_field(parser, line, err);
    case INI_BAD:
        error_set(err, EINVAL, "%s", line->problem);
        return at_line(parser, line->number, err);
    case INI_END:
        break;
    }
    return end_entry(parser, err);
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

/* By sorting: an index of tens of thousands of entries must not take quadratic time. */
static int check_unique(const struct parser *parser, struct error **err)
{
    const struct index *index = &parser->index;
    _cleanup_free_ const struct index_entry **sorted = calloc(index->count + 1, sizeof(*sorted));
    if (!sorted)
        return error_oom(err);
    for (size_t i = 0; i < index->count; i++)
        sorted[i] = &index->entries[i];
    qsort(sorted, index->count, sizeof(*sorted), compare_entries);
    for (size_t i = 1; i < index->count; i++) {
        const struct index_entry *first = sorted[i - 1], *second = sorted[i];
        if (strcmp(first->id, second->id) != 0 || strcmp(first->arch, second->arch) != 0)
            continue;
        error_set(err, EINVAL, "[%s] for %s is there twice, first in line %u", second->id,
                  second->arch, first->line);
        return at_line(parser, second->line, err);
    }
    return 0;
}

int index_parse(const char *text, size_t size, const char *name, struct index *ret,
                struct error **err)
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
    int r = check_unique(&parser, err);
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
