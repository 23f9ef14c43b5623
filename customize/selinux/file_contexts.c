#include "customize/selinux/file_contexts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/str.h"
#include "customize/selinux/context_pattern.h"
#include "customize/selinux/regex.h"

enum {
    specs_max = 100000,
    aliases_max = 10000,
    label_max = 512,
    path_max = 8192,       /* bytes, with aliases applied */
    checks_per_clock = 32, /* patterns between looks at the clock */
};

/* What look-ups may take together, of the processor's time: some seconds, and a share for each. */
static const uint64_t budget_ns = 5000000000, budget_each_ns = 2000000;

struct spec {
    struct context_pattern pattern;
    char *label; /* NULL: <<none>> */
    mode_t type; /* 0: any */
    struct regex *regex;
    bool bad; /* the pattern cannot be compiled */
};

struct alias {
    char *from, *to;
};

struct alias_list {
    struct alias *items;
    size_t count;
};

struct file_contexts {
    struct spec *specs;
    size_t count, capacity;
    struct alias_list aliases[FILE_CONTEXTS_DISTRIBUTION + 1];
    struct regex_machine *machine;
    uint64_t spent_ns;
    uint64_t lookups;
};

int file_contexts_new(struct file_contexts **ret, struct error **err)
{
    _cleanup_file_contexts_ struct file_contexts *contexts = calloc(1, sizeof(*contexts));
    if (!contexts)
        return error_oom(err);
    int r = regex_machine_new(&contexts->machine, err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(contexts);
    return 0;
}

static void spec_free(struct spec *spec)
{
    context_pattern_free(&spec->pattern);
    free(spec->label);
    regex_free(spec->regex);
}

void file_contexts_free(struct file_contexts *contexts)
{
    if (!contexts)
        return;
    for (size_t i = 0; i < contexts->count; i++)
        spec_free(&contexts->specs[i]);
    free(contexts->specs);
    for (size_t i = 0; i < ARRAY_SIZE(contexts->aliases); i++) {
        struct alias_list *list = &contexts->aliases[i];
        for (size_t k = 0; k < list->count; k++) {
            free(list->items[k].from);
            free(list->items[k].to);
        }
        free(list->items);
    }
    regex_machine_free(contexts->machine);
    free(contexts);
}

/* The next word of the line, at *at, which moves behind it; *ret_length is 0 at its end. */
static const char *next_word(const char **at, const char *end, size_t *ret_length)
{
    while (*at < end && (**at == ' ' || **at == '\t' || **at == '\r'))
        ++*at;
    const char *word = *at;
    while (*at < end && **at != ' ' && **at != '\t' && **at != '\r')
        ++*at;
    *ret_length = (size_t)(*at - word);
    return word;
}

static bool word_is(const char *word, size_t length, const char *expected)
{
    return strlen(expected) == length && memcmp(word, expected, length) == 0;
}

static bool parse_type(const char *word, size_t length, mode_t *ret)
{
    static const struct {
        const char *text;
        mode_t type;
    } types[] = {
        {"--", S_IFREG}, {"-d", S_IFDIR}, {"-c", S_IFCHR},  {"-b", S_IFBLK},
        {"-l", S_IFLNK}, {"-p", S_IFIFO}, {"-s", S_IFSOCK},
    };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (word_is(word, length, types[i].text)) {
            *ret = types[i].type;
            return true;
        }
    return false;
}

/* user:role:type, and perhaps a range. */
static bool is_label(const char *word, size_t length)
{
    unsigned colons = 0;
    for (size_t i = 0; i < length; i++) {
        if (word[i] <= ' ' || word[i] > '~')
            return false;
        colons += word[i] == ':';
    }
    return length < label_max && colons >= 2;
}

static int add_spec(struct file_contexts *contexts, const struct spec *spec, struct error **err)
{
    if (contexts->count == specs_max)
        return error_set(err, E2BIG, "there are more than %d file contexts", specs_max);
    if (contexts->count == contexts->capacity) {
        size_t capacity = contexts->capacity ? 2 * contexts->capacity : 256;
        struct spec *specs = reallocarray(contexts->specs, capacity, sizeof(*specs));
        if (!specs)
            return error_oom(err);
        contexts->specs = specs;
        contexts->capacity = capacity;
    }
    contexts->specs[contexts->count++] = *spec;
    return 0;
}

static int add_line(struct file_contexts *contexts, const char *line, const char *end,
                    struct error **err)
{
    size_t lengths[4];
    const char *words[4];
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        words[i] = next_word(&line, end, &lengths[i]);
    if (lengths[1] == 0 || words[0][0] == '#')
        return 0;
    _cleanup_(spec_free) struct spec spec = {0};
    size_t label = lengths[2] ? 2 : 1;
    if (label == 2 && !parse_type(words[1], lengths[1], &spec.type))
        return 0;
    bool none = word_is(words[label], lengths[label], "<<none>>");
    if (lengths[3] || (!none && !is_label(words[label], lengths[label])))
        return 0;
    if (!none) {
        spec.label = strndup(words[label], lengths[label]);
        if (!spec.label)
            return error_oom(err);
    }
    int r = context_pattern_parse(words[0], lengths[0], &spec.pattern, err);
    if (r == 0)
        r = add_spec(contexts, &spec, err);
    if (r == 0)
        spec = (struct spec){0};
    return r;
}

static int add_alias(struct alias_list *list, const char *line, const char *end, struct error **err)
{
    size_t from_length, to_length;
    const char *from = next_word(&line, end, &from_length);
    const char *to = next_word(&line, end, &to_length);
    if (to_length == 0 || *from != '/' || *to != '/')
        return 0;
    if (list->count == aliases_max)
        return error_set(err, E2BIG, "there are more than %d aliases", aliases_max);
    struct alias *items = reallocarray(list->items, list->count + 1, sizeof(*items));
    if (!items)
        return error_oom(err);
    list->items = items;
    struct alias alias = {strndup(from, from_length), strndup(to, to_length)};
    if (!alias.from || !alias.to) {
        free(alias.from);
        free(alias.to);
        return error_oom(err);
    }
    list->items[list->count++] = alias;
    return 0;
}

int file_contexts_add(struct file_contexts *contexts, const char *text, size_t size,
                      struct error **err)
{
    int r = 0;
    for (const char *line = text, *end = text + size; r == 0 && line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *stop = newline ? newline : end;
        r = add_line(contexts, line, stop, err);
        line = stop + 1;
    }
    return r;
}

int file_contexts_add_aliases(struct file_contexts *contexts, enum file_contexts_aliases which,
                              const char *text, size_t size, struct error **err)
{
    int r = 0;
    for (const char *line = text, *end = text + size; r == 0 && line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *stop = newline ? newline : end;
        r = add_alias(&contexts->aliases[which], line, stop, err);
        line = stop + 1;
    }
    return r;
}

/* Rewrites the path in place by the first alias that fits, those added last coming first. */
static bool apply_aliases(const struct alias_list *list, char path[static path_max])
{
    for (size_t i = list->count; i-- > 0;) {
        const struct alias *alias = &list->items[i];
        size_t from = strlen(alias->from), to = strlen(alias->to), length = strlen(path);
        if (from > length || memcmp(path, alias->from, from) != 0 ||
            (path[from] != '/' && path[from] != '\0'))
            continue;
        if (strcmp(alias->to, "/") == 0 && path[from] == '/')
            from++;
        if (to + length - from >= path_max)
            return false;
        memmove(path + to, path + from, length - from + 1);
        memcpy(path, alias->to, to);
        return true;
    }
    return true;
}

/* The path as it is looked up: single slashes, none at the end, aliases applied. */
static bool clean_path(const struct file_contexts *contexts, const char *path,
                       char clean[static path_max])
{
    size_t length = 0;
    for (; *path; path++) {
        if (*path == '/' && length > 0 && clean[length - 1] == '/')
            continue;
        if (length == path_max - 1)
            return false;
        clean[length++] = *path;
    }
    if (length > 1 && clean[length - 1] == '/')
        length--;
    clean[length] = '\0';
    return apply_aliases(&contexts->aliases[FILE_CONTEXTS_LOCAL], clean) &&
           apply_aliases(&contexts->aliases[FILE_CONTEXTS_DISTRIBUTION], clean);
}

static const struct spec *find_literal(const struct file_contexts *contexts, const char *path,
                                       size_t length, mode_t type)
{
    for (size_t i = contexts->count; i-- > 0;) {
        const struct spec *spec = &contexts->specs[i];
        if (spec->pattern.literal && (!spec->type || spec->type == type) &&
            spec->pattern.prefix_length == length &&
            memcmp(spec->pattern.prefix, path, length) == 0)
            return spec;
    }
    return NULL;
}

static int too_costly(struct error **err)
{
    return error_set(err, E2BIG, "the patterns of the guest's policy take too long");
}

/* Processor time, not wall time: load on the machine must not count. */
static uint64_t spent_now(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool within_budget(struct file_contexts *contexts, uint64_t *started)
{
    uint64_t now = spent_now();
    contexts->spent_ns += now - *started;
    *started = now;
    return contexts->spent_ns <= budget_ns + contexts->lookups * budget_each_ns;
}

static enum regex_verdict spec_fits(struct file_contexts *contexts, struct spec *spec,
                                    const char *path, size_t length)
{
    const struct context_pattern *pattern = &spec->pattern;
    if (!spec->regex && !spec->bad) {
        spec->regex = regex_compile(pattern->text, strlen(pattern->text));
        spec->bad = !spec->regex;
    }
    return spec->bad ? REGEX_NO : regex_fits(spec->regex, contexts->machine, path, length);
}

static int find_pattern(struct file_contexts *contexts, const char *path, size_t length,
                        mode_t type, uint64_t *started, const struct spec **ret, struct error **err)
{
    unsigned checks = 0;
    for (size_t i = contexts->count; i-- > 0;) {
        struct spec *spec = &contexts->specs[i];
        const struct context_pattern *pattern = &spec->pattern;
        if (pattern->literal || (spec->type && spec->type != type) ||
            pattern->prefix_length > length ||
            memcmp(pattern->prefix, path, pattern->prefix_length) != 0)
            continue;
        enum regex_verdict verdict = spec_fits(contexts, spec, path, length);
        if (verdict == REGEX_TOO_COSTLY ||
            (++checks % checks_per_clock == 0 && !within_budget(contexts, started)))
            return too_costly(err);
        if (verdict == REGEX_YES) {
            *ret = spec;
            return 0;
        }
    }
    return 0;
}

int file_contexts_lookup(struct file_contexts *contexts, const char *path, mode_t mode,
                         const char **ret, struct error **err)
{
    char clean[path_max];
    mode_t type = mode & S_IFMT;
    uint64_t started = spent_now();
    contexts->lookups++;
    if (!clean_path(contexts, path, clean)) {
        *ret = NULL;
        return 0;
    }
    size_t length = strlen(clean);
    const struct spec *spec = find_literal(contexts, clean, length, type);
    if (!spec) {
        int r = find_pattern(contexts, clean, length, type, &started, &spec, err);
        if (r < 0)
            return r;
    }
    if (!within_budget(contexts, &started))
        return too_costly(err);
    *ret = spec ? spec->label : NULL;
    return 0;
}
