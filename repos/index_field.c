#include "repos/index_field.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "repos/download.h"

enum value_kind {
    VALUE_TEXT,     /* shown to people; several lines become one */
    VALUE_WORD,     /* printable ASCII without blanks */
    VALUE_PATH,     /* inside the repository */
    VALUE_NUMBER,   /* decimal */
    VALUE_BOOLEAN,  /* true or false */
    VALUE_ALIASES,  /* words */
    VALUE_CHECKSUM, /* by its subkey */
    VALUE_NOTES,    /* by its subkey */
};

static const struct field {
    const char *key;
    enum value_kind kind;
    size_t offset; /* in struct index_entry */
} fields[] = {
    {"name", VALUE_TEXT, offsetof(struct index_entry, name)},
    {"osinfo", VALUE_WORD, offsetof(struct index_entry, osinfo)},
    {"arch", VALUE_WORD, offsetof(struct index_entry, arch)},
    {"file", VALUE_PATH, offsetof(struct index_entry, file)},
    {"sig", VALUE_PATH, offsetof(struct index_entry, sig)},
    {"revision", VALUE_NUMBER, offsetof(struct index_entry, revision)},
    {"format", VALUE_WORD, offsetof(struct index_entry, format)},
    {"size", VALUE_NUMBER, offsetof(struct index_entry, size)},
    {"compressed_size", VALUE_NUMBER, offsetof(struct index_entry, compressed_size)},
    {"expand", VALUE_WORD, offsetof(struct index_entry, expand)},
    {"lvexpand", VALUE_WORD, offsetof(struct index_entry, lvexpand)},
    {"hidden", VALUE_BOOLEAN, offsetof(struct index_entry, hidden)},
    {"aliases", VALUE_ALIASES, offsetof(struct index_entry, aliases)},
    {"checksum", VALUE_CHECKSUM, 0},
    {"notes", VALUE_NOTES, 0},
};
_Static_assert(ARRAY_SIZE(fields) + 2 < 32, "each field has a bit in `seen`");

/* The plain "checksum" is an alias of checksum[sha512], which takes precedence over it: whether
 * each was there is kept in two bits of its own. */
#define SEEN_PLAIN_CHECKSUM (UINT32_C(1) << 30)
#define SEEN_SHA512         (UINT32_C(1) << 31)

/* Beyond these an index is no index any more, and looking for a language twice would take long. */
enum { MAX_NOTES = 256, MAX_ALIASES = 256 };

static int bad_value(struct error **err, const char *key, const char *value, const char *wanted)
{
    _cleanup_free_ char *printable = str_printable(value);
    return error_set(err, EINVAL, "%s=%.100s: %s is expected", key, printable ? printable : "?",
                     wanted);
}

static int twice(struct error **err, const char *key, const char *subkey)
{
    return *subkey ? error_set(err, EINVAL, "%s[%s] is given twice", key, subkey)
                   : error_set(err, EINVAL, "%s is given twice", key);
}

static bool is_word(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (!isgraph((unsigned char)*text))
            return false;
    return true;
}

static int set_number(uint64_t *slot, const char *key, const char *value, struct error **err)
{
    uint64_t number = 0;
    int r = parse_u64(value, key, &number, NULL);
    /* Sizes become file offsets, which are signed. */
    if (r < 0 || number > INT64_MAX)
        return bad_value(err, key, value, "a number that fits in 63 bits");
    *slot = number;
    return 0;
}

static int set_checksum(struct index_entry *entry, uint32_t *seen, const char *subkey, char *value,
                        struct error **err)
{
    enum digest_kind kind;
    if (!*subkey || strcmp(subkey, digest_name(DIGEST_SHA512)) == 0)
        kind = DIGEST_SHA512;
    else if (strcmp(subkey, digest_name(DIGEST_SHA256)) == 0)
        kind = DIGEST_SHA256;
    else
        return 0;
    size_t length = strlen(value);
    for (char *p = value; *p; p++) {
        if (!isxdigit((unsigned char)*p))
            length = 0;
        *p = (char)tolower((unsigned char)*p);
    }
    if (length != digest_hex_length(kind))
        return bad_value(err, "checksum", value,
                         kind == DIGEST_SHA512 ? "128 hexadecimal digits of SHA-512"
                                               : "64 hexadecimal digits of SHA-256");
    uint32_t bit = *subkey ? SEEN_SHA512 : SEEN_PLAIN_CHECKSUM;
    if (kind == DIGEST_SHA256 ? entry->checksum[kind] != NULL : (*seen & bit) != 0)
        return twice(err, "checksum", subkey);
    if (kind == DIGEST_SHA512) {
        *seen |= bit;
        if (!*subkey && (*seen & SEEN_SHA512))
            return 0;
    }
    return str_replace(&entry->checksum[kind], value, err);
}

