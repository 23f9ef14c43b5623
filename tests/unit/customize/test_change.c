/* --chmod, --chown, --link, --touch, --truncate, --truncate-recursive, --scrub */

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

static void chmod_reads_octal_and_decimal(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/f", 0644, 0, 0, "");
    fake_add_link(w->fake, "/link", "f");
    static const struct {
        const char *argument;
        mode_t mode;
        bool warns;
    } cases[] = {
        {"0600:/f", 0600, false}, {"04755:/link", 04755, false}, {"0:/f", 0, false},
        {"448:/f", 0700, true},   {"07777:/f", 07777, false},    {"00640:/f", 0640, false},
        {"4095:/f", 07777, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        w->words.length = 0;
        assert_int_equal(world_do(w, "chmod", cases[i].argument), 0);
        assert_int_equal(fake_mode(w->fake, "/f"), S_IFREG | cases[i].mode);
        assert_int_equal(strstr(w->words.data, "is decimal") != NULL, cases[i].warns);
    }
    assert_true(S_ISLNK(fake_mode(w->fake, "/link")));
    assert_int_equal(world_do(w, "chmod", "0600:/absent"), -ENOENT);
    assert_error_has(w, "--chmod");
}

static void chmod_and_chown_refuse_what_is_no_number(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *name, *argument;
    } cases[] = {
        {"chmod", "u+x:/f"},
        {"chmod", ":/f"},
        {"chmod", "010000:/f"},
        {"chmod", "4096:/f"},
        {"chmod", "08:/f"},
        {"chmod", "-1:/f"},
        {"chmod", "0644"},
        {"chmod", "0644:f"},
        {"chmod", " 0644:/f"},
        {"chmod", "+0644:/f"},
        {"chmod", "0x1ff:/f"},
        {"chmod", "99999999999999999999999:/f"},
        {"chown", "root:root:/f"},
        {"chown", "0:0"},
        {"chown", "0:/f"},
        {"chown", "::/f"},
        {"chown", "-1:0:/f"},
        {"chown", "0:-1:/f"},
        {"chown", "0:4294967295:/f"},
        {"chown", "1.5:0:/f"},
        {"chown", "0:0:f"},
        {"chown", "0:0:"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(world_add(w, cases[i].name, cases[i].argument), -EINVAL);
        assert_error_has(w, cases[i].name);
    }
    assert_int_equal(w->plan.count, 0);
}

static void chown_sets_both(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/srv/a:b", 0644, 0, 0, "");
    assert_int_equal(world_do(w, "chown", "1000:4294967294:/srv/a:b"), 0);
    assert_int_equal(world_stat(w, "/srv/a:b").uid, 1000);
    assert_int_equal(world_stat(w, "/srv/a:b").gid, 4294967294U);
    fake_add_link(w->fake, "/link", "/srv");
    assert_int_equal(world_do(w, "chown", "5:6:/link"), 0);
    assert_int_equal(world_stat(w, "/srv").uid, 5);
    assert_int_equal(world_stat(w, "/link").uid, 0);
    assert_int_equal(world_stat(w, "/srv/a:b").uid, 1000);
}

static void link_makes_several_and_replaces(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/old", 0644, 0, 0, "old");
    fake_add_link(w->fake, "/dangling", "nowhere");
    fake_add_dir(w->fake, "/usr/bin");
    fake_add_link(w->fake, "/bin", "usr/bin");
    assert_int_equal(world_do(w, "link", "../x y:/old:/dangling:/usr/bin:/bin/z"), 0);
    world_expect_link(w, "/old", "../x y");
    world_expect_link(w, "/dangling", "../x y");
    world_expect_link(w, "/usr/bin/x y", "../x y");
    world_expect_link(w, "/usr/bin/z", "../x y");
    /* A link to a directory takes the new one in, as with ln(1). */
    assert_int_equal(world_do(w, "link", "/opt/tool:/bin"), 0);
    world_expect_link(w, "/bin", "usr/bin");
    world_expect_link(w, "/usr/bin/tool", "/opt/tool");
    fake_add_dir(w->fake, "/usr/bin/d");
    assert_int_equal(world_do(w, "link", "/opt/d:/bin"), -EISDIR);
    static const char *const malformed[] = {"/a", "/a:", ":/a", "", "/a:b", "/a:/b:", "/a::/b"};
    for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
        assert_int_equal(world_add(w, "link", malformed[i]), -EINVAL);
}

static void touch_makes_files_and_sets_times(void **state)
{
    struct world *w = *state;
    setenv("SOURCE_DATE_EPOCH", "1700000001", 1);
    fake_add_file(w->fake, "/f", 0600, 3, 4, "kept");
    assert_int_equal(world_do(w, "touch", "/f"), 0);
    world_expect(w, "/f", "kept");
    assert_int_equal(world_stat(w, "/f").mtime, 1700000001);
    assert_int_equal(world_stat(w, "/f").atime, 1700000001);
    assert_int_equal(fake_mode(w->fake, "/f"), S_IFREG | 0600);
    assert_int_equal(world_do(w, "touch", "/new"), 0);
    world_expect(w, "/new", "");
    assert_int_equal(fake_mode(w->fake, "/new"), S_IFREG | 0644);
    assert_int_equal(world_stat(w, "/new").mtime, 1700000001);
    unsetenv("SOURCE_DATE_EPOCH");
    fake_add_dir(w->fake, "/d");
    fake_add_link(w->fake, "/link", "f");
    assert_int_equal(world_do(w, "touch", "/d"), -EINVAL);
    assert_int_equal(world_do(w, "touch", "/link"), -EINVAL);
    assert_int_equal(world_do(w, "touch", "/absent/f"), -ENOENT);
}

static void truncate_empties_one_file(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/f", 0600, 3, 4, "gone");
    fake_add_link(w->fake, "/link", "f");
    assert_int_equal(world_do(w, "truncate", "/link"), 0);
    world_expect(w, "/f", "");
    assert_int_equal(fake_mode(w->fake, "/f"), S_IFREG | 0600);
    assert_int_equal(world_do(w, "truncate", "/absent"), -ENOENT);
    fake_add_dir(w->fake, "/d");
    assert_int_equal(world_do(w, "truncate", "/d"), -EISDIR);
}

static void truncate_recursive_empties_all_files_below(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/log/a", 0600, 3, 4, "a");
    fake_add_file(w->fake, "/log/b/c/d", 0644, 0, 0, "d");
    fake_add_file(w->fake, "/etc/keep", 0644, 0, 0, "kept");
    fake_add_link(w->fake, "/log/file", "/etc/keep");
    fake_add_link(w->fake, "/log/dir", "/etc");
    fake_add_special(w->fake, "/log/pipe", S_IFIFO | 0600, 0);
    assert_int_equal(world_do(w, "truncate-recursive", "/log/"), 0);
    world_expect(w, "/log/a", "");
    world_expect(w, "/log/b/c/d", "");
    world_expect(w, "/etc/keep", "kept");
    assert_true(S_ISFIFO(fake_mode(w->fake, "/log/pipe")));
    assert_int_equal(world_do(w, "truncate-recursive", "/etc/keep"), -ENOTDIR);
    assert_int_equal(world_do(w, "truncate-recursive", "/absent"), -ENOENT);
}

static void scrub_overwrites_and_deletes(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/key", 0600, 0, 0, "secret");
    fake_add_file(w->fake, "/other", 0600, 0, 0, "x");
    assert_int_equal(guest_link(&w->fake->guest, "/other", "/name", NULL), 0);
    fake_add_link(w->fake, "/link", "deep/../name");
    fake_add_dir(w->fake, "/deep");
    assert_int_equal(world_do(w, "scrub", "/key"), 0);
    assert_int_equal(fake_mode(w->fake, "/key"), 0);
    assert_null(strstr(w->words.data, "other names"));
    assert_int_equal(world_do(w, "scrub", "/link"), 0);
    assert_true(S_ISLNK(fake_mode(w->fake, "/link")));
    assert_int_equal(fake_mode(w->fake, "/name"), 0);
    assert_int_equal(fake_overwritten(w->fake, "/other"), 1);
    assert_non_null(strstr(w->words.data, "other names"));
    assert_int_equal(world_do(w, "scrub", "/deep"), -EINVAL);
    assert_error_has(w, "not a regular file");
    assert_int_equal(world_do(w, "scrub", "/absent"), -ENOENT);
    fake_add_link(w->fake, "/loop", "loop");
    assert_int_equal(world_do(w, "scrub", "/loop"), -ELOOP);
}

static void scrub_keeps_the_file_when_overwriting_fails(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/key", 0600, 0, 0, "secret");
    w->fake->fault = "overwrite";
    w->fake->fault_errno = EIO;
    assert_int_equal(world_do(w, "scrub", "/key"), -EIO);
    assert_error_has(w, "--scrub");
    world_expect(w, "/key", "secret");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(chmod_reads_octal_and_decimal),
        T(chmod_and_chown_refuse_what_is_no_number),
        T(chown_sets_both),
        T(link_makes_several_and_replaces),
        T(touch_makes_files_and_sets_times),
        T(truncate_empties_one_file),
        T(truncate_recursive_empties_all_files_below),
        T(scrub_overwrites_and_deletes),
        T(scrub_keeps_the_file_when_overwriting_fails),
    };
    return cmocka_run_group_tests_name("customize/change", tests, NULL, NULL);
}
