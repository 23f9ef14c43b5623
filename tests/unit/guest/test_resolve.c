/* The walk along paths, over a file system that is a table. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "guest/resolve.h"
#include "tests/unit/unit.h"

static const struct entry {
    const char *path;
    const char *target; /* of a link; NULL: a directory, or a file where its name begins with 'f' */
} entries[] = {
    {"/", NULL},
    {"/etc", NULL},
    {"/etc/f", NULL},
    {"/etc/up", ".."},
    {"/etc/self", "."},
    {"/etc/abs", "/usr/lib"},
    {"/etc/rel", "../usr//lib/"},
    {"/etc/out", "../../../usr"},
    {"/etc/dangling", "nowhere/at"},
    {"/etc/loop", "loop"},
    {"/etc/to-file", "f"},
    {"/etc/root", "/"},
    {"/lib", "usr/lib"},
    {"/usr", NULL},
    {"/usr/lib", NULL},
    {"/usr/lib/f", NULL},
};

/* Which object was looked at for each depth, as an engine would remember it. */
struct looks {
    const char *at[64];
    size_t count;
    int error;
};

static const struct entry *find(const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
        if (strcmp(entries[i].path, path) == 0)
            return &entries[i];
    return NULL;
}

static int look(void *context, const char *path, size_t depth, mode_t *ret_mode, struct error **err)
{
    struct looks *looks = context;
    looks->count++;
    if (looks->error)
        return error_set(err, looks->error, "the disk is damaged");
    size_t slashes = 0;
    for (const char *at = path; *at; at++)
        slashes += *at == '/';
    assert_int_equal(slashes, depth);
    const struct entry *entry = find(path);
    /* The parent is what was looked at one level above. */
    if (depth > 1) {
        size_t length = strlen(looks->at[depth - 1]);
        assert_int_equal(strncmp(path, looks->at[depth - 1], length), 0);
        assert_int_equal(path[length], '/');
    }
    if (entry)
        looks->at[depth] = entry->path;
    const char *name = strrchr(path, '/') + 1;
    *ret_mode = !entry ? 0 : entry->target ? S_IFLNK | 0777 : *name == 'f' ? S_IFREG : S_IFDIR;
    return 0;
}

static int read_target(void *context, const char *path, size_t depth, char **ret,
                       struct error **err)
{
    struct looks *looks = context;
    assert_string_equal(looks->at[depth], path);
    *ret = str_printf(err, "%s", find(path)->target);
    return *ret ? 0 : -ENOMEM;
}

static const struct resolve_ops ops = {.look = look, .readlink = read_target};

