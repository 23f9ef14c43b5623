/* Copies within a guest, and edits that are staged. */
#include "tests/unit/guest/fixture.h"

#include <sys/mman.h>
#include <sys/sysmacros.h>

static int set_up(void **state)
{
    fixture_set_up_files(state);
    fixture_mkfs(*state, "ext4", "64M", NULL);
    return 0;
}

static int join_attribute(void *context, const char *name, const void *value, size_t size)
{
    str_appendf(context, "%s=%.*s;", name, (int)size, (const char *)value);
    return 0;
}

static char *attributes_of(struct guest *guest, const char *path)
{
    struct str text = {0};
    assert_ok(guest_list_xattrs(guest, path, join_attribute, &text, err));
    return str_take(&text, NULL);
}

static void expect_same(struct guest *guest, const char *a, const char *b)
{
    struct guest_stat x = fixture_stat(guest, a), y = fixture_stat(guest, b);
    assert_int_equal(x.mode, y.mode);
    assert_int_equal(x.uid, y.uid);
    assert_int_equal(x.gid, y.gid);
    assert_int_equal(x.atime, y.atime);
    assert_int_equal(x.mtime, y.mtime);
    assert_int_equal(x.device, y.device);
    if (!S_ISDIR(x.mode))
        assert_int_equal(x.size, y.size);
    _cleanup_free_ char *left = attributes_of(guest, a), *right = attributes_of(guest, b);
    assert_string_equal(left, right);
}

/* Owners, modes, times and labels that a copy could lose. */
static void decorate(struct guest *guest, const char *path)
{
    const struct guest_times times = {.atime = 1000000, .mtime = 2000000};
    assert_ok(guest_lchown(guest, path, 1234, 70000, err));
    assert_ok(guest_set_xattr(guest, path, "security.selinux", "label", 6, err));
    assert_ok(guest_set_times(guest, path, &times, err));
}

static void a_copy_is_the_same(void **state)
{
    struct fixture *fx = *state;
    struct guest *guest = fixture_open(fx, true);
    assert_ok(guest_mknod(guest, "/etc/null", S_IFCHR | 0666, makedev(1, 3), err));
    assert_ok(guest_mknod(guest, "/etc/pipe", S_IFIFO | 0600, 0, err));
    static const char *const paths[] = {"/etc/file", "/etc/link", "/etc/null", "/etc/pipe"};
    assert_ok(guest_chmod(guest, "/etc/file", 04751, err));
    assert_ok(guest_set_xattr(guest, "/etc/file", "user.note", "kept", 4, err));
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        _cleanup_free_ char *to = str_printf(NULL, "/usr/copy%zu", i);
        decorate(guest, paths[i]);
        if (i == 0)
            assert_ok(guest_chmod(guest, paths[0], 04751, err));
        assert_ok(guest_copy(guest, paths[i], to, err));
        expect_same(guest, paths[i], to);
    }
    fixture_expect(guest, "/usr/copy0", "contents\n");
    _cleanup_free_ char *target = NULL;
    assert_ok(guest_readlink(guest, "/usr/copy1", &target, err));
    assert_string_equal(target, "file");
    fixture_finish(fx, guest);
}

