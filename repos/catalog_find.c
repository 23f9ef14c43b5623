#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "repos/catalog.h"

/* Ids longer than this are not compared. */
enum { LONGEST_COMPARED = 64, MOST_SIMILAR = 5 };

const char *catalog_host_arch(void)
{
#if defined(__x86_64__)
    return "x86_64";
#elif defined(__aarch64__)
    return "aarch64";
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return "ppc64le";
#elif defined(__s390x__)
    return "s390x";
#elif defined(__riscv) && __riscv_xlen == 64
    return "riscv64";
#elif defined(__arm__)
    return "armv7l";
#elif defined(__i386__)
    return "i686";
#else
    return "unknown";
#endif
}

static bool has_alias(const struct index_entry *entry, const char *id)
{
    for (char **alias = entry->aliases; alias && *alias; alias++)
        if (strcmp(*alias, id) == 0)
            return true;
    return false;
}

static const struct index_entry *find_in(const struct index *index, const char *id,
                                         const char *arch)
{
    const struct index_entry *by_alias = NULL;
    for (size_t i = 0; i < index->count; i++) {
        const struct index_entry *entry = &index->entries[i];
        if (strcmp(entry->arch, arch) != 0)
            continue;
        if (strcmp(entry->id, id) == 0)
            return entry;
        if (!by_alias && has_alias(entry, id))
            by_alias = entry;
    }
    return by_alias;
}

/* Insertions, deletions and replacements that make one out of the other (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    size_t row[LONGEST_COMPARED + 1];
    if (a_length > LONGEST_COMPARED || b_length > LONGEST_COMPARED)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            size_t either = row[j] < row[j - 1] ? row[j] : row[j - 1];
            diagonal = row[j];
            row[j] = replaced < either + 1 ? replaced : either + 1;
        }
    }
    return row[b_length];
}

/* Similar ids: a few edits away, or with this beginning. */
static bool is_similar(const char *id, const char *wanted)
{
    size_t length = strlen(wanted);
    size_t slips = length / 4 < 2 ? 2 : length / 4;
    size_t family = strcspn(wanted, "-0123456789");
    return distance(id, wanted) <= slips || str_starts(id, wanted) ||
           (family >= 3 && strncmp(id, wanted, family) == 0);
}

/* What is there instead. */
struct alternatives {
    struct strv similar; /* other ids */
    struct strv arches;  /* of the very id */
};

static void alternatives_free(struct alternatives *alternatives)
{
    strv_free(&alternatives->similar);
    strv_free(&alternatives->arches);
}

static int add_once(struct strv *list, const char *text, struct error **err)
{
    if (list->count >= MOST_SIMILAR || strv_contains(list, text))
        return 0;
    return strv_add(list, text, err);
}

static int look_around(const struct catalog *catalog, const char *id, struct alternatives *ret,
                       struct error **err)
{
    for (size_t s = 0; s < catalog->count; s++) {
        const struct index *index = &catalog->sources[s].index;
        for (size_t i = 0; i < index->count; i++) {
            const struct index_entry *entry = &index->entries[i];
            int r = 0;
            if (strcmp(entry->id, id) == 0 || has_alias(entry, id))
                r = add_once(&ret->arches, entry->arch, err);
            else if (!entry->hidden && is_similar(entry->id, id))
                r = add_once(&ret->similar, entry->id, err);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

static char *join(const struct strv *list)
{
    struct str text = {0};
    for (size_t i = 0; i < list->count; i++)
        str_appendf(&text, "%s%s", i ? ", " : "", list->items[i]);
    return str_take(&text, NULL);
}

/* "; left out were: NAME (why), ..." */
static char *describe_failures(const struct catalog *catalog)
{
    struct str text = {0};
    for (size_t s = 0; s < catalog->count; s++) {
        const struct catalog_source *source = &catalog->sources[s];
        if (source->failure)
            str_appendf(&text, "%s'%s' (%s)",
                        text.length ? ", " : "; left out were: ", source->repo->name,
                        error_message(source->failure));
    }
    return str_take(&text, NULL);
}

int catalog_not_found(const struct catalog *catalog, const char *id, const char *arch,
                      struct error **err)
{
    if (!arch)
        arch = "any architecture";
    _cleanup_(alternatives_free) struct alternatives found = {0};
    int r = look_around(catalog, id, &found, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *failures = describe_failures(catalog);
    _cleanup_free_ char *similar = join(&found.similar), *arches = join(&found.arches);
    _cleanup_free_ char *shown = str_printable(id);
    if (!failures || !similar || !arches || !shown)
        return error_oom(err);
    error_set(err, ENOENT, "%s: not found for %s in any repository%s", shown, arch, failures);
    if (found.arches.count > 0)
        return error_hint(err, "it is there for %s: see --arch", arches);
    if (found.similar.count > 0)
        return error_hint(err, "did you mean: %s? 'kiln list' shows all", similar);
    return error_hint(err, "'kiln list' shows what there is");
}

int catalog_find(const struct catalog *catalog, const char *id, const char *arch,
                 const struct catalog_source **ret_source, const struct index_entry **ret_entry,
                 struct error **err)
{
    if (!arch)
        arch = catalog_host_arch();
    for (size_t s = 0; s < catalog->count; s++) {
        const struct index_entry *entry = find_in(&catalog->sources[s].index, id, arch);
        if (!entry)
            continue;
        *ret_source = &catalog->sources[s];
        *ret_entry = entry;
        return 0;
    }
    return catalog_not_found(catalog, id, arch, err);
}
