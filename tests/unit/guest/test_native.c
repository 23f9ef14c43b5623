/* The native engine as its users see it: paths, files, and what is left behind. */
#include "tests/unit/guest/fixture.h"

#include <time.h>

#include "guest/inspect/inspect.h"

static const struct guest_file_attr plain = {.mode = 0644};

/* Changes the file system through debugfs, as something else would have left it. */
static void damage(const struct fixture *fx, const char *request)
{
    assert_int_equal(fixture_command("debugfs", "-w", "-R", request, fx->image), 0);
}

static void links_stay_within_the_guest(void **state)
{
    struct fixture *fx = *state;
    fixture_file(fx, "/etc/passwd", "guest's\n");
    fixture_link(fx, "/etc/passwd", "/absolute");
    fixture_link(fx, "../../../../../../../../etc/passwd", "/usr/bin/upwards");
    fixture_link(fx, "/etc", "/dir");
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    fixture_expect(guest, "/absolute", "guest's\n");
    fixture_expect(guest, "/usr/bin/upwards", "guest's\n");
    fixture_expect(guest, "/../../etc/passwd", "guest's\n");
    fixture_write(guest, "/dir/new", "x");
    fixture_expect(guest, "/etc/new", "x");
    fixture_write(guest, "/absolute", "changed");
    fixture_expect(guest, "/etc/passwd", "changed");
    fixture_close(guest);
    fixture_check_clean(fx->image);
}

static void links_in_a_circle_are_given_up(void **state)
{
    struct fixture *fx = *state;
    fixture_link(fx, "b", "/a");
    fixture_link(fx, "a", "/b");
    fixture_link(fx, "self/self", "/self");
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    struct guest_stat st;
    assert_fails(ELOOP, guest_stat(guest, "/a", true, &st, err));
    assert_fails(ELOOP, guest_stat(guest, "/a/x", false, &st, err));
    assert_fails(ELOOP, guest_stat(guest, "/self", true, &st, err));
    assert_fails(ELOOP, fixture_put(guest, "/a", "x", err));
    assert_ok(guest_stat(guest, "/a", false, &st, err));
    fixture_close(guest);
}

static void a_dangling_link_is_written_through(void **state)
{
    struct fixture *fx = *state;
    fixture_link(fx, "../run/resolv.conf", "/etc/resolv.conf");
    fixture_dir(fx, "/run");
    fixture_link(fx, "/nowhere/file", "/etc/lost");
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    fixture_write(guest, "/etc/resolv.conf", "nameserver 1\n");
    fixture_expect(guest, "/run/resolv.conf", "nameserver 1\n");
    assert_fails(ENOENT, fixture_put(guest, "/etc/lost", "x", err));
    fixture_close(guest);
    fixture_check_clean(fx->image);
}

static void an_edited_file_keeps_what_it_is(void **state)
{
    struct fixture *fx = *state;
    fixture_file(fx, "/etc/secret", "old");
    fixture_mkfs(fx, "ext4", "16M", NULL);
    damage(fx, "ea_set /etc/secret user.note kept");
    damage(fx, "sif /etc/secret mode 0100640");
    damage(fx, "sif /etc/secret uid 70000");
    damage(fx, "sif /etc/secret gid 42");
    struct guest *guest = fixture_open(fx, true);
    struct guest_stat before, after;
    assert_ok(guest_stat(guest, "/etc/secret", true, &before, err));
    assert_ok(guest_replace(guest, "/etc/secret", "new contents", 12, err));
    assert_ok(guest_stat(guest, "/etc/secret", true, &after, err));
    assert_int_equal(after.mode, S_IFREG | 0640);
    assert_int_equal(after.uid, 70000);
    assert_int_equal(after.gid, 42);
    assert_int_equal(after.inode, before.inode);
    assert_int_equal(after.size, 12);
    struct guest_file_attr forced = {.mode = 0600, .uid = 100000, .gid = 7, .force = true};
    assert_ok(guest_write(guest, "/etc/secret", "x", 1, &forced, err));
    assert_ok(guest_stat(guest, "/etc/secret", true, &after, err));
    assert_int_equal(after.mode, S_IFREG | 0600);
    assert_int_equal(after.uid, 100000);
    fixture_close(guest);
    fixture_check_clean(fx->image);
    _cleanup_free_ char *out = NULL;
    fixture_run(
        (const char *const[]){"debugfs", "-R", "ea_get /etc/secret user.note", fx->image, NULL},
        &out);
    assert_non_null(strstr(out, "kept"));
}

