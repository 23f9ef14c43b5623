/* The native engine as its users see it: paths, mounts, what it refuses, what it leaves behind. */
#include "tests/unit/guest/fixture.h"

#include <time.h>

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    fixture_setup(fx);
    fixture_root(fx);
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    fixture_teardown(*state);
    free(*state);
    return 0;
}

static const struct guest_file_attr plain = {.mode = 0644};

static int write_text(struct guest *guest, const char *path, const char *text, struct error **err)
{
    return guest_write(guest, path, text, strlen(text), &plain, err);
}

/* Opens with an engine left to choose; the native one's refusal is in the message. */
static int open_native(const struct fixture *fx, bool writable, struct error **err)
{
    struct guest_open_options options = {
        .format = IMAGE_RAW, .engine = GUEST_ENGINE_NATIVE, .writable = writable};
    struct guest *guest = NULL;
    int r = guest_open(fx->image, &options, &guest, err);
    guest_discard(guest);
    return r;
}

static void assert_refused(const struct fixture *fx, bool writable, const char *reason)
{
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(open_native(fx, writable, &error), -EOPNOTSUPP);
    if (!strstr(error_message(error), reason))
        fail_msg("'%s' does not say '%s'", error_message(error), reason);
    assert_non_null(strstr(error_remedy(error), "--engine appliance"));
}

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
    assert_fails(ELOOP, write_text(guest, "/a", "x", err));
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
    assert_fails(ENOENT, write_text(guest, "/etc/lost", "x", err));
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

    /* Down to the last block and inode, one by one. */
    unsigned made = 0;
    int r;
    do {
        _cleanup_free_ char *path = str_printf(NULL, "/file%u", made++);
        r = guest_write(guest, path, data, 20000, &plain, NULL);
    } while (r == 0);
    assert_int_equal(r, -ENOSPC);
    do {
        _cleanup_free_ char *path = str_printf(NULL, "/dir%u", made++);
        r = guest_mkdir(guest, path, 0755, NULL);
    } while (r == 0);
    assert_int_equal(r, -ENOSPC);
    fixture_close(guest);
    fixture_check_clean(fx->image);
    /* What is removed makes room again, at once. */
    guest = fixture_open(fx, true);
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