static void what_is_there_is_replaced_or_kept(void **state)
{
    struct fixture *fx = *state;
    struct guest *guest = fixture_open(fx, true);
    fixture_write(guest, "/etc/old", "something much longer than the other");
    assert_ok(guest_set_xattr(guest, "/etc/old", "user.old", "goes", 4, err));
    assert_ok(guest_link(guest, "/etc/old", "/etc/old2", err));
    decorate(guest, "/etc/file");
    assert_ok(guest_copy(guest, "/etc/file", "/etc/old", err));
    expect_same(guest, "/etc/file", "/etc/old");
    /* Another name of the file stays what it was. */
    fixture_expect(guest, "/etc/old2", "something much longer than the other");
    fixture_write(guest, "/etc/third", "x");
    assert_ok(guest_copy(guest, "/etc/link", "/etc/third", err));
    assert_true(S_ISLNK(fixture_stat(guest, "/etc/third").mode));
    assert_fails(EINVAL, guest_copy(guest, "/etc/file", "/etc/link", err));
    fixture_write(guest, "/etc/far", "x");
    assert_ok(guest_symlink(guest, "far", "/etc/to-far", err));
    assert_ok(guest_copy(guest, "/etc/file", "/etc/to-far", err));
    assert_true(S_ISLNK(fixture_stat(guest, "/etc/to-far").mode));
    expect_same(guest, "/etc/file", "/etc/far");
    assert_ok(guest_copy(guest, "/etc/link", "/etc/to-far", err));
    fixture_expect(guest, "/etc/to-far", "contents\n");
    assert_ok(guest_symlink(guest, "nowhere", "/etc/dangling", err));
    assert_fails(EEXIST, guest_copy(guest, "/etc/file", "/etc/dangling", err));
    assert_fails(EEXIST, guest_copy(guest, "/etc/file", "/usr", err));
    assert_fails(EINVAL, guest_copy(guest, "/etc/file", "/etc/../etc/file", err));
    assert_fails(EISDIR, guest_copy(guest, "/usr", "/usr2", err));
    assert_fails(ENOENT, guest_copy(guest, "/etc/none", "/etc/x", err));
    assert_fails(ENOENT, guest_copy(guest, "/etc/file", "/none/x", err));
    fixture_finish(fx, guest);
}

static void make_small_tree(struct guest *guest)
{
    assert_ok(guest_mkdir_p(guest, "/srv/tree/sub/deep", 0750, err));
    fixture_write(guest, "/srv/tree/a", "one");
    fixture_write(guest, "/srv/tree/sub/b", "two");
    assert_ok(guest_link(guest, "/srv/tree/a", "/srv/tree/sub/deep/also-a", err));
    assert_ok(guest_link(guest, "/srv/tree/sub/b", "/srv/outside", err));
    assert_ok(guest_symlink(guest, "../a", "/srv/tree/sub/link", err));
    assert_ok(guest_symlink(guest, "/srv/tree", "/srv/way-in", err));
    static const char *const paths[] = {"/srv/tree/sub/link", "/srv/tree/sub/deep", "/srv/tree/sub",
                                        "/srv/tree", "/srv/tree/a"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        decorate(guest, paths[i]);
}

static void trees_are_copied_as_cp_does(void **state)
{
    static const char *const paths[] = {"", "/a", "/sub", "/sub/b", "/sub/deep", "/sub/link"};
    struct fixture *fx = *state;
    struct guest *guest = fixture_open(fx, true);
    make_small_tree(guest);
    assert_ok(guest_copy_tree(guest, "/srv/tree/", "/srv/copy/", err));
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        _cleanup_free_ char *from = str_printf(NULL, "/srv/tree%s", paths[i]);
        _cleanup_free_ char *to = str_printf(NULL, "/srv/copy%s", paths[i]);
        expect_same(guest, from, to);
    }
    struct guest_stat a = fixture_stat(guest, "/srv/copy/a");
    assert_int_equal(a.inode, fixture_stat(guest, "/srv/copy/sub/deep/also-a").inode);
    assert_int_not_equal(a.inode, fixture_stat(guest, "/srv/tree/a").inode);
    assert_int_equal(a.links, 2);
    /* Its other name is not in the tree. */
    assert_int_equal(fixture_stat(guest, "/srv/copy/sub/b").links, 1);
    /* Once more, onto what is there. */
    assert_ok(guest_copy_tree(guest, "/srv/tree", "/srv/copy2", err));
    assert_ok(guest_unlink(guest, "/srv/copy2/sub/link", err));
    fixture_write(guest, "/srv/copy2/kept", "kept");
    assert_ok(guest_copy_tree(guest, "/srv/tree", "/srv/copy2", err));
    fixture_expect(guest, "/srv/copy2/kept", "kept");
    assert_int_equal(fixture_stat(guest, "/srv/copy2/a").links, 2);
    expect_same(guest, "/srv/tree", "/srv/copy2");
    fixture_finish(fx, guest);
}

