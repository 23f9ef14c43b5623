/* The native engine: attributes, special files and names, held against what debugfs and e2fsck
 * say about the image. */
#include "tests/unit/guest/fixture.h"

#include <sys/sysmacros.h>

static void owners_of_links_are_their_own(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    assert_ok(guest_lchown(guest, "/etc/link", 70000, 8, err));
    assert_int_equal(fixture_stat(guest, "/etc/link").uid, 70000);
    assert_int_not_equal(fixture_stat(guest, "/etc/file").uid, 70000);
    assert_fails(ENOENT, guest_lchown(guest, "/etc/none", 1, 1, err));
    fixture_finish(fx, guest);
}

static void times_reach_beyond_2038(void **state)
{
    static const int64_t seconds[] = {
        0, -1, 1600000000, INT32_MAX, INT64_C(4294967296 + 5), INT32_MIN, INT64_C(15032385535)};
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
        struct guest_times times = {.atime = seconds[i],
                                    .mtime = seconds[ARRAY_SIZE(seconds) - 1 - i]};
        assert_ok(guest_set_times(guest, "/etc/file", &times, err));
        assert_int_equal(fixture_stat(guest, "/etc/file").atime, times.atime);
        assert_int_equal(fixture_stat(guest, "/etc/file").mtime, times.mtime);
    }
    struct guest_times times = {.atime = 86400, .mtime = INT64_MAX};
    assert_ok(guest_set_times(guest, "/etc/link", &times, err));
    assert_int_equal(fixture_stat(guest, "/etc/link").mtime, INT64_C(15032385535));
    assert_int_not_equal(fixture_stat(guest, "/etc/file").mtime, INT64_C(15032385535));
    fixture_finish(fx, guest);
    assert_debugfs(fx, "stat /etc/link", "Jan  2");
}

static void small_inodes_keep_what_times_they_can(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext2", "16M", OPTIONS("-I", "128"));
    struct guest *guest = fixture_open(fx, true);
    struct guest_times times = {.atime = INT64_C(1) << 33, .mtime = -(INT64_C(1) << 33)};
    assert_ok(guest_set_times(guest, "/etc/file", &times, err));
    assert_int_equal(fixture_stat(guest, "/etc/file").atime, INT32_MAX);
    assert_int_equal(fixture_stat(guest, "/etc/file").mtime, INT32_MIN);
    fixture_finish(fx, guest);
}

/* Extended attributes. */

static int join_attribute(void *context, const char *name, const void *value, size_t size)
{
    struct str *text = context;
    str_appendf(text, "%s=", name);
    for (size_t i = 0; i < size; i++) {
        char c = ((const char *)value)[i];
        str_append_n(text, c ? &c : "0", 1);
    }
    str_append(text, ";");
    return 0;
}

static void expect_attributes(struct guest *guest, const char *path, const char *expected)
{
    _cleanup_str_ struct str text = {0};
    assert_ok(guest_list_xattrs(guest, path, join_attribute, &text, err));
    assert_string_equal(text.data ? text.data : "", expected);
}

static void set(struct guest *guest, const char *path, const char *name, const char *value)
{
    assert_ok(guest_set_xattr(guest, path, name, value, value ? strlen(value) : 0, err));
}

static void attributes_are_set_replaced_and_removed(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    expect_attributes(guest, "/etc/file", "");
    set(guest, "/etc/file", "user.note", "first");
    set(guest, "/etc/file", "user.note", "second one");
    assert_ok(guest_set_xattr(guest, "/etc/file", "security.selinux", "system_u:object_r:etc_t:s0",
                              27, err));
    set(guest, "/etc/file", "user.empty", "");
    expect_attributes(guest, "/etc/file",
                      "user.note=second one;security.selinux=system_u:object_r:etc_t:s00;"
                      "user.empty=;");
    set(guest, "/etc/file", "user.note", NULL);
    set(guest, "/etc/file", "user.absent", NULL);
    set(guest, "/etc/link", "trusted.absent", NULL);
    fixture_finish(fx, guest);
    assert_debugfs(fx, "ea_list /etc/file", "security.selinux (27)");
}

