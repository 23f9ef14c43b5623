/* The native engine: parts of files, identities and free space, held against what debugfs and
 * e2fsck say about the image. */
#include "tests/unit/guest/fixture.h"

#include <sys/mman.h>

/* Parts of files. */

static char *make_pattern(size_t size)
{
    char *data = malloc(size);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)('a' + i % 23);
    return data;
}

static void expect_pattern(struct guest *guest, const char *path, size_t pattern, size_t size)
{
    size_t got;
    _cleanup_free_ char *data = NULL, *expected = make_pattern(pattern);
    assert_ok(guest_read(guest, path, 64 << 20, &data, &got, err));
    assert_int_equal(got, size);
    assert_memory_equal(data, expected, pattern < size ? pattern : size);
    for (size_t i = pattern; i < size; i++)
        assert_int_equal(data[i], 0);
}

static void truncate_and_grow(struct fixture *fx, const char *type, const char *const *options)
{
    static const size_t sizes[] = {300000, 299999, 4096, 4095, 1, 0};
    const size_t full = 300001;
    fixture_mkfs(fx, type, "32M", options);
    struct guest *guest = fixture_open(fx, true);
    _cleanup_free_ char *data = make_pattern(full);
    struct guest_root before, after;
    assert_ok(guest_root(guest, &before, err));
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct guest_file_attr attr = {.mode = 0600};
        assert_ok(guest_write(guest, "/etc/part", data, full, &attr, err));
        assert_ok(guest_truncate(guest, "/etc/part", sizes[i], err));
        expect_pattern(guest, "/etc/part", sizes[i], sizes[i]);
        assert_ok(guest_truncate(guest, "/etc/part", full + 9000, err));
        expect_pattern(guest, "/etc/part", sizes[i], full + 9000);
        assert_ok(guest_sync(guest, err));
        fixture_check_clean(fx->image);
    }
    assert_ok(guest_unlink(guest, "/etc/part", err));
    assert_ok(guest_sync(guest, err));
    assert_ok(guest_root(guest, &after, err));
    assert_int_equal(after.free, before.free);
    guest_root_free(&before);
    guest_root_free(&after);
    fixture_finish(fx, guest);
}

static void files_are_cut_and_extended(void **state)
{
    truncate_and_grow(*state, "ext4", NULL);
}

static void files_of_small_blocks_are_cut_and_extended(void **state)
{
    truncate_and_grow(*state, "ext4", OPTIONS("-b", "1024", "-g", "256", "-N", "2048"));
}

static void files_without_extents_are_cut_and_extended(void **state)
{
    truncate_and_grow(*state, "ext3", OPTIONS("-b", "1024"));
}

static void files_within_inodes_are_cut_and_extended(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", OPTIONS("-O", "inline_data", "-I", "256"));
    struct guest *guest = fixture_open(fx, true);
    assert_ok(guest_truncate(guest, "/etc/file", 3, err));
    fixture_expect(guest, "/etc/file", "con");
    assert_ok(guest_truncate(guest, "/etc/file", 100000, err));
    assert_int_equal(fixture_stat(guest, "/etc/file").size, 100000);
    fixture_finish(fx, guest);
    guest = fixture_open(fx, false);
    size_t size;
    _cleanup_free_ char *data = NULL;
    assert_ok(guest_read(guest, "/etc/file", 1 << 20, &data, &size, err));
    assert_memory_equal(data, "con\0\0\0", 6);
    fixture_close(guest);
}

static void sizes_beyond_the_file_system_are_refused(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    assert_fails(EFBIG, guest_truncate(guest, "/etc/file", UINT64_MAX, err));
    assert_fails(EFBIG, guest_truncate(guest, "/etc/file", INT64_C(1) << 60, err));
    assert_fails(EISDIR, guest_truncate(guest, "/etc", 0, err));
    assert_fails(ENOENT, guest_truncate(guest, "/etc/none", 0, err));
    assert_ok(guest_truncate(guest, "/etc/link", INT64_C(1) << 40, err)); /* followed */
    assert_int_equal(fixture_stat(guest, "/etc/file").size, INT64_C(1) << 40);
    fixture_finish(fx, guest);
    assert_debugfs(fx, "stat /etc/file", "Size: 1099511627776");
}