/* What debugfs says about an attribute. */
static char *attribute(const struct fixture *fx, const char *request)
{
    char *out = NULL;
    fixture_run((const char *const[]){"debugfs", "-R", request, fx->image, NULL}, &out);
    return out;
}

static void privileges_do_not_pass_to_new_contents(void **state)
{
    struct fixture *fx = *state;
    fixture_file(fx, "/usr/bin/ping", "old");
    fixture_file(fx, "/usr/bin/chowned", "old");
    fixture_mkfs(fx, "ext4", "16M", NULL);
    damage(fx, "ea_set /usr/bin/ping security.capability power");
    damage(fx, "ea_set /usr/bin/ping user.note kept");
    damage(fx, "ea_set /usr/bin/chowned security.capability power");
    struct guest *guest = fixture_open(fx, true);
    fixture_write(guest, "/usr/bin/ping", "new");
    assert_ok(guest_chown(guest, "/usr/bin/chowned", 1, 1, err));
    fixture_close(guest);
    fixture_check_clean(fx->image);
    _cleanup_free_ char *ping = attribute(fx, "ea_list /usr/bin/ping");
    _cleanup_free_ char *chowned = attribute(fx, "ea_list /usr/bin/chowned");
    assert_null(strstr(ping, "capability"));
    assert_non_null(strstr(ping, "user.note"));
    assert_null(strstr(chowned, "capability"));
}

static void an_access_control_list_follows_the_mode(void **state)
{
    struct fixture *fx = *state;
    /* user::rw- user:7:rwx group::r-- mask::rwx other::--- as setxattr(2) takes it */
    static const uint8_t acl[] = {2, 0, 0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,  7,
                                  0, 7, 0,   0,   0,   4,   0,  4, 0,   255, 255, 255, 255, 16, 0,
                                  7, 0, 255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255};
    _cleanup_free_ char *value = str_printf(NULL, "%s/acl", fx->dir);
    assert_ok(file_write_atomic(value, acl, sizeof(acl), 0600, err));
    fixture_file(fx, "/etc/listed", "x");
    fixture_mkfs(fx, "ext4", "16M", NULL);
    _cleanup_free_ char *request =
        str_printf(NULL, "ea_set -f %s /etc/listed system.posix_acl_access", value);
    damage(fx, request);
    struct guest *guest = fixture_open(fx, true);
    assert_ok(guest_chmod(guest, "/etc/listed", 0751, err));
    fixture_close(guest);
    fixture_check_clean(fx->image);
    _cleanup_free_ char *dump = str_printf(NULL, "%s/dump", fx->dir), *data = NULL;
    _cleanup_free_ char *get =
        str_printf(NULL, "ea_get -f %s /etc/listed system.posix_acl_access", dump);
    free(attribute(fx, get));
    size_t size = 0;
    assert_ok(file_read(dump, 1000, &data, &size, err));
    assert_int_equal(size, sizeof(acl));
    assert_int_equal(data[6], 7);  /* the owner */
    assert_int_equal(data[14], 7); /* user 7 is not the mode's business */
    assert_int_equal(data[22], 4); /* nor is the group, where there is a mask */
    assert_int_equal(data[30], 5); /* the mask */
    assert_int_equal(data[38], 1); /* others */
}