static int add_note(struct index_entry *entry, const char *language, const char *value,
                    struct error **err)
{
    for (size_t i = 0; i < entry->note_count; i++)
        if (strcmp(entry->notes[i].language, language) == 0)
            return twice(err, "notes", language);
    if (entry->note_count == MAX_NOTES)
        return error_set(err, EINVAL, "notes in more than %d languages", MAX_NOTES);
    struct index_text *grown =
        reallocarray(entry->notes, entry->note_count + 1, sizeof(*entry->notes));
    if (!grown)
        return error_oom(err);
    entry->notes = grown;
    struct index_text *note = &grown[entry->note_count];
    *note = (struct index_text){.language = strdup(language), .text = strdup(value)};
    if (!note->language || !note->text) {
        free(note->language);
        free(note->text);
        return error_oom(err);
    }
    entry->note_count++;
    return 0;
}

static int set_aliases(struct index_entry *entry, char *value, struct error **err)
{
    _cleanup_strv_ struct strv list = {0};
    char *rest = NULL;
    for (char *word = strtok_r(value, " \t\n", &rest); word;
         word = strtok_r(NULL, " \t\n", &rest)) {
        if (!is_word(word))
            return bad_value(err, "aliases", word, "a list of words");
        if (list.count == MAX_ALIASES)
            return error_set(err, EINVAL, "more than %d aliases", MAX_ALIASES);
        int r = strv_add(&list, word, err);
        if (r < 0)
            return r;
    }
    entry->aliases = TAKE_PTR(list.items);
    list.count = 0;
    return 0;
}

/* Any other kind than those that look at their subkey. */
static int set_plain(struct index_entry *entry, const struct field *field, char *value,
                     struct error **err)
{
    void *slot = (char *)entry + field->offset;
    switch (field->kind) {
    case VALUE_TEXT:
        for (char *p = value; *p; p++)
            if (*p == '\n')
                *p = ' ';
        return str_replace(slot, value, err);
    case VALUE_WORD:
        return is_word(value) ? str_replace(slot, value, err)
                              : bad_value(err, field->key, value, "a word of printable characters");
    case VALUE_PATH:
        return uri_path_is_confined(value)
                   ? str_replace(slot, value, err)
                   : bad_value(err, field->key, value,
                               "a relative path that stays inside the repository");
    case VALUE_NUMBER:
        return set_number(slot, field->key, value, err);
    case VALUE_BOOLEAN:
        if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
            return bad_value(err, field->key, value, "true or false");
        *(bool *)slot = *value == 't';
        return 0;
    case VALUE_ALIASES:
        return set_aliases(entry, value, err);
    default:
        return error_set(err, EINVAL, "%s: no such field", field->key);
    }
}

int index_field_set(struct index_entry *entry, uint32_t *seen, const char *key, const char *subkey,
                    char *value, struct error **err)
{
    size_t i = 0;
    while (i < ARRAY_SIZE(fields) && strcmp(fields[i].key, key) != 0)
        i++;
    if (i == ARRAY_SIZE(fields))
        return 0;
    if (fields[i].kind == VALUE_NOTES)
        return add_note(entry, subkey, value, err);
    value = str_strip(value);
    if (fields[i].kind == VALUE_CHECKSUM)
        return set_checksum(entry, seen, subkey, value, err);
    if (*subkey)
        return 0;
    if (*seen & (UINT32_C(1) << i))
        return twice(err, key, subkey);
    *seen |= UINT32_C(1) << i;
    bool optional = fields[i].kind == VALUE_WORD || fields[i].kind == VALUE_PATH;
    if (optional && !*value)
        return 0;
    return set_plain(entry, &fields[i], value, err);
}

void index_entry_free(struct index_entry *entry)
{
    char *const texts[] = {entry->id,     entry->name,   entry->osinfo,      entry->arch,
                           entry->file,   entry->sig,    entry->checksum[0], entry->checksum[1],
                           entry->format, entry->expand, entry->lvexpand};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(texts[i]);
    for (size_t i = 0; i < entry->note_count; i++) {
        free(entry->notes[i].language);
        free(entry->notes[i].text);
    }
    free(entry->notes);
    for (char **alias = entry->aliases; alias && *alias; alias++)
        free(*alias);
    free(entry->aliases);
    *entry = (struct index_entry){0};
}