static void no_tree_is_copied_into_itself(void **state)
{
    struct fixture *fx = *state;
    struct guest *guest = fixture_open(fx, true);
    make_small_tree(guest);
    static const char *const targets[] = {"/srv/tree",        "/srv/tree/new",
                                          "/srv/tree/sub/x",  "/srv/way-in/x",
                                          "/srv/way-in/sub/", "/srv/tree/../tree/sub/../x"};
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
        assert_fails(EINVAL, guest_copy_tree(guest, "/srv/tree", targets[i], err));
    assert_fails(EINVAL, guest_copy_tree(guest, "/", "/srv/all", err));
    assert_fails(ENOENT, guest_copy_tree(guest, "/srv/none", "/srv/x", err));
    assert_fails(ENOENT, guest_copy_tree(guest, "/srv/tree", "/none/x", err));
    assert_fails(ENOTDIR, guest_copy_tree(guest, "/srv/tree", "/etc/file", err));
    assert_ok(
        guest_copy_tree(guest, "/srv/tree", "/srv/tree2", err)); /* a longer name is another */
    assert_ok(guest_copy_tree(guest, "/etc/file", "/srv/one", err));
    fixture_finish(fx, guest);
}

/* Staged edits. */

static void open_staged(const struct fixture *fx, enum guest_staging staging, struct guest **ret)
{
    struct guest_open_options options = {.resources.engine = GUEST_ENGINE_NATIVE,
                                         .writable = true,
                                         .lock = true,
                                         .staging = staging};
    assert_ok(guest_open(fx->image, &options, ret, err));
}

static char *whole_image(const struct fixture *fx)
{
    char *data;
    size_t size;
    assert_ok(file_read(fx->image, 128 << 20, &data, &size, err));
    return data;
}

static void edit(struct guest *guest)
{
    fixture_write(guest, "/etc/new", "new");
    assert_ok(guest_remove(guest, "/etc/file", err));
    fixture_expect(guest, "/etc/new", "new");
}

static void staged_edits_reach_the_image_at_the_end(void **state)
{
    struct fixture *fx = *state;
    struct guest *guest;
    _cleanup_free_ char *before = whole_image(fx), *during = NULL;
    open_staged(fx, GUEST_STAGED, &guest);
    edit(guest);
    assert_ok(guest_sync(guest, err));
    during = whole_image(fx);
    assert_memory_equal(before, during, 64 << 20);
    fixture_finish(fx, guest);
    guest = fixture_open(fx, false);
    fixture_expect(guest, "/etc/new", "new");
    assert_false(guest_exists(guest, "/etc/file"));
    fixture_close(guest);
}

static void given_up_edits_leave_the_image_alone(void **state)
{
    struct fixture *fx = *state;
    struct guest *guest;
    _cleanup_free_ char *before = whole_image(fx), *after = NULL;
    open_staged(fx, GUEST_STAGED, &guest);
    edit(guest);
    assert_ok(guest_sync(guest, err));
    guest_discard(guest);
    after = whole_image(fx);
    assert_memory_equal(before, after, 64 << 20);
}

static void thrown_away_edits_need_no_more_than_reading(void **state)
{
    struct fixture *fx = *state;
    struct guest *guest, *other;
    _cleanup_free_ char *before = whole_image(fx), *after = NULL;
    assert_int_equal(chmod(fx->image, 0400), 0);
    open_staged(fx, GUEST_THROW_AWAY, &guest);
    open_staged(fx, GUEST_THROW_AWAY, &other); /* readers get along */
    edit(guest);
    edit(other);
    fixture_close(guest);
    fixture_close(other);
    after = whole_image(fx);
    assert_memory_equal(before, after, 64 << 20);
}