static void links_lead_on_within_the_guest(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool follow;
        const char *real;
        enum resolve_last last;
        bool exists, must_be_dir;
    } cases[] = {
        {"/", false, "/", LAST_ROOT, true, true},
        {"//", false, "/", LAST_ROOT, true, true},
        {"/..", false, "/", LAST_DOT_DOT, true, true},
        {"/etc/.", false, "/etc", LAST_DOT, true, true},
        {"/etc/f", false, "/etc/f", LAST_NAME, true, false},
        {"//etc//./f", false, "/etc/f", LAST_NAME, true, false},
        {"/etc/", false, "/etc", LAST_NAME, true, true},
        {"/etc/../usr/lib", false, "/usr/lib", LAST_NAME, true, false},
        {"/etc/up/usr", false, "/usr", LAST_NAME, true, false},
        {"/etc/self/self/f", false, "/etc/f", LAST_NAME, true, false},
        {"/etc/abs", false, "/etc/abs", LAST_NAME, true, false},
        {"/etc/abs", true, "/usr/lib", LAST_NAME, true, false},
        {"/etc/abs/", false, "/usr/lib", LAST_NAME, true, true},
        {"/etc/abs/f", false, "/usr/lib/f", LAST_NAME, true, false},
        {"/etc/rel/f", false, "/usr/lib/f", LAST_NAME, true, false},
        {"/etc/rel", true, "/usr/lib", LAST_NAME, true, true},
        {"/etc/out/lib/..", false, "/usr", LAST_DOT_DOT, true, true},
        {"/etc/up", true, "/", LAST_DOT_DOT, true, true},
        {"/etc/root", true, "/", LAST_ROOT, true, true},
        {"/etc/root/lib/f", false, "/usr/lib/f", LAST_NAME, true, false},
        {"/etc/none", true, "/etc/none", LAST_NAME, false, false},
        {"/etc/none/", true, "/etc/none", LAST_NAME, false, true},
        {"/etc/to-file", true, "/etc/f", LAST_NAME, true, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (unsigned strict = 0; strict <= RESOLVE_STRICT; strict += RESOLVE_STRICT) {
            struct looks looks = {0};
            struct resolved_path ret;
            unsigned flags = strict | (cases[i].follow ? RESOLVE_FOLLOW : 0);
            assert_int_equal(resolve_path(&ops, &looks, cases[i].path, flags, &ret, NULL), 0);
            assert_string_equal(ret.path, cases[i].real);
            assert_int_equal(ret.last, cases[i].last);
            assert_int_equal(ret.mode != 0, cases[i].exists);
            assert_int_equal(ret.must_be_dir, cases[i].must_be_dir);
            free(ret.path);
        }
}

static void what_does_not_exist_is_taken_as_written(void **state)
{
    (void)state;
    static const struct {
        const char *path, *real;
        int strict;
        size_t looks; /* nothing is asked below what does not exist */
    } cases[] = {
        {"/none/a/b", "/none/a/b", -ENOENT, 1},
        {"/none/a/../../etc/up/lib/f", "/usr/lib/f", -ENOENT, 7},
        {"/none/../etc", "/etc", -ENOENT, 2},
        {"/etc/dangling", "/etc/nowhere/at", -ENOENT, 3},
        {"/etc/f/x", "/etc/f/x", -ENOTDIR, 3},
        {"/etc/f/", "/etc/f", -ENOTDIR, 2},
        {"/etc/f/..", "/etc", -ENOTDIR, 2},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct looks looks = {0};
        struct resolved_path ret;
        assert_int_equal(resolve_path(&ops, &looks, cases[i].path, RESOLVE_FOLLOW, &ret, NULL), 0);
        assert_string_equal(ret.path, cases[i].real);
        assert_int_equal(looks.count, cases[i].looks);
        free(ret.path);
        _cleanup_error_ struct error *error = NULL;
        int r = resolve_path(&ops, &looks, cases[i].path, RESOLVE_FOLLOW | RESOLVE_STRICT, &ret,
                             &error);
        assert_int_equal(r, cases[i].strict);
        assert_non_null(error);
    }
}

static void loops_and_faults_end_the_walk(void **state)
{
    (void)state;
    struct looks looks = {0};
    struct resolved_path ret;
    _cleanup_error_ struct error *loop = NULL, *fault = NULL;
    assert_int_equal(resolve_path(&ops, &looks, "/etc/loop", RESOLVE_FOLLOW, &ret, &loop), -ELOOP);
    assert_non_null(loop);
    looks.error = EIO;
    assert_int_equal(resolve_path(&ops, &looks, "/etc/f", 0, &ret, &fault), -EIO);
    assert_string_equal(error_message(fault), "the disk is damaged");
}

/* As many links as Linux follows, and one more. */
static void forty_links_are_followed(void **state)
{
    (void)state;
    struct looks looks = {0};
    struct resolved_path ret;
    for (int links = 40; links <= 41; links++) {
        _cleanup_str_ struct str path = {0};
        str_append(&path, "/etc");
        for (int i = 0; i < links; i++)
            str_append(&path, "/self");
        str_append(&path, "/f");
        int r = resolve_path(&ops, &looks, path.data, 0, &ret, NULL);
        assert_int_equal(r, links == 40 ? 0 : -ELOOP);
        if (r == 0) {
            assert_string_equal(ret.path, "/etc/f");
            free(ret.path);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_lead_on_within_the_guest),
        cmocka_unit_test(what_does_not_exist_is_taken_as_written),
        cmocka_unit_test(loops_and_faults_end_the_walk),
        cmocka_unit_test(forty_links_are_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