static int make_sparse(uint64_t size)
{
    int fd = memfd_create("sparse", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    assert_int_equal(pwrite(fd, "start", 5, 0), 5);
    assert_int_equal(pwrite(fd, "middle", 6, 3 * 1048576 + 5000), 6);
    return fd;
}

/* Two runs of data in 100 MiB, on a file system of 16. */
static void sparse_files(struct fixture *fx, const char *type)
{
    const uint64_t size = 100 << 20;
    fixture_mkfs(fx, type, "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    struct guest_file_attr attr = {.mode = 0644};
    _cleanup_close_ int fd = make_sparse(size), back = memfd_create("back", MFD_CLOEXEC);
    assert_ok(guest_upload(guest, fd, "/etc/sparse", &attr, err));
    assert_int_equal(fixture_stat(guest, "/etc/sparse").size, size);
    assert_ok(guest_sync(guest, err));
    fixture_check_clean(fx->image);
    assert_ok(guest_download(guest, "/etc/sparse", back, err));
    struct stat st;
    assert_int_equal(fstat(back, &st), 0);
    assert_int_equal(st.st_size, size);
    assert_in_range(st.st_blocks, 1, 2048);
    char text[6];
    assert_int_equal(pread(back, text, 6, 3 * 1048576 + 5000), 6);
    assert_memory_equal(text, "middle", 6);
    assert_ok(guest_copy(guest, "/etc/sparse", "/etc/copy", err));
    assert_int_equal(fixture_stat(guest, "/etc/copy").size, size);
    fixture_finish(fx, guest);
}

static void holes_stay_holes(void **state)
{
    sparse_files(*state, "ext4");
}

static void holes_stay_holes_without_extents(void **state)
{
    sparse_files(*state, "ext3");
}

/* Looked at block by block, so many holes would take minutes. */
static void large_holes_are_stepped_over(struct fixture *fx, const char *type, uint64_t size)
{
    fixture_mkfs(fx, type, "16M", OPTIONS("-b", "4096"));
    struct guest *guest = fixture_open(fx, true);
    assert_ok(guest_truncate(guest, "/etc/file", size, err));
    _cleanup_close_ int back = memfd_create("back", MFD_CLOEXEC);
    assert_ok(guest_download(guest, "/etc/file", back, err));
    assert_int_equal(lseek(back, 0, SEEK_END), size);
    assert_ok(guest_overwrite(guest, "/etc/file", err));
    fixture_finish(fx, guest);
}

static void large_holes_in_extents(void **state)
{
    large_holes_are_stepped_over(*state, "ext4", UINT64_C(8) << 40);
}

static void large_holes_in_block_lists(void **state)
{
    large_holes_are_stepped_over(*state, "ext3", UINT64_C(1) << 40);
}

static void downloads_begin_where_the_descriptor_is(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, false);
    int fds[2];
    char text[64] = {0};
    _cleanup_close_ int fd = memfd_create("twice", MFD_CLOEXEC);
    assert_ok(guest_download(guest, "/etc/file", fd, err));
    assert_ok(guest_download(guest, "/etc/link", fd, err));
    assert_int_equal(pread(fd, text, sizeof(text), 0), 18);
    assert_string_equal(text, "contents\ncontents\n");
    assert_int_equal(pipe(fds), 0);
    assert_ok(guest_download(guest, "/etc/file", fds[1], err));
    assert_int_equal(read(fds[0], text, sizeof(text)), 9);
    close(fds[0]);
    close(fds[1]);
    assert_fails(EISDIR, guest_download(guest, "/etc", fd, err));
    assert_fails(ENOENT, guest_download(guest, "/etc/none", fd, err));
    fixture_close(guest);
}

/* Whether the bytes are anywhere in the image. */
static bool image_has(const struct fixture *fx, const char *text)
{
    _cleanup_free_ char *data = NULL;
    size_t size;
    assert_ok(file_read(fx->image, 64 << 20, &data, &size, err));
    return memmem(data, size, text, strlen(text)) != NULL;
}

static void overwritten_data_is_gone(void **state)
{
    struct fixture *fx = *state;
    _cleanup_free_ char *data = make_pattern(50000);
    memcpy(data + 30000, "the secret itself", 17);
    fixture_file_n(fx, "/etc/secret", data, 50000);
    fixture_mkfs(fx, "ext4", "16M", NULL);
    assert_true(image_has(fx, "the secret itself"));
    struct guest *guest = fixture_open(fx, true);
    uint64_t inode = fixture_stat(guest, "/etc/secret").inode;
    assert_ok(guest_overwrite(guest, "/etc/secret", err));
    expect_pattern(guest, "/etc/secret", 0, 50000);
    assert_int_equal(fixture_stat(guest, "/etc/secret").inode, inode);
    assert_fails(EINVAL, guest_overwrite(guest, "/etc/link", err));
    assert_fails(EISDIR, guest_overwrite(guest, "/etc", err));
    fixture_finish(fx, guest);
    assert_false(image_has(fx, "the secret itself"));
}

static void overwritten_data_within_an_inode_is_gone(void **state)
{
    struct fixture *fx = *state;
    fixture_file(fx, "/etc/secret", "the secret itself");
    fixture_mkfs(fx, "ext4", "16M", OPTIONS("-O", "inline_data"));
    struct guest *guest = fixture_open(fx, true);
    assert_ok(guest_overwrite(guest, "/etc/secret", err));
    expect_pattern(guest, "/etc/secret", 0, 17);
    fixture_finish(fx, guest);
    assert_false(image_has(fx, "the secret itself"));
}

/* A full file system. */
static void what_does_not_fit_does_no_harm(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "4M", OPTIONS("-b", "1024", "-m", "0", "-N", "1024"));
    struct guest *guest = fixture_open(fx, true);
    struct guest_file_attr attr = {.mode = 0600};
    char path[64];
    _cleanup_free_ char *data = make_pattern(1 << 16);
    for (unsigned size = 1 << 16, i = 0; size >= 1; i++) {
        snprintf(path, sizeof(path), "/etc/fill%u", i);
        int r = guest_write(guest, path, data, size, &attr, NULL);
        assert_true(r == 0 || r == -ENOSPC);
        if (r < 0)
            size /= 2;
    }
    assert_fails(ENOSPC, guest_set_xattr(guest, "/etc/file", "user.large", data, 900, err));
    char name[5 + 255 + 1] = "/etc/";
    memset(name + 5, 'n', 255);
    unsigned made = 0;
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name + 5, 9, "%08u", i);
        name[13] = 'n';
        if (guest_link(guest, "/etc/file", name, NULL) < 0)
            break;
        made++;
    }
    assert_in_range(made, 0, 99);
    assert_int_equal(fixture_stat(guest, "/etc/file").links, 1 + made);
    fixture_finish(fx, guest);
    /* A node takes an inode before there turns out to be no room for its name. */
    guest = fixture_open(fx, true);
    assert_fails(ENOSPC, guest_mknod(guest, name, S_IFIFO, 0, err));
    fixture_close_unusable(fx, guest, "is full");
    guest = fixture_open(fx, false);
    assert_int_equal(fixture_stat(guest, "/etc/file").links, 1 + made);
    assert_false(guest_exists(guest, name));
    fixture_close(guest);
}

