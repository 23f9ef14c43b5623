/* "test" and "[", as test_parse() of grub-core/commands/test.c evaluates them: from left to right,
 * without precedence but for "-o", which is weaker than what stands side by side. */
#include <errno.h>
#include <stdlib.h>

#include "guest/bootcfg/grub_run.h"

#define DEPTH_MAX 50

struct test {
    struct grub_run *run;
    char *const *words;
    size_t count;
    size_t at;
    unsigned depth;
    struct error **err;
};

/* What has been read of one pair of parentheses. */
struct state {
    bool any; /* a part before an "-o" is true */
    bool all; /* all of the part that is being read */
    bool invert;
};

static void update(struct state *state, bool value)
{
    state->all = state->all && value != state->invert;
    state->invert = false;
}

/* As grub_strtoul() with base 0: 0x1f, 017, 31; 0 for what is no number. */
static long long number(const char *text)
{
    bool negative = *text == '-';
    unsigned long long value = strtoull(text + negative, NULL, 0);
    return negative ? -(long long)value : (long long)value;
}

/* Compares what is behind the common beginning, digits before it included. */
static int compare_versions(const char *a, const char *b)
{
    size_t i = 0;
    while (a[i] && a[i] == b[i])
        i++;
    while (i > 0 && a[i - 1] >= '0' && a[i - 1] <= '9')
        i--;
    long long x = number(a + i), y = number(b + i);
    return x < y ? -1 : x > y;
}

enum compared { COMPARED_TEXTS, COMPARED_NUMBERS, COMPARED_VERSIONS, COMPARED_AGES };

static const struct comparison {
    const char *name;
    enum compared kind;
    bool below, equal, above; /* which of these make it true */
} comparisons[] = {
    {"=", COMPARED_TEXTS, false, true, false},
    {"==", COMPARED_TEXTS, false, true, false},
    {"!=", COMPARED_TEXTS, true, false, true},
    {"<", COMPARED_TEXTS, true, false, false},
    {"<=", COMPARED_TEXTS, true, true, false},
    {">", COMPARED_TEXTS, false, false, true},
    {">=", COMPARED_TEXTS, false, true, true},
    {"-eq", COMPARED_NUMBERS, false, true, false},
    {"-ge", COMPARED_NUMBERS, false, true, true},
    {"-gt", COMPARED_NUMBERS, false, false, true},
    {"-le", COMPARED_NUMBERS, true, true, false},
    {"-lt", COMPARED_NUMBERS, true, false, false},
    {"-ne", COMPARED_NUMBERS, true, false, true},
    {"-pgt", COMPARED_VERSIONS, false, false, true},
    {"-plt", COMPARED_VERSIONS, true, false, false},
};

static const struct comparison *find_comparison(const char *word)
{
    static const struct comparison ages = {"-nt", COMPARED_AGES, false, false, true};
    for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++)
        if (strcmp(word, comparisons[i].name) == 0)
            return &comparisons[i];
    /* "-nt" and "-ot", with a number of seconds behind them. */
    return str_starts(word, "-nt") || str_starts(word, "-ot") ? &ages : NULL;
}

static int ask(const struct test *test, const char *what, const char *a, const char *b, bool *ret)
{
    _cleanup_free_ char *question = str_printf(test->err, "\"%s %s %s\" is true", a, what, b);
    return question ? grub_ask(test->run, question, ret, test->err) : -ENOMEM;
}

static int compare(const struct test *test, const struct comparison *comparison, bool *ret)
{
    const char *a = test->words[test->at], *b = test->words[test->at + 2];
    if (comparison->kind == COMPARED_AGES)
        return ask(test, test->words[test->at + 1], a, b, ret);
    if (grub_is_unknown(a) || grub_is_unknown(b)) {
        bool differs = strcmp(comparison->name, "!=") == 0;
        bool equals = differs || strcmp(comparison->name, "==") == 0;
        int r = ask(test, equals ? "=" : comparison->name, a, b, ret);
        *ret = *ret != differs;
        return r;
    }
    int order = comparison->kind == COMPARED_TEXTS      ? strcmp(a, b)
                : comparison->kind == COMPARED_VERSIONS ? compare_versions(a, b)
                : number(a) < number(b)                 ? -1
                                                        : number(a) > number(b);
    *ret = order < 0 ? comparison->below : order > 0 ? comparison->above : comparison->equal;
    return 0;
}