static void a_hard_linked_file_lives_until_its_last_name(void **state)
{
    struct fixture *fx = *state;
    fixture_file(fx, "/etc/one", "shared");
    _cleanup_free_ char *from = fixture_path(fx, "/etc/one"), *to = fixture_path(fx, "/etc/two");
    assert_int_equal(link(from, to), 0);
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    fixture_write(guest, "/etc/two", "both");
    fixture_expect(guest, "/etc/one", "both");
    assert_ok(guest_unlink(guest, "/etc/one", err));
    fixture_expect(guest, "/etc/two", "both");
    assert_ok(guest_unlink(guest, "/etc/two", err));
    fixture_close(guest);
    fixture_check_clean(fx->image);
}

static void a_full_file_system_is_an_error_without_traces(void **state)
{
    struct fixture *fx = *state;
    fixture_file(fx, "/etc/kept", "kept");
    fixture_mkfs(fx, "ext4", "4M", NULL);
    struct guest *guest = fixture_open(fx, true);
    struct guest_root before = {0}, after = {0};
    assert_ok(guest_root(guest, &before, err));
    size_t size = 6 << 20;
    _cleanup_free_ char *data = calloc(1, size);
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(guest_write(guest, "/big", data, size, &plain, &error), -ENOSPC);
    assert_non_null(strstr(error_message(error), "needs 6.0M"));
    assert_non_null(error_remedy(error));
    assert_fails(ENOSPC, guest_write(guest, "/etc/kept", data, size, &plain, err));
    fixture_expect(guest, "/etc/kept", "kept");
    assert_false(guest_exists(guest, "/big"));
    assert_ok(guest_root(guest, &after, err));
    assert_int_equal(before.free, after.free);
    guest_root_free(&before);
    guest_root_free(&after);

    /* Down to the last blocks, file by file. */
    unsigned made = 0;
    int r;
    do {
        _cleanup_free_ char *path = str_printf(NULL, "/file%u", made++);
        r = guest_write(guest, path, data, 20000, &plain, NULL);
    } while (r == 0);
    assert_int_equal(r, -ENOSPC);
    fixture_close(guest);
    fixture_check_clean(fx->image);
    /* To the very last, where the failure comes when an inode was taken already. */
    guest = fixture_open(fx, true);
    made = 0;
    do {
        _cleanup_free_ char *path = str_printf(NULL, "/dir%u", made++);
        r = guest_mkdir(guest, path, 0755, NULL);
    } while (r == 0);
    assert_int_equal(r, -ENOSPC);
    assert_true(made > 1);
    fixture_close_unusable(fx, guest, "No space left on device");
    /* What is removed makes room again, at once. */
    guest = fixture_open(fx, true);
    assert_false(guest_exists(guest, "/dir0"));
    assert_ok(guest_unlink(guest, "/file0", err));
    assert_ok(guest_write(guest, "/again", data, 20000, &plain, err));
    fixture_close(guest);
    fixture_check_clean(fx->image);
}

static void a_file_that_fills_the_disk_can_be_replaced(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "8M", NULL);
    struct guest *guest = fixture_open(fx, true);
    struct guest_root root = {0};
    assert_ok(guest_root(guest, &root, err));
    size_t size = (size_t)root.free / 10 * 8;
    guest_root_free(&root);
    _cleanup_free_ char *data = malloc(size);
    memset(data, 'a', size);
    assert_ok(guest_write(guest, "/large", data, size, &plain, err));
    memset(data, 'b', size);
    assert_ok(guest_write(guest, "/large", data, size, &plain, err));
    fixture_close(guest);
    fixture_check_clean(fx->image);
    guest = fixture_open(fx, false);
    _cleanup_free_ char *read = NULL;
    size_t got;
    assert_ok(guest_read(guest, "/large", size, &read, &got, err));
    assert_int_equal(got, size);
    assert_memory_equal(read, data, size);
    fixture_close(guest);
}