/* Identities. */

static void new_identity(struct fixture *fx, const char *type, const char *features)
{
    const char *copy = "superblock=8193", *block = "blocksize=1024";
    fixture_mkfs(fx, type, "64M", OPTIONS("-b", "1024", "-O", features));
    struct guest *guest = fixture_open(fx, true);
    struct guest_root before, after;
    assert_ok(guest_root(guest, &before, err));
    assert_ok(guest_renew(guest, GUEST_FILE_SYSTEM_UUIDS, err));
    assert_ok(guest_renew(guest, GUEST_LVM_UUIDS, err)); /* there is none */
    assert_ok(guest_root(guest, &after, err));
    assert_string_not_equal(before.uuid, after.uuid);
    fixture_write(guest, "/etc/more", "more");
    fixture_finish(fx, guest);
    assert_debugfs(fx, "stats -h", after.uuid);
    guest = fixture_open(fx, false);
    guest_root_free(&before);
    assert_ok(guest_root(guest, &before, err));
    assert_string_equal(before.uuid, after.uuid);
    fixture_close(guest);
    /* The copies of the superblock have it as well. */
    _cleanup_free_ char *out = NULL;
    fixture_run((const char *const[]){"dumpe2fs", "-h", "-o", copy, "-o", block, fx->image, NULL},
                &out);
    assert_non_null(strstr(out, after.uuid));
    guest_root_free(&before);
    guest_root_free(&after);
}

static void old_file_systems_get_new_identities(void **state)
{
    new_identity(*state, "ext3", "has_journal");
}

static void descriptors_follow_the_identity(void **state)
{
    new_identity(*state, "ext4", "^metadata_csum,uninit_bg");
}

static void seeded_checksums_allow_a_new_identity(void **state)
{
    new_identity(*state, "ext4", "metadata_csum,metadata_csum_seed");
}

static void checksums_of_the_identity_are_left_to_others(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", OPTIONS("-O", "metadata_csum,^metadata_csum_seed"));
    struct guest *guest = fixture_open(fx, true);
    assert_fails(EOPNOTSUPP, guest_renew(guest, GUEST_FILE_SYSTEM_UUIDS, err));
    assert_ok(guest_renew(guest, GUEST_LVM_UUIDS, err));
    fixture_finish(fx, guest);
    struct guest_open_options options = {.resources.engine = GUEST_ENGINE_NATIVE,
                                         .writable = true,
                                         .capabilities = GUEST_CAN_EDIT | GUEST_CAN_RENEW};
    assert_ok(guest_open(fx->image, &options, &guest, err));
    fixture_close(guest);
    options.capabilities |= GUEST_CAN_RENEW_FS;
    assert_fails(EOPNOTSUPP, guest_open(fx->image, &options, &guest, err));
}