static int test_file(const struct test *test, char what, const char *path, bool *ret)
{
    _cleanup_grub_found_ struct grub_found found = {0};
    _cleanup_error_ struct error *cause = NULL;
    int r = grub_find(test->run, path, &found, &cause);
    if (r == -EOPNOTSUPP) {
        /* Whatever the test wants of the file, a regular file is what scripts look for. */
        _cleanup_free_ char *question =
            str_printf(test->err, "%s exists (%s)", path, error_message(cause));
        return question ? grub_ask(test->run, question, ret, test->err) : -ENOMEM;
    }
    if (r < 0)
        return error_move(test->err, TAKE_PTR(cause));
    *ret = what == 'd'   ? found.kind == GRUB_DIRECTORY
           : what == 'e' ? found.kind != GRUB_ABSENT
           : what == 'f' ? found.kind == GRUB_FILE
                         : found.kind == GRUB_FILE && found.size > 0;
    return 0;
}

static int test_text(const struct test *test, const char *text, bool *ret)
{
    *ret = *text != '\0';
    /* A text that is a mark and nothing else may be empty. */
    bool alone = *text == GRUB_MARK && strchr(text + 1, GRUB_MARK) == text + strlen(text) - 1;
    return alone ? ask(test, "is not", text, "empty", ret) : 0;
}

static int test_one(struct test *test, struct state *state, bool *ret_taken)
{
    char *const *words = test->words + test->at;
    size_t left = test->count - test->at;
    const struct comparison *comparison = left > 2 ? find_comparison(words[1]) : NULL;
    bool value = false;
    int r = 0;
    *ret_taken = true;
    if (comparison) {
        r = compare(test, comparison, &value);
        test->at += 3;
    } else if (left > 1 && words[0][0] == '-' && words[0][1] && !words[0][2] &&
               strchr("defs", words[0][1])) {
        r = test_file(test, words[0][1], words[1], &value);
        test->at += 2;
    } else if (left > 1 && (strcmp(words[0], "-n") == 0 || strcmp(words[0], "-z") == 0)) {
        r = test_text(test, words[1], &value);
        value = value == (words[0][1] == 'n');
        test->at += 2;
    } else {
        *ret_taken = false;
        return 0;
    }
    update(state, value);
    return r;
}

/* 0 or 1, or a negative errno. */
static int evaluate(struct test *test)
{
    struct state state = {.all = true};
    if (++test->depth > DEPTH_MAX)
        return error_set(test->err, E2BIG, "a test of the script is nested too deeply");
    while (test->at < test->count) {
        bool taken;
        int r = test_one(test, &state, &taken);
        if (r < 0)
            return r;
        if (taken)
            continue;
        const char *word = test->words[test->at++];
        if (strcmp(word, ")") == 0)
            break;
        if (strcmp(word, "(") == 0) {
            r = evaluate(test);
            if (r < 0)
                return r;
            update(&state, r);
        } else if (strcmp(word, "!") == 0) {
            state.invert = !state.invert;
        } else if (strcmp(word, "-o") == 0) {
            state.any = state.any || state.all;
            state.all = true;
        } else if (strcmp(word, "-a") != 0) {
            bool value;
            r = test_text(test, word, &value);
            if (r < 0)
                return r;
            update(&state, value);
        }
    }
    test->depth--;
    return state.any || state.all;
}

int grub_test(struct grub_run *run, const struct strv *words, struct error **err)
{
    struct test test = {
        .run = run, .words = words->items + 1, .count = words->count - 1, .err = err};
    if (test.count > 0 && strcmp(test.words[test.count - 1], "]") == 0)
        test.count--;
    int r = evaluate(&test);
    return r < 0 ? r : r ? GRUB_OK : GRUB_FALSE;
}