static void what_is_no_file_is_not_written(void **state)
{
    struct fixture *fx = *state;
    _cleanup_free_ char *fifo = fixture_path(fx, "/etc/pipe");
    fixture_dir(fx, "/etc/conf.d");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct guest *guest = fixture_open(fx, true);
    _cleanup_free_ char *data = NULL;
    assert_fails(EINVAL, write_text(guest, "/etc/pipe", "x", err));
    assert_fails(EINVAL, guest_read(guest, "/etc/pipe", 100, &data, NULL, err));
    assert_fails(EISDIR, write_text(guest, "/etc/conf.d", "x", err));
    assert_fails(EISDIR, write_text(guest, "/etc/new/", "x", err));
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
    assert_fails(EPERM, write_text(guest, "/etc/resolv.conf", "x", err));
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
    assert_fails(EROFS, write_text(guest, "/etc/x", "x", err));
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

static void an_unclean_file_system_is_for_the_appliance(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    damage(fx, "feature +needs_recovery");
    assert_refused(fx, true, "its journal needs recovery");
    assert_refused(fx, false, "its journal needs recovery");
    damage(fx, "feature -needs_recovery");
    damage(fx, "ssv state 2");
    assert_refused(fx, true, "errors were found");
    damage(fx, "ssv state 0");
    assert_refused(fx, true, "not unmounted cleanly");
    assert_ok(open_native(fx, false, err));
    damage(fx, "ssv state 1");
    damage(fx, "ssv last_orphan 12");
    assert_refused(fx, true, "deleted files");
    damage(fx, "ssv last_orphan 0");
    assert_ok(open_native(fx, true, err));
}

static void unknown_features_are_for_the_appliance(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", (const char *const[]){"-O", "quota", NULL});
    assert_refused(fx, true, "quota");
    fixture_mkfs(fx, "ext4", "16M", (const char *const[]){"-O", "bigalloc", NULL});
    assert_refused(fx, true, "features");
    fixture_mkfs(fx, "ext4", "16M", (const char *const[]){"-O", "mmp", NULL});
    assert_refused(fx, true, "mounted twice");
    fixture_mkfs(fx, "ext4", "16M", (const char *const[]){"-O", "encrypt", NULL});
    assert_refused(fx, true, "features");
    fixture_mkfs(fx, "ext4", "16M", (const char *const[]){"-O", "^metadata_csum", NULL});
    damage(fx, "ssv feature_incompat 0x40000242");
    assert_refused(fx, false, "features that are not known");
}

/* An image with a GPT; partition sizes in MiB, and what mke2fs or others put there. */
static void partition(const struct fixture *fx, const char *script, const char *size)
{
    fixture_command("truncate", "-s", "0", fx->image);
    fixture_command("truncate", "-s", size, fx->image);
    struct proc_options options = {PROC_OPTIONS_INIT,
                                   .argv = (const char *const[]){"sfdisk", "-q", fx->image, NULL}};
    assert_ok(proc_check(&options, script, strlen(script), 1 << 16, COMMAND_MS, NULL, err));
}

/* Puts a file's bytes at an offset in MiB. */
static void place(const struct fixture *fx, const char *file, const char *offset_mib)
{
    _cleanup_free_ char *in = str_printf(NULL, "if=%s", file);
    _cleanup_free_ char *out = str_printf(NULL, "of=%s", fx->image);
    _cleanup_free_ char *seek = str_printf(NULL, "seek=%s", offset_mib);
    assert_int_equal(fixture_command("dd", in, out, "bs=1M", "conv=notrunc", seek, "status=none"),
                     0);
}

static void extract_check(const struct fixture *fx, const char *skip_mib, const char *count_mib)
{
    _cleanup_free_ char *part = str_printf(NULL, "%s/part.img", fx->dir);
    _cleanup_free_ char *in = str_printf(NULL, "if=%s", fx->image);
    _cleanup_free_ char *out = str_printf(NULL, "of=%s", part);
    _cleanup_free_ char *skip = str_printf(NULL, "skip=%s", skip_mib);
    _cleanup_free_ char *count = str_printf(NULL, "count=%s", count_mib);
    assert_int_equal(fixture_command("dd", in, out, "bs=1M", skip, count, "status=none"), 0);
    fixture_check_clean(part);
}

static const char *const three_partitions = "label: gpt\n"
                                            "start=1MiB, size=16MiB, name=boot\n"
                                            "start=17MiB, size=16MiB, name=root\n"
                                            "start=33MiB, size=4MiB, name=other\n";

/* Root on partition 2, with this fstab; /boot on partition 1. */
static void two_file_systems(const struct fixture *fx, const char *fstab)
{
    struct fixture boot = *fx;
    snprintf(boot.tree, sizeof(boot.tree), "%.250s/boot-tree", fx->dir);
    assert_int_equal(mkdir(boot.tree, 0755), 0);
    fixture_file(&boot, "/vmlinuz", "kernel");
    fixture_dir(&boot, "/efi");
    _cleanup_free_ char *part = str_printf(NULL, "%s/part.img", fx->dir);
    fixture_mkfs_at(
        &boot, part, "ext4", "16M",
        (const char *const[]){"-U", "11111111-2222-3333-4444-555555555555", "-L", "boot", NULL});
    partition(fx, three_partitions, "40M");
    place(fx, part, "1");
    fixture_file(fx, "/etc/fstab", fstab);
    fixture_dir(fx, "/boot");
    fixture_dir(fx, "/srv/data");
    assert_int_equal(unlink(part), 0);
    fixture_mkfs_at(fx, part, "ext4", "16M", NULL);
    place(fx, part, "17");
}

static void boot_is_mounted(void **state, const char *fstab)
{
    struct fixture *fx = *state;
    two_file_systems(fx, fstab);
    struct guest *guest = fixture_open(fx, true);
    fixture_expect(guest, "/boot/vmlinuz", "kernel");
    fixture_write(guest, "/boot/added", "here");
    fixture_expect(guest, "/boot/../boot/./added", "here");
    fixture_expect(guest, "/boot/efi/../added", "here");
    struct guest_stat st;
    assert_ok(guest_stat(guest, "/boot", true, &st, err));
    assert_int_equal(st.inode, 2);
    assert_fails(EBUSY, guest_rmdir(guest, "/boot", err));
    assert_fails(EXDEV, guest_rename(guest, "/boot/added", "/etc/added", err));
    assert_fails(EBUSY, guest_rename(guest, "/boot", "/etc/boot", err));
    fixture_close(guest);
    extract_check(fx, "1", "16");
    extract_check(fx, "17", "16");
}

static void boot_is_mounted_by_uuid(void **state)
{
    boot_is_mounted(state, "# comment\n\n/dev/sda2 / ext4 defaults 0 1\n"
                           "UUID=11111111-2222-3333-4444-555555555555\t/boot\text4 rw 0 2\n");
}

static void boot_is_mounted_by_label(void **state)
{
    boot_is_mounted(state, "LABEL=boot /boot/ ext4 defaults 0 2\n");
}

static void boot_is_mounted_by_partition_label(void **state)
{
    boot_is_mounted(state, "PARTLABEL=\"boot\" /boot auto\n");
}

static void boot_is_mounted_by_device(void **state)
{
    boot_is_mounted(state, "/dev/vda1 /boot ext4 defaults 0 2\n");
}

static void boot_is_mounted_by_link(void **state)
{
    boot_is_mounted(state,
                    "/dev/disk/by-uuid/11111111-2222-3333-4444-555555555555 /boot ext4 rw 0 2\n");
}

static void what_is_not_mounted_is_not_written_under(void **state)
{
    struct fixture *fx = *state;
    two_file_systems(fx, "LABEL=boot /boot ext4 defaults 0 2\n"
                         "/dev/sda3 /boot/efi vfat umask=0077 0 1\n"
                         "/dev/sdb1 /srv/data xfs nofail 0 0\n"
                         "/dev/sdb2 /srv/manual xfs noauto 0 0\n"
                         "tmpfs /tmp tmpfs defaults 0 0\n"
                         "/dev/sda9 none swap sw 0 0\n");
    _cleanup_free_ char *vfat = str_printf(NULL, "%s/vfat.img", fx->dir);
    char sector[512] = {0};
    memcpy(sector + 54, "FAT16   ", 8);
    assert_ok(file_write_atomic(vfat, sector, sizeof(sector), 0600, err));
    place(fx, vfat, "33");
    struct guest *guest = fixture_open(fx, true);
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(write_text(guest, "/boot/efi/x", "x", &error), -EOPNOTSUPP);
    assert_non_null(strstr(error_message(error), "/dev/sda3 is vfat"));
    assert_non_null(strstr(error_remedy(error), "--engine appliance"));
    struct guest_stat st;
    assert_ok(guest_stat(guest, "/boot/efi", true, &st, err));
    assert_fails(EOPNOTSUPP, guest_stat(guest, "/boot/efi/EFI", true, &st, err));
    assert_fails(EOPNOTSUPP, guest_rmdir(guest, "/boot/efi", err));
    assert_fails(EOPNOTSUPP, guest_mkdir_p(guest, "/srv/data/x", 0755, err));
    assert_ok(guest_mkdir_p(guest, "/srv/manual/x", 0755, err));
    fixture_close(guest);
}

static void an_essential_directory_elsewhere_is_for_the_appliance(void **state)
{
    struct fixture *fx = *state;
    two_file_systems(fx, "/dev/sda3 /var xfs defaults 0 0\n");
    fixture_dir(fx, "/var");
    _cleanup_free_ char *part = str_printf(NULL, "%s/part.img", fx->dir);
    unlink(part);
    fixture_mkfs_at(fx, part, "ext4", "16M", NULL);
    place(fx, part, "17");
    _cleanup_free_ char *xfs = str_printf(NULL, "%s/xfs.img", fx->dir);
    assert_ok(file_write_atomic(xfs, "XFSB", 4, 0600, err));
    place(fx, xfs, "33");
    assert_refused(fx, true, "/var: /dev/sda3 is xfs");
}

static void lvm_is_for_the_appliance(void **state)
{
    struct fixture *fx = *state;
    partition(fx, three_partitions, "40M");
    char sectors[1024] = {0};
    memcpy(sectors + 512, "LABELONE", 8);
    _cleanup_free_ char *lvm = str_printf(NULL, "%s/lvm.img", fx->dir);
    assert_ok(file_write_atomic(lvm, sectors, sizeof(sectors), 0600, err));
    place(fx, lvm, "17");
    assert_refused(fx, true, "/dev/sda2 holds LVM");
}

static void no_operating_system_is_said(void **state)
{
    struct fixture *fx = *state;
    partition(fx, three_partitions, "40M");
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(open_native(fx, false, &error), -ENOENT);
    assert_non_null(strstr(error_remedy(error), "/dev/sda2"));
}

static void two_operating_systems_are_not_chosen_from(void **state)
{
    struct fixture *fx = *state;
    partition(fx, three_partitions, "40M");
    _cleanup_free_ char *part = str_printf(NULL, "%s/part.img", fx->dir);
    fixture_mkfs_at(fx, part, "ext4", "16M", NULL);
    place(fx, part, "1");
    place(fx, part, "17");
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(open_native(fx, false, &error), -EMLINK);
    assert_non_null(strstr(error_message(error), "/dev/sda1, /dev/sda2"));
}

static void a_truncated_image_is_an_error(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    assert_int_equal(truncate(fx->image, 8 << 20), 0);
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(open_native(fx, true, &error), -EUCLEAN);
    assert_non_null(strstr(error_message(error), "larger than the space"));
}

static void qcow2_is_edited_in_place(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    struct fixture qcow2 = *fx;
    snprintf(qcow2.image, sizeof(qcow2.image), "%.250s/disk.qcow2", fx->dir);
    assert_int_equal(fixture_command("qemu-img", "convert", "-O", "qcow2", fx->image, qcow2.image),
                     0);
    struct guest_open_options options = {.engine = GUEST_ENGINE_NATIVE, .writable = true};
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

static void thousands_of_entries_are_indexed_and_listed(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "32M", (const char *const[]){"-N", "6000", "-b", "1024", NULL});
    struct guest *guest = fixture_open(fx, true);
    assert_ok(guest_mkdir(guest, "/many", 0755, err));
    for (unsigned i = 0; i < 3000; i++) {
        _cleanup_free_ char *path = str_printf(NULL, "/many/entry-with-a-longish-name-%u", i);
        assert_ok(guest_symlink(guest, "t", path, err));
    }
    fixture_close(guest);
    fixture_check_clean(fx->image);
    guest = fixture_open(fx, true);
    assert_true(guest_stat(guest, "/many/entry-with-a-longish-name-2999", false,
                           &(struct guest_stat){0}, NULL) == 0);
    assert_ok(guest_remove(guest, "/many", err));
    fixture_close(guest);
    fixture_check_clean(fx->image);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(links_stay_within_the_guest),
        TEST(links_in_a_circle_are_given_up),
        TEST(a_dangling_link_is_written_through),
        TEST(an_edited_file_keeps_what_it_is),
        TEST(a_hard_linked_file_lives_until_its_last_name),
        TEST(a_full_file_system_is_an_error_without_traces),
        TEST(a_file_that_fills_the_disk_can_be_replaced),
        TEST(upload_takes_what_is_left_of_a_descriptor),
        TEST(what_is_no_file_is_not_written),
        TEST(an_immutable_file_is_left_alone),
        TEST(nothing_is_written_before_the_end),
        TEST(a_guest_opened_for_reading_stays_as_it_is),
        TEST(the_same_edits_give_the_same_image),
        TEST(an_unclean_file_system_is_for_the_appliance),
        TEST(unknown_features_are_for_the_appliance),
        TEST(boot_is_mounted_by_uuid),
        TEST(boot_is_mounted_by_label),
        TEST(boot_is_mounted_by_partition_label),
        TEST(boot_is_mounted_by_device),
        TEST(boot_is_mounted_by_link),
        TEST(what_is_not_mounted_is_not_written_under),
        TEST(an_essential_directory_elsewhere_is_for_the_appliance),
        TEST(lvm_is_for_the_appliance),
        TEST(no_operating_system_is_said),
        TEST(two_operating_systems_are_not_chosen_from),
        TEST(a_truncated_image_is_an_error),
        TEST(qcow2_is_edited_in_place),
        TEST(trees_are_made_and_removed_whole),
        TEST(thousands_of_entries_are_indexed_and_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