static void links_directories_and_special_files_are_labelled(void **state)
{
    static const char *const paths[] = {"/etc/link", "/etc/long", "/etc/pipe", "/etc", "/"};
    struct fixture *fx = *state;
    char target[200];
    memset(target, 't', sizeof(target));
    target[199] = '\0';
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    assert_ok(guest_symlink(guest, target, "/etc/long", err));
    assert_ok(guest_mknod(guest, "/etc/pipe", S_IFIFO | 0600, 0, err));
    char label[300];
    memset(label, 'l', sizeof(label)); /* does not fit the inode */
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        assert_ok(guest_set_xattr(guest, paths[i], "security.selinux", "small", 6, err));
        assert_ok(guest_set_xattr(guest, paths[i], "trusted.large", label, sizeof(label), err));
    }
    _cleanup_free_ char *read = NULL;
    assert_ok(guest_readlink(guest, "/etc/link", &read, err));
    assert_string_equal(read, "file");
    fixture_finish(fx, guest);
    guest = fixture_open(fx, true);
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        set(guest, paths[i], "trusted.large", NULL);
        expect_attributes(guest, paths[i], "security.selinux=small0;");
    }
    _cleanup_free_ char *again = NULL;
    assert_ok(guest_readlink(guest, "/etc/long", &again, err));
    assert_string_equal(again, target);
    assert_ok(guest_unlink(guest, "/etc/long", err));
    fixture_finish(fx, guest);
}

static void what_the_kernel_refuses_is_refused(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    _cleanup_free_ char *large = calloc(1, 70000);
    assert_fails(EPERM, guest_set_xattr(guest, "/etc/link", "user.x", "x", 1, err));
    assert_fails(EOPNOTSUPP, guest_set_xattr(guest, "/etc/file", "system.data", "x", 1, err));
    assert_fails(EOPNOTSUPP, guest_set_xattr(guest, "/etc/file", "other.x", "x", 1, err));
    assert_fails(EINVAL, guest_set_xattr(guest, "/etc/file", "user.", "x", 1, err));
    assert_fails(EINVAL, guest_set_xattr(guest, "/etc/file", "nothing", "x", 1, err));
    assert_fails(ENOSPC, guest_set_xattr(guest, "/etc/file", "user.x", large, 5000, err));
    assert_fails(E2BIG, guest_set_xattr(guest, "/etc/file", "user.x", large, 70000, err));
    assert_fails(ENOENT, guest_set_xattr(guest, "/etc/none", "user.x", "x", 1, err));
    expect_attributes(guest, "/etc/file", "");
    fixture_finish(fx, guest);
}

/* Each inode has a block of its own for what does not fit into it; blocks of equal contents that
 * the kernel shared are taken apart. */
static void blocks_of_attributes_come_and_go(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext3", "16M", OPTIONS("-I", "128", "-b", "1024"));
    struct guest *guest = fixture_open(fx, true);
    struct guest_root before, after;
    assert_ok(guest_root(guest, &before, err));
    char name[64], value[64];
    for (unsigned i = 0; i < 12; i++) {
        snprintf(name, sizeof(name), "user.name%u", i * 7 % 12);
        snprintf(value, sizeof(value), "value %u of some length", i);
        set(guest, "/etc/file", name, value);
    }
    assert_ok(guest_sync(guest, err));
    fixture_check_clean(fx->image);
    assert_debugfs(fx, "ea_list /etc/file", "user.name11");
    for (unsigned i = 0; i < 12; i++) {
        snprintf(name, sizeof(name), "user.name%u", i);
        set(guest, "/etc/file", name, NULL);
    }
    fixture_finish(fx, guest);
    assert_debugfs(fx, "stat /etc/file", "File ACL: 0");
    guest = fixture_open(fx, false);
    assert_ok(guest_root(guest, &after, err));
    assert_int_equal(after.free, before.free);
    guest_root_free(&before);
    guest_root_free(&after);
    fixture_close(guest);
}

static void entries_of_a_block_are_in_the_kernels_order(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext2", "16M", OPTIONS("-I", "128"));
    struct guest *guest = fixture_open(fx, true);
    /* By namespace, then length, then bytes (fs/ext4/xattr.c looks them up so). */
    set(guest, "/etc/file", "trusted.a", "1");
    set(guest, "/etc/file", "user.bb", "2");
    set(guest, "/etc/file", "user.z", "3");
    set(guest, "/etc/file", "security.q", "4");
    set(guest, "/etc/file", "user.ba", "5");
    expect_attributes(guest, "/etc/file", "user.z=3;user.ba=5;user.bb=2;trusted.a=1;security.q=4;");
    fixture_finish(fx, guest);
}