/* Free space. */

static uint64_t taken(const struct fixture *fx)
{
    struct stat st;
    assert_int_equal(stat(fx->image, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

static void free_space(struct fixture *fx, const char *type, const char *const *options)
{
    _cleanup_free_ char *data = make_pattern(3 << 20);
    fixture_file_n(fx, "/usr/kept", data, 3 << 20);
    fixture_mkfs(fx, type, "64M", options);
    struct guest *guest = fixture_open(fx, true);
    struct guest_file_attr attr = {.mode = 0600};
    for (unsigned i = 0; i < 4; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/etc/large%u", i);
        assert_ok(guest_write(guest, path, data, 3 << 20, &attr, err));
    }
    assert_ok(guest_sync(guest, err));
    uint64_t before = taken(fx), freed = 0, again = 1;
    for (unsigned i = 0; i < 3; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/etc/large%u", i);
        assert_ok(guest_unlink(guest, path, err));
    }
    assert_ok(guest_trim(guest, &freed, err));
    assert_true(freed >= 9 << 20);
    assert_ok(guest_trim(guest, &again, err));
    expect_pattern(guest, "/etc/large3", 3 << 20, 3 << 20);
    expect_pattern(guest, "/usr/kept", 3 << 20, 3 << 20);
    fixture_finish(fx, guest);
    if (taken(fx) == before)
        return; /* the host's file system knows no holes */
    assert_true(before - taken(fx) >= 8 << 20);
    assert_in_range(again, 0, 1 << 20); /* bounds within a page of the host's stay data */
    guest = fixture_open(fx, true);
    expect_pattern(guest, "/usr/kept", 3 << 20, 3 << 20);
    fixture_finish(fx, guest);
}

static void freed_blocks_become_holes(void **state)
{
    free_space(*state, "ext4", NULL);
}

static void freed_blocks_of_many_groups_become_holes(void **state)
{
    free_space(*state, "ext4", OPTIONS("-b", "1024", "-g", "1024", "-O", "^flex_bg"));
}

static void freed_blocks_without_checksums_become_holes(void **state)
{
    free_space(*state, "ext2", OPTIONS("-b", "1024"));
}

/* A block in use is called free: without checksums, the counts still tell. */
static void a_bitmap_that_is_not_true_frees_nothing(void **state)
{
    struct fixture *fx = *state;
    _cleanup_free_ char *data = make_pattern(1 << 20);
    fixture_file_n(fx, "/usr/kept", data, 1 << 20);
    fixture_mkfs(fx, "ext2", "16M", OPTIONS("-b", "1024"));
    assert_int_equal(fixture_command("debugfs", "-w", "-R", "freeb 300 10", fx->image), 0);
    /* debugfs counts as well: the counts are put back. */
    _cleanup_free_ char *out = fixture_debugfs(fx, "stats -h");
    unsigned long count = strtoul(strstr(out, "Free blocks:") + 12, NULL, 10);
    _cleanup_free_ char *request = str_printf(NULL, "ssv free_blocks_count %lu", count - 10);
    assert_int_equal(fixture_command("debugfs", "-w", "-R", request, fx->image), 0);
    struct guest *guest = fixture_open(fx, true);
    uint64_t freed;
    assert_fails(EUCLEAN, guest_trim(guest, &freed, err));
    guest_discard(guest);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up_files, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_cut_and_extended),
        TEST(files_of_small_blocks_are_cut_and_extended),
        TEST(files_without_extents_are_cut_and_extended),
        TEST(files_within_inodes_are_cut_and_extended),
        TEST(sizes_beyond_the_file_system_are_refused),
        TEST(holes_stay_holes),
        TEST(holes_stay_holes_without_extents),
        TEST(large_holes_in_extents),
        TEST(large_holes_in_block_lists),
        TEST(downloads_begin_where_the_descriptor_is),
        TEST(overwritten_data_is_gone),
        TEST(overwritten_data_within_an_inode_is_gone),
        TEST(what_does_not_fit_does_no_harm),
        TEST(old_file_systems_get_new_identities),
        TEST(descriptors_follow_the_identity),
        TEST(seeded_checksums_allow_a_new_identity),
        TEST(checksums_of_the_identity_are_left_to_others),
        TEST(freed_blocks_become_holes),
        TEST(freed_blocks_of_many_groups_become_holes),
        TEST(freed_blocks_without_checksums_become_holes),
        TEST(a_bitmap_that_is_not_true_frees_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
