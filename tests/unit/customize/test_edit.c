/* --edit */

#include "guest/text/place.h"
#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

static void expressions_work_on_lines(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *before, *expression, *after;
    } cases[] = {
        {"a\nb\n", "s/a/x/", "x\nb\n"},
        {"a\nb\nc\n", "$_ = \"\" if /^b/", "a\nc\n"},
        {"a\nb\n", "$_ = \"$lineno:$_\"", "1:a\n2:b\n"},
        {"a\nb", "s/$/!/", "a!\nb!"},
        {"a\nb\n", "next if /a/", "b\n"},
        {"a:b\n", "s/:/ : /", "a : b\n"},
        {"a\n", "# nothing\ns/a/b/;\n# more", "b\n"},
        {"a\n", "-1; s/a/'\"\\$/", "'\"$\n"},
        {"a\n", "my %h = (a => 1);\ns/(\\w)/$h{$1}/", "1\n"},
        {"x\n", "$n++; s/x/$n/", "1\n"},
        {"x\nx\n", "$n++; s/x/$n/", "1\n2\n"},
        {"", "s/a/b/", ""},
        {"\xff\xe4\n", "s/\\xe4/\\xf6/", "\xff\xf6\n"},
        {"a\r\nb\r\n", "s/a/x/", "x\r\nb\r\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char argument[128];
        fake_add_file(w->fake, "/f", 0640, 3, 4, cases[i].before);
        snprintf(argument, sizeof(argument), "/f:%s", cases[i].expression);
        assert_int_equal(world_do(w, "edit", argument), 0);
        world_expect(w, "/f", cases[i].after);
    }
}

static unsigned entries(struct world *w, const char *directory)
{
    _cleanup_strv_ struct strv names = {0};
    assert_int_equal(place_list(&w->fake->guest, directory, &names, NULL), 0);
    return (unsigned)names.count;
}

static void attributes_stay_and_links_are_followed(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/etc/real", 0640, 3, 4, "a\n");
    fake_add_xattr(w->fake, "/etc/real", "security.selinux", "etc_t");
    fake_add_xattr(w->fake, "/etc/real", "user.note", "n");
    fake_add_link(w->fake, "/etc/one", "../two");
    fake_add_link(w->fake, "/two", "/etc/./real");
    assert_int_equal(world_do(w, "edit", "/etc/one:s/a/b/"), 0);
    world_expect(w, "/etc/real", "b\n");
    struct guest_stat st;
    assert_int_equal(guest_stat(&w->fake->guest, "/etc/real", false, &st, NULL), 0);
    assert_int_equal(st.mode, S_IFREG | 0640);
    assert_int_equal(st.uid, 3);
    assert_int_equal(st.gid, 4);
    assert_string_equal(fake_xattr(w->fake, "/etc/real", "security.selinux"), "etc_t");
    assert_string_equal(fake_xattr(w->fake, "/etc/real", "user.note"), "n");
    assert_true(S_ISLNK(fake_mode(w->fake, "/etc/one")));
    assert_int_equal(entries(w, "/etc"), 2);
}

static void what_cannot_be_edited_is_told(void **state)
{
    struct world *w = *state;
    fake_add_dir(w->fake, "/d");
    fake_add_link(w->fake, "/dangling", "nowhere");
    assert_int_equal(world_do(w, "edit", "/d:s/a/b/"), -EINVAL);
    assert_error_has(w, "not a regular file");
    assert_int_equal(world_do(w, "edit", "/absent:s/a/b/"), -ENOENT);
    assert_int_equal(world_do(w, "edit", "/dangling:s/a/b/"), -ENOENT);
    assert_int_equal(world_add(w, "edit", "/f"), -EINVAL);
    assert_int_equal(world_add(w, "edit", "f:s/a/b/"), -EINVAL);
}

static void a_faulty_expression_leaves_the_file(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *argument, *part;
    } cases[] = {
        {"/etc/f:s/(/x/", "Unmatched"},
        {"/etc/f:}", "Unmatched"},
        {"/etc/f:die 'no such thing' if /b/", "no such thing"},
        {"/etc/f:exit 3", "/etc/f"},
    };
    fake_add_file(w->fake, "/etc/f", 0644, 0, 0, "a\nb\n");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_true(world_do(w, "edit", cases[i].argument) < 0);
        assert_error_has(w, cases[i].part);
        world_expect(w, "/etc/f", "a\nb\n");
    }
}

static void a_failure_leaves_nothing_beside(void **state)
{
    struct world *w = *state;
    static const char *const faults[] = {"download", "upload", "set_xattr", "rename"};
    fake_add_file(w->fake, "/etc/f", 0644, 0, 0, "a\n");
    fake_add_xattr(w->fake, "/etc/f", "user.note", "n");
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        w->fake->fault = faults[i];
        w->fake->fault_errno = ENOSPC;
        assert_int_equal(world_do(w, "edit", "/etc/f:s/a/b/"), -ENOSPC);
        assert_error_has(w, "--edit");
        world_expect(w, "/etc/f", "a\n");
        assert_int_equal(entries(w, "/etc"), 1);
    }
}

static void without_perl_there_is_a_hint(void **state)
{
    struct world *w = *state;
    _cleanup_free_ char *path = strdup(getenv("PATH"));
    setenv("PATH", "/nonexistent", 1);
    int r = world_add(w, "edit", "/f:s/a/b/");
    setenv("PATH", path, 1);
    assert_int_equal(r, -ENOENT);
    assert_error_has(w, "perl is not installed");
    assert_non_null(error_remedy(w->error));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(expressions_work_on_lines),       T(attributes_stay_and_links_are_followed),
        T(what_cannot_be_edited_is_told),   T(a_faulty_expression_leaves_the_file),
        T(a_failure_leaves_nothing_beside), T(without_perl_there_is_a_hint),
    };
    return cmocka_run_group_tests_name("customize/edit", tests, NULL, NULL);
}
