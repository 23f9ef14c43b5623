/* --copy and --move */

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

static void add_source(struct world *w)
{
    fake_add_file(w->fake, "/a/f", 0640, 3, 4, "f");
    fake_add_xattr(w->fake, "/a/f", "user.note", "n");
    fake_add_file(w->fake, "/a/sub/g", 0600, 0, 0, "g");
    fake_add_link(w->fake, "/a/link", "f");
    fake_set_times(w->fake, "/a/f", 10, 20);
    fake_set_times(w->fake, "/a/sub", 30, 40);
}

static void copies_keep_everything(void **state)
{
    struct world *w = *state;
    add_source(w);
    assert_int_equal(world_do(w, "copy", "/a:/b"), 0);
    struct guest_stat st = world_stat(w, "/b/f");
    assert_int_equal(st.mode, S_IFREG | 0640);
    assert_int_equal(st.uid, 3);
    assert_int_equal(st.gid, 4);
    assert_int_equal(st.mtime, 20);
    assert_string_equal(fake_xattr(w->fake, "/b/f", "user.note"), "n");
    assert_int_equal(world_stat(w, "/b/sub").mtime, 40);
    world_expect(w, "/b/sub/g", "g");
    world_expect_link(w, "/b/link", "f");
    world_expect(w, "/a/f", "f");
}

static void directories_take_the_copy_in(void **state)
{
    struct world *w = *state;
    add_source(w);
    fake_add_dir(w->fake, "/d");
    fake_add_link(w->fake, "/to-d", "d");
    assert_int_equal(world_do(w, "copy", "/a/f:/to-d"), 0);
    world_expect(w, "/d/f", "f");
    assert_int_equal(world_do(w, "copy", "/a/:/d/"), 0);
    world_expect(w, "/d/a/f", "f");
    /* Again: into what is there. */
    fake_add_file(w->fake, "/d/a/other", 0644, 0, 0, "other");
    fake_add_file(w->fake, "/a/f", 0640, 3, 4, "f2");
    assert_int_equal(world_do(w, "copy", "/a:/d"), 0);
    world_expect(w, "/d/a/f", "f2");
    world_expect(w, "/d/a/other", "other");
    /* "." is the contents of a directory. */
    fake_add_dir(w->fake, "/e");
    assert_int_equal(world_do(w, "copy", "/a/.:/e"), 0);
    world_expect(w, "/e/sub/g", "g");
}

static void links_are_copied_as_links_and_written_through(void **state)
{
    struct world *w = *state;
    add_source(w);
    fake_add_file(w->fake, "/x", 0600, 0, 0, "x");
    fake_add_link(w->fake, "/to-x", "x");
    assert_int_equal(world_do(w, "copy", "/a/f:/to-x"), 0);
    world_expect_link(w, "/to-x", "x");
    world_expect(w, "/x", "f");
    assert_int_equal(world_do(w, "copy", "/a/link:/to-x"), 0);
    world_expect_link(w, "/to-x", "f");
    fake_add_link(w->fake, "/to-a", "a");
    assert_int_equal(world_do(w, "copy", "/to-a:/copy-of-link"), 0);
    world_expect_link(w, "/copy-of-link", "a");
    assert_int_equal(world_do(w, "copy", "/to-a/:/copy"), 0);
    world_expect(w, "/copy/f", "f");
}

static void what_cannot_be_copied_is_told(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *name, *argument;
        int code;
    } cases[] = {
        {"copy", "/absent:/b", -ENOENT},     {"copy", "/a:/a", -EINVAL},
        {"copy", "/a/f:/a/f", -EINVAL},      {"copy", "/a/f:/a", -EINVAL},
        {"copy", "/a:/a/sub/new", -EINVAL},  {"copy", "/a:/loop-a/x", -EINVAL},
        {"copy", "/a/f:/new/", -ENOTDIR},    {"copy", "/a/sub:/a/f", -ENOTDIR},
        {"copy", "/a/f:/absent/x", -ENOENT}, {"move", "/absent:/b", -ENOENT},
        {"move", "/a/f:/a", -EINVAL},        {"move", "/a:/a/sub/new", -EINVAL},
        {"move", "/a/sub:/a/f", -ENOTDIR},   {"move", "/a/f:/new/", -ENOTDIR},
    };
    add_source(w);
    fake_add_link(w->fake, "/loop-a", "a");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(world_do(w, cases[i].name, cases[i].argument), cases[i].code);
        assert_error_has(w, cases[i].name);
        world_expect(w, "/a/f", "f");
        world_expect(w, "/a/sub/g", "g");
    }
    static const char *const malformed[] = {"/a", ":/a", "/a:", "a:/b", "/a:b"};
    for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
        assert_int_equal(world_add(w, "copy", malformed[i]), -EINVAL);
        assert_int_equal(world_add(w, "move", malformed[i]), -EINVAL);
    }
}

static void moving_renames_and_replaces(void **state)
{
    struct world *w = *state;
    add_source(w);
    uint64_t inode = world_stat(w, "/a/f").inode;
    fake_add_file(w->fake, "/old", 0644, 0, 0, "old");
    assert_int_equal(world_do(w, "move", "/a/f:/old"), 0);
    assert_int_equal(world_stat(w, "/old").inode, inode);
    assert_int_equal(fake_mode(w->fake, "/a/f"), 0);
    fake_add_dir(w->fake, "/d");
    assert_int_equal(world_do(w, "move", "/a/:/d"), 0);
    world_expect(w, "/d/a/sub/g", "g");
    assert_int_equal(fake_mode(w->fake, "/a"), 0);
    assert_int_equal(world_do(w, "move", "/d/a/link:/link"), 0);
    world_expect_link(w, "/link", "f");
}

static void moving_across_file_systems_copies_and_deletes(void **state)
{
    struct world *w = *state;
    add_source(w);
    w->fake->fault = "rename";
    w->fake->fault_errno = EXDEV;
    assert_int_equal(world_do(w, "move", "/a:/b"), 0);
    world_expect(w, "/b/sub/g", "g");
    assert_int_equal(world_stat(w, "/b/f").mtime, 20);
    assert_int_equal(fake_mode(w->fake, "/a"), 0);
    assert_int_equal(world_do(w, "move", "/b/f:/c"), 0);
    world_expect(w, "/c", "f");
    assert_int_equal(fake_mode(w->fake, "/b/f"), 0);
    w->fake->fault_errno = EIO;
    assert_int_equal(world_do(w, "move", "/c:/d"), -EIO);
    world_expect(w, "/c", "f");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(copies_keep_everything),
        T(directories_take_the_copy_in),
        T(links_are_copied_as_links_and_written_through),
        T(what_cannot_be_copied_is_told),
        T(moving_renames_and_replaces),
        T(moving_across_file_systems_copies_and_deletes),
    };
    return cmocka_run_group_tests_name("customize/copy", tests, NULL, NULL);
}