/* A list of getxattr(2)'s form. */
struct acl {
    uint8_t bytes[64];
    size_t size;
};

static void acl_add(struct acl *acl, unsigned tag, unsigned permissions, uint32_t id)
{
    uint8_t *out = acl->bytes + acl->size;
    if (acl->size == 0) {
        memcpy(out, "\2\0\0\0", 4);
        out += 4;
        acl->size += 4;
    }
    const uint8_t entry[] = {(uint8_t)tag,         0,
                             (uint8_t)permissions, 0,
                             (uint8_t)id,          (uint8_t)(id >> 8),
                             (uint8_t)(id >> 16),  (uint8_t)(id >> 24)};
    memcpy(out, entry, 8);
    acl->size += 8;
}

static void lists_and_modes_agree(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    const char *access = "system.posix_acl_access", *preset = "system.posix_acl_default";
    struct acl acl = {0}, plain = {0}, bad = {0}, none = {.bytes = {2}, .size = 4};
    acl_add(&acl, 1, 7, UINT32_MAX);
    acl_add(&acl, 2, 6, 1000);
    acl_add(&acl, 4, 4, UINT32_MAX);
    acl_add(&acl, 16, 6, UINT32_MAX);
    acl_add(&acl, 32, 1, UINT32_MAX);
    acl_add(&plain, 1, 6, UINT32_MAX);
    acl_add(&plain, 4, 4, UINT32_MAX);
    acl_add(&plain, 32, 0, UINT32_MAX);
    acl_add(&bad, 1, 6, UINT32_MAX);
    acl_add(&bad, 2, 6, 1000);
    acl_add(&bad, 4, 4, UINT32_MAX);
    acl_add(&bad, 32, 0, UINT32_MAX); /* the mask is missing */
    assert_ok(guest_set_xattr(guest, "/etc/file", access, acl.bytes, acl.size, err));
    assert_int_equal(fixture_stat(guest, "/etc/file").mode, S_IFREG | 0761);
    assert_ok(guest_set_xattr(guest, "/etc", preset, acl.bytes, acl.size, err));
    assert_fails(EACCES, guest_set_xattr(guest, "/etc/file", preset, acl.bytes, acl.size, err));
    assert_fails(EOPNOTSUPP, guest_set_xattr(guest, "/etc/link", access, acl.bytes, acl.size, err));
    assert_fails(EINVAL, guest_set_xattr(guest, "/etc/file", access, bad.bytes, bad.size, err));
    assert_fails(EINVAL, guest_set_xattr(guest, "/etc/file", access, acl.bytes, 11, err));
    assert_fails(EINVAL, guest_set_xattr(guest, "/etc/file", access, "", 0, err));
    _cleanup_str_ struct str text = {0};
    assert_ok(guest_list_xattrs(guest, "/etc/file", join_attribute, &text, err));
    assert_true(str_starts(text.data, "system.posix_acl_access="));
    /* What the mode can say is not kept beside it. */
    assert_ok(guest_set_xattr(guest, "/etc/file", access, plain.bytes, plain.size, err));
    assert_int_equal(fixture_stat(guest, "/etc/file").mode, S_IFREG | 0640);
    expect_attributes(guest, "/etc/file", "");
    assert_ok(guest_set_xattr(guest, "/etc", preset, none.bytes, none.size, err));
    expect_attributes(guest, "/etc", "");
    fixture_finish(fx, guest);
}

static void a_file_system_without_attributes_gets_them(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext2", "16M", OPTIONS("-O", "^ext_attr"));
    struct guest *guest = fixture_open(fx, true);
    expect_attributes(guest, "/etc/file", "");
    set(guest, "/etc/file", "user.x", NULL);
    fixture_finish(fx, guest);
    assert_debugfs(fx, "features", "features: re"); /* resize_inode is still the first */
    guest = fixture_open(fx, true);
    set(guest, "/etc/file", "user.x", "x");
    fixture_finish(fx, guest);
    assert_debugfs(fx, "features", "ext_attr");
}

/* Special files and names. */