static void staging_keeps_the_locks(void **state)
{
    struct fixture *fx = *state;
    struct guest *guest, *other;
    struct guest_open_options options = {.resources.engine = GUEST_ENGINE_NATIVE,
                                         .writable = true,
                                         .lock = true,
                                         .staging = GUEST_STAGED};
    open_staged(fx, GUEST_STAGED, &guest);
    assert_fails(EBUSY, guest_open(fx->image, &options, &other, err));
    options.staging = GUEST_THROW_AWAY;
    assert_fails(EBUSY, guest_open(fx->image, &options, &other, err));
    guest_discard(guest);
    open_staged(fx, GUEST_THROW_AWAY, &guest);
    options.staging = GUEST_IN_PLACE;
    assert_fails(EBUSY, guest_open(fx->image, &options, &other, err));
    guest_discard(guest);
    options.writable = false;
    options.staging = GUEST_STAGED;
    assert_fails(EINVAL, guest_open(fx->image, &options, &other, err));
}

static void staged_free_space_becomes_holes(void **state)
{
    struct fixture *fx = *state;
    struct guest *guest = fixture_open(fx, true);
    struct guest_file_attr attr = {.mode = 0600};
    struct stat before, after;
    size_t size = 8 << 20;
    _cleanup_free_ char *data = malloc(size);
    memset(data, 'x', size);
    assert_ok(guest_write(guest, "/etc/large", data, size, &attr, err));
    fixture_close(guest);
    assert_int_equal(stat(fx->image, &before), 0);
    open_staged(fx, GUEST_STAGED, &guest);
    uint64_t freed;
    assert_ok(guest_unlink(guest, "/etc/large", err));
    assert_ok(guest_trim(guest, &freed, err));
    assert_true(freed >= size);
    fixture_finish(fx, guest);
    assert_int_equal(stat(fx->image, &after), 0);
    assert_true(after.st_blocks + 2 * 1024 * 7 < before.st_blocks);
}

/* Engines. */

static void reasons_are_true(void **state)
{
    static const struct {
        unsigned capabilities;
        const char *part;
    } cases[] = {
        {GUEST_CAN_RUN, "programs of the guest must run"},
        {GUEST_CAN_NETWORK, "reach the network"},
    };
    struct fixture *fx = *state;
    struct guest *guest;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct guest_open_options options = {.resources.engine = GUEST_ENGINE_NATIVE,
                                             .writable = true,
                                             .capabilities = cases[i].capabilities};
        _cleanup_error_ struct error *error = NULL;
        assert_int_equal(guest_open(fx->image, &options, &guest, &error), -EOPNOTSUPP);
        assert_non_null(strstr(error_message(error), cases[i].part));
        assert_non_null(error_remedy(error));
    }
    struct guest_drive drive = {.path = fx->image};
    struct guest_open_options options = {
        .resources.engine = GUEST_ENGINE_NATIVE, .drives = &drive, .drive_count = 1};
    assert_fails(EOPNOTSUPP, guest_open(fx->image, &options, &guest, err));
    options = (struct guest_open_options){.resources.engine = GUEST_ENGINE_NATIVE,
                                          .mount_options = "/:noatime"};
    assert_fails(EOPNOTSUPP, guest_open(fx->image, &options, &guest, err));
    options = (struct guest_open_options){.writable = true, .capabilities = GUEST_CAN_RENEW};
    assert_ok(guest_open(fx->image, &options, &guest, err));
    assert_string_equal(guest_engine_used(guest), "native");
    struct guest_run_result result;
    assert_fails(EOPNOTSUPP, guest_run(guest, "true", &result, err));
    fixture_close(guest);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_copy_is_the_same),
        TEST(what_is_there_is_replaced_or_kept),
        TEST(trees_are_copied_as_cp_does),
        TEST(no_tree_is_copied_into_itself),
        TEST(staged_edits_reach_the_image_at_the_end),
        TEST(given_up_edits_leave_the_image_alone),
        TEST(thrown_away_edits_need_no_more_than_reading),
        TEST(staging_keeps_the_locks),
        TEST(staged_free_space_becomes_holes),
        TEST(reasons_are_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