static void upload_takes_what_is_left_of_a_descriptor(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    _cleanup_free_ char *name = str_printf(NULL, "%s/upload", fx->dir);
    _cleanup_close_ int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
    assert_ok(guest_upload(guest, fd, "/etc/part", &plain, err));
    fixture_expect(guest, "/etc/part", "456789");

    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "from a pipe", 11), 11);
    close(ends[1]);
    assert_ok(guest_upload(guest, ends[0], "/etc/part", &plain, err));
    close(ends[0]);
    fixture_expect(guest, "/etc/part", "from a pipe");
    fixture_close(guest);
    fixture_check_clean(fx->image);
}

static void the_head_of_a_large_program_tells_its_machine(void **state)
{
    struct fixture *fx = *state;
    static const char header[20] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\x3e";
    _cleanup_free_ char *shell = fixture_path(fx, "/bin/sh");
    _cleanup_free_ char *fifo = fixture_path(fx, "/etc/pipe");
    fixture_dir(fx, "/bin");
    _cleanup_close_ int fd = open(shell, O_RDWR | O_CREAT | O_CLOEXEC, 0755);
    assert_int_equal(write(fd, header, sizeof(header)), sizeof(header));
    assert_int_equal(ftruncate(fd, 17 << 20), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    fixture_mkfs(fx, "ext4", "32M", NULL);
    struct guest *guest = fixture_open(fx, false);
    _cleanup_guest_info_ struct guest_info info = {0};
    assert_ok(guest_inspect(guest, &info, err));
    assert_string_equal(info.arch, "x86_64");

    _cleanup_free_ char *head = NULL, *release = NULL, *none = NULL;
    size_t size;
    assert_ok(guest_read_head(guest, "/bin/sh", 30, &head, &size, err));
    assert_int_equal(size, 30);
    assert_memory_equal(head, header, sizeof(header));
    assert_ok(guest_read_head(guest, "/etc/os-release", 1000, &release, &size, err));
    assert_int_equal(size, strlen("ID=debian\nVERSION_ID=\"12\"\n"));
    assert_fails(ENOENT, guest_read_head(guest, "/etc/absent", 3, &none, &size, err));
    assert_fails(EINVAL, guest_read_head(guest, "/etc/pipe", 3, &none, &size, err));
    assert_fails(EISDIR, guest_read_head(guest, "/etc", 3, &none, &size, err));
    fixture_close(guest);
}

static void what_is_no_file_is_not_written(void **state)
{
    struct fixture *fx = *state;
    _cleanup_free_ char *fifo = fixture_path(fx, "/etc/pipe");
    fixture_dir(fx, "/etc/conf.d");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    _cleanup_free_ char *data = NULL;
    assert_fails(EINVAL, fixture_put(guest, "/etc/pipe", "x", err));
    assert_fails(EINVAL, guest_read(guest, "/etc/pipe", 100, &data, NULL, err));
    assert_fails(EISDIR, fixture_put(guest, "/etc/conf.d", "x", err));
    assert_fails(EISDIR, fixture_put(guest, "/etc/new/", "x", err));
    assert_fails(EISDIR, guest_unlink(guest, "/etc/conf.d", err));
    assert_fails(ENOTDIR, guest_rmdir(guest, "/etc/pipe", err));
    assert_fails(EBUSY, guest_rmdir(guest, "/", err));
    assert_fails(EFBIG, guest_read(guest, "/usr/lib/os-release", 3, &data, NULL, err));
    assert_ok(guest_unlink(guest, "/etc/pipe", err));
    fixture_close(guest);
    fixture_check_clean(fx->image);
}

static void an_immutable_file_is_left_alone(void **state)
{
    struct fixture *fx = *state;
    fixture_file(fx, "/etc/resolv.conf", "fixed");
    fixture_mkfs(fx, "ext4", "16M", NULL);
    damage(fx, "sif /etc/resolv.conf flags 0x80010");
    struct guest *guest = fixture_open(fx, true);
    assert_fails(EPERM, fixture_put(guest, "/etc/resolv.conf", "x", err));
    assert_fails(EPERM, guest_unlink(guest, "/etc/resolv.conf", err));
    assert_fails(EPERM, guest_rename(guest, "/etc/resolv.conf", "/etc/x", err));
    fixture_expect(guest, "/etc/resolv.conf", "fixed");
    fixture_close(guest);
}

static void nothing_is_written_before_the_end(void **state)
{
    struct fixture *fx = *state;
    fixture_file(fx, "/etc/hostname", "old");
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    fixture_write(guest, "/etc/hostname", "new");
    assert_ok(guest_mkdir(guest, "/etc/dir", 0755, err));
    guest_discard(guest);
    fixture_check_clean(fx->image);
    guest = fixture_open(fx, true);
    fixture_expect(guest, "/etc/hostname", "old");
    assert_false(guest_exists(guest, "/etc/dir"));
    fixture_write(guest, "/etc/hostname", "new");
    assert_ok(guest_sync(guest, err));
    fixture_write(guest, "/etc/hostname", "newer");
    guest_discard(guest);
    fixture_check_clean(fx->image);
    guest = fixture_open(fx, false);
    fixture_expect(guest, "/etc/hostname", "new");
    fixture_close(guest);
}

static void a_guest_opened_for_reading_stays_as_it_is(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    assert_int_equal(chmod(fx->image, 0444), 0);
    struct guest *guest = fixture_open(fx, false);
    assert_fails(EROFS, fixture_put(guest, "/etc/x", "x", err));
    assert_fails(EROFS, guest_mkdir(guest, "/x", 0755, err));
    assert_fails(EROFS, guest_remove(guest, "/etc", err));
    fixture_close(guest);
}

static char *image_digest(const struct fixture *fx)
{
    char *out = NULL;
    fixture_run((const char *const[]){"sha256sum", fx->image, NULL}, &out);
    return out;
}

static void the_same_edits_give_the_same_image(void **state)
{
    struct fixture *fx = *state;
    char *digests[2];
    fixture_mkfs(fx, "ext4", "16M", NULL);
    _cleanup_free_ char *copy = str_printf(NULL, "%s.copy", fx->image);
    fixture_command("cp", fx->image, copy);
    setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
    for (size_t i = 0; i < 2; i++) {
        fixture_command("cp", copy, fx->image);
        struct guest *guest = fixture_open(fx, true);
        fixture_write(guest, "/etc/hostname", "web1\n");
        assert_ok(guest_mkdir(guest, "/etc/dir", 0755, err));
        assert_ok(guest_symlink(guest, "target", "/etc/dir/link", err));
        fixture_close(guest);
        digests[i] = image_digest(fx);
        struct timespec wait = {.tv_nsec = 20 * 1000 * 1000};
        nanosleep(&wait, NULL);
    }
    unsetenv("SOURCE_DATE_EPOCH");
    assert_string_equal(digests[0], digests[1]);
    free(digests[0]);
    free(digests[1]);
    struct guest *guest = fixture_open(fx, false);
    struct guest_stat st;
    assert_ok(guest_stat(guest, "/etc/hostname", true, &st, err));
    assert_int_equal(st.mtime, 1700000000);
    fixture_close(guest);
}

static void qcow2_is_edited_in_place(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct fixture qcow2 = *fx;
    snprintf(qcow2.image, sizeof(qcow2.image), "%.250s/disk.qcow2", fx->dir);
    assert_int_equal(fixture_command("qemu-img", "convert", "-O", "qcow2", fx->image, qcow2.image),
                     0);
    struct guest_open_options options = {.resources.engine = GUEST_ENGINE_NATIVE, .writable = true};
    struct guest *guest = NULL;
    assert_ok(guest_open(qcow2.image, &options, &guest, err));
    fixture_write(guest, "/etc/hostname", "in qcow2\n");
    fixture_close(guest);
    options.writable = false;
    assert_ok(guest_open(qcow2.image, &options, &guest, err));
    fixture_expect(guest, "/etc/hostname", "in qcow2\n");
    fixture_close(guest);
    assert_int_equal(fixture_command("qemu-img", "check", "-q", qcow2.image), 0);
    assert_int_equal(fixture_command("qemu-img", "convert", "-O", "raw", qcow2.image, fx->image),
                     0);
    fixture_check_clean(fx->image);
}

static void trees_are_made_and_removed_whole(void **state)
{
    struct fixture *fx = *state;
    fixture_file(fx, "/etc/outside", "stays");
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    assert_ok(guest_mkdir_p(guest, "/a/b/../b/c/d", 0750, err));
    assert_ok(guest_mkdir_p(guest, "/a/b/c/d/", 0700, err));
    struct guest_stat st;
    assert_ok(guest_stat(guest, "/a/b/c", true, &st, err));
    assert_int_equal(st.mode, S_IFDIR | 0750);
    fixture_write(guest, "/a/b/file", "x");
    assert_ok(guest_symlink(guest, "/etc", "/a/b/c/link", err));
    assert_fails(ENOTDIR, guest_mkdir_p(guest, "/a/b/file/x", 0755, err));
    assert_ok(guest_remove(guest, "/a//", err));
    assert_false(guest_exists(guest, "/a"));
    fixture_expect(guest, "/etc/outside", "stays");
    assert_ok(guest_remove(guest, "/a", err));
    assert_ok(guest_remove(guest, "/etc/outside/below", err));
    assert_fails(EBUSY, guest_remove(guest, "/", err));
    assert_fails(ENOENT, guest_replace(guest, "/absent", "x", 1, err));
    fixture_close(guest);
    fixture_check_clean(fx->image);
}

static void many_entries_are_indexed_and_listed(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "32M", (const char *const[]){"-N", "6000", "-b", "1024", NULL});
    struct guest *guest = fixture_open(fx, true);
    assert_ok(guest_mkdir(guest, "/many", 0755, err));
    for (unsigned i = 0; i < 1500; i++) {
        _cleanup_free_ char *path = str_printf(NULL, "/many/entry-with-a-longish-name-%u", i);
        assert_ok(guest_symlink(guest, "t", path, err));
    }
    fixture_close(guest);
    fixture_check_clean(fx->image);
    guest = fixture_open(fx, true);
    assert_true(guest_stat(guest, "/many/entry-with-a-longish-name-1499", false,
                           &(struct guest_stat){0}, NULL) == 0);
    assert_ok(guest_remove(guest, "/many", err));
    fixture_close(guest);
    fixture_check_clean(fx->image);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up_root, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(links_stay_within_the_guest),
        TEST(links_in_a_circle_are_given_up),
        TEST(a_dangling_link_is_written_through),
        TEST(an_edited_file_keeps_what_it_is),
        TEST(privileges_do_not_pass_to_new_contents),
        TEST(an_access_control_list_follows_the_mode),
        TEST(a_hard_linked_file_lives_until_its_last_name),
        TEST(a_full_file_system_is_an_error_without_traces),
        TEST(a_file_that_fills_the_disk_can_be_replaced),
        TEST(upload_takes_what_is_left_of_a_descriptor),
        TEST(the_head_of_a_large_program_tells_its_machine),
        TEST(what_is_no_file_is_not_written),
        TEST(an_immutable_file_is_left_alone),
        TEST(nothing_is_written_before_the_end),
        TEST(a_guest_opened_for_reading_stays_as_it_is),
        TEST(the_same_edits_give_the_same_image),
        TEST(qcow2_is_edited_in_place),
        TEST(trees_are_made_and_removed_whole),
        TEST(many_entries_are_indexed_and_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