static void special_files_are_made(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    assert_ok(guest_mknod(guest, "/etc/null", S_IFCHR | 0666, makedev(1, 3), err));
    assert_ok(guest_mknod(guest, "/etc/disk", S_IFBLK | 0660, makedev(259, 70000), err));
    assert_ok(guest_mknod(guest, "/etc/pipe", S_IFIFO | 04600, 0, err));
    assert_ok(guest_mknod(guest, "/etc/sock", S_IFSOCK | 0755, 0, err));
    assert_int_equal(fixture_stat(guest, "/etc/null").device, makedev(1, 3));
    assert_int_equal(fixture_stat(guest, "/etc/disk").device, makedev(259, 70000));
    assert_int_equal(fixture_stat(guest, "/etc/disk").mode, S_IFBLK | 0660);
    assert_int_equal(fixture_stat(guest, "/etc/pipe").device, 0);
    assert_int_equal(fixture_stat(guest, "/etc/pipe").mode, S_IFIFO | 04600);
    assert_fails(EEXIST, guest_mknod(guest, "/etc/file", S_IFIFO, 0, err));
    assert_fails(EEXIST, guest_mknod(guest, "/etc/link", S_IFIFO, 0, err));
    assert_fails(ENOENT, guest_mknod(guest, "/etc/pipe2/", S_IFIFO, 0, err));
    assert_fails(EINVAL, guest_mknod(guest, "/etc/x", S_IFREG | 0644, 0, err));
    assert_fails(EINVAL, guest_mknod(guest, "/etc/x", S_IFCHR, makedev(5000, 1), err));
    assert_ok(guest_unlink(guest, "/etc/sock", err));
    fixture_finish(fx, guest);
    assert_debugfs(fx, "stat /etc/null", "Device major/minor number: 01:03");
    assert_debugfs(fx, "stat /etc/disk", "Device major/minor number: 259:70000");
    assert_debugfs(fx, "stat /etc/pipe", "Type: FIFO");
}

static void files_get_more_names(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    assert_int_equal(fixture_stat(guest, "/etc/file").links, 1);
    assert_ok(guest_link(guest, "/etc/file", "/usr/other", err));
    assert_ok(guest_link(guest, "/etc/link", "/usr/link", err)); /* not followed */
    assert_int_equal(fixture_stat(guest, "/usr/other").inode,
                     fixture_stat(guest, "/etc/file").inode);
    assert_int_equal(fixture_stat(guest, "/usr/other").links, 2);
    assert_true(S_ISLNK(fixture_stat(guest, "/usr/link").mode));
    assert_fails(EPERM, guest_link(guest, "/usr", "/etc/usr", err));
    assert_fails(EEXIST, guest_link(guest, "/etc/file", "/etc/link", err));
    assert_fails(ENOENT, guest_link(guest, "/etc/none", "/etc/x", err));
    assert_ok(guest_unlink(guest, "/etc/file", err));
    fixture_expect(guest, "/usr/other", "contents\n");
    assert_int_equal(fixture_stat(guest, "/usr/other").links, 1);
    fixture_finish(fx, guest);
}

static void names_are_bytes(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    char name[5 + 255 + 1] = "/etc/";
    memset(name + 5, '\xff', 255);
    assert_ok(guest_link(guest, "/etc/file", name, err));
    set(guest, name, "user.\xfe\xff", "\x80");
    assert_ok(guest_mknod(guest, "/etc/\xc3\x28", S_IFIFO | 0600, 0, err));
    assert_ok(guest_copy(guest, name, "/etc/\xf0\x9f", err));
    fixture_expect(guest, "/etc/\xf0\x9f", "contents\n");
    expect_attributes(guest, "/etc/\xf0\x9f", "user.\xfe\xff=\x80;");
    fixture_finish(fx, guest);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up_files, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(owners_of_links_are_their_own),
        TEST(times_reach_beyond_2038),
        TEST(small_inodes_keep_what_times_they_can),
        TEST(attributes_are_set_replaced_and_removed),
        TEST(links_directories_and_special_files_are_labelled),
        TEST(what_the_kernel_refuses_is_refused),
        TEST(blocks_of_attributes_come_and_go),
        TEST(entries_of_a_block_are_in_the_kernels_order),
        TEST(lists_and_modes_agree),
        TEST(a_file_system_without_attributes_gets_them),
        TEST(special_files_are_made),
        TEST(files_get_more_names),
        TEST(names_are_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
