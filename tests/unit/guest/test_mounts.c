/* Which file systems the native engine takes for the guest, and which it leaves to the appliance.
 */
#include "tests/unit/guest/parts.h"

#include "guest/root_choice.h"

/* Opens with an engine left to choose; the native one's refusal is in the message. */
static int open_native(const struct fixture *fx, bool writable, struct error **err)
{
    struct guest_open_options options = {
        .format = IMAGE_RAW, .resources.engine = GUEST_ENGINE_NATIVE, .writable = writable};
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

static void an_unclean_file_system_is_for_the_appliance(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    damage(fx, "feature +needs_recovery");
    assert_refused(fx, true, "its journal needs recovery");
    assert_refused(fx, false, "its journal needs recovery");
    damage(fx, "feature -needs_recovery");
    damage(fx, "ssv last_orphan 12");
    assert_refused(fx, true, "deleted files");
    damage(fx, "ssv last_orphan 0");
    assert_ok(open_native(fx, true, err));
}

/* With an engine left to choose: the appliance would be started, and take half a minute. */
static void assert_damaged(const struct fixture *fx, const char *reason)
{
    struct guest_open_options options = {.format = IMAGE_RAW, .writable = true};
    struct guest *guest = NULL;
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(guest_open(fx->image, &options, &guest, &error), -EUCLEAN);
    if (!strstr(error_message(error), reason))
        fail_msg("'%s' does not say '%s'", error_message(error), reason);
    assert_non_null(strstr(error_remedy(error), "e2fsck"));
    assert_ok(open_native(fx, false, err));
}

static void a_marked_file_system_is_for_no_engine(void **state)
{
    struct fixture *fx = *state;
    fixture_mkfs(fx, "ext4", "16M", NULL);
    damage(fx, "ssv state 2");
    assert_damaged(fx, "errors were found");
    damage(fx, "ssv state 3");
    assert_damaged(fx, "errors were found");
    damage(fx, "ssv state 0");
    assert_damaged(fx, "not unmounted cleanly");
    damage(fx, "ssv state 1");
    damage(fx, "ssv last_orphan 12");
    damage(fx, "ssv state 2");
    assert_damaged(fx, "errors were found");
    damage(fx, "ssv last_orphan 0");
    damage(fx, "ssv state 1");
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
    parts_table(fx, three_partitions, "40M");
    parts_place(fx, part, "1");
    fixture_file(fx, "/etc/fstab", fstab);
    fixture_dir(fx, "/boot");
    fixture_dir(fx, "/srv/data");
    assert_int_equal(unlink(part), 0);
    fixture_mkfs_at(fx, part, "ext4", "16M", NULL);
    parts_place(fx, part, "17");
}

/* Every way in which an fstab names a device. */
static void boot_is_mounted_by_every_name(void **state)
{
    static const char *const lines[] = {
        ("# comment\n\n/dev/sda2 / ext4 defaults 0 1\n"
         "UUID=11111111-2222-3333-4444-555555555555\t/boot\text4 rw 0 2\n"),
        "LABEL=boot /boot/ ext4 defaults 0 2\n",
        "PARTLABEL=\"boot\" /boot auto\n",
        "/dev/vda1 /boot ext4 defaults 0 2\n",
        "/dev/nvme0n1p1 /boot ext4 defaults 0 2\n",
        "/dev/disk/by-uuid/11111111-2222-3333-4444-555555555555 /boot ext4 rw 0 2\n",
        "/dev/disk/by-path/pci-0000:00:05.0-part1 /boot ext4\n",
        "/dev/sda1 /bo\\157t ext4\n",
    };
    struct fixture *fx = *state;
    two_file_systems(fx, "");
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct guest *guest = fixture_open(fx, true);
        fixture_write(guest, "/etc/fstab", lines[i]);
        fixture_close(guest);
        guest = fixture_open(fx, true);
        fixture_expect(guest, "/boot/vmlinuz", "kernel");
        fixture_close(guest);
    }
    parts_check_clean(fx, "1", "16");
    parts_check_clean(fx, "17", "16");
}

static void a_mount_point_is_crossed_and_kept(void **state)
{
    struct fixture *fx = *state;
    two_file_systems(fx, "LABEL=boot /boot ext4 defaults 0 2\n");
    struct guest *guest = fixture_open(fx, true);
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
    parts_check_clean(fx, "1", "16");
    parts_check_clean(fx, "17", "16");
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
    parts_place(fx, vfat, "33");
    struct guest *guest = fixture_open(fx, true);
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(fixture_put(guest, "/boot/efi/x", "x", &error), -EOPNOTSUPP);
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
    parts_place(fx, part, "17");
    _cleanup_free_ char *xfs = str_printf(NULL, "%s/xfs.img", fx->dir);
    assert_ok(file_write_atomic(xfs, "XFSB", 4, 0600, err));
    parts_place(fx, xfs, "33");
    assert_refused(fx, true, "/var: /dev/sda3 is xfs");
}

static void lvm_is_for_the_appliance(void **state)
{
    struct fixture *fx = *state;
    parts_table(fx, three_partitions, "40M");
    char sectors[1024] = {0};
    memcpy(sectors + 512, "LABELONE", 8);
    _cleanup_free_ char *lvm = str_printf(NULL, "%s/lvm.img", fx->dir);
    assert_ok(file_write_atomic(lvm, sectors, sizeof(sectors), 0600, err));
    parts_place(fx, lvm, "17");
    assert_refused(fx, true, "/dev/sda2 holds LVM");
}

static void no_operating_system_is_said(void **state)
{
    struct fixture *fx = *state;
    parts_table(fx, three_partitions, "40M");
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(open_native(fx, false, &error), -ENOENT);
    assert_non_null(strstr(error_remedy(error), "/dev/sda2"));
}

static void two_operating_systems_are_not_chosen_from(void **state)
{
    struct fixture *fx = *state;
    parts_table(fx, three_partitions, "40M");
    _cleanup_free_ char *part = str_printf(NULL, "%s/part.img", fx->dir);
    fixture_mkfs_at(fx, part, "ext4", "16M", NULL);
    parts_place(fx, part, "1");
    parts_place(fx, part, "17");
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(open_native(fx, false, &error), -EMLINK);
    assert_non_null(strstr(error_message(error), "/dev/sda1, /dev/sda2"));
}

/* The list of systems as whoever is asked sees it; the answer is `context`. */
static int answer(void *context, const struct strv *found, size_t *ret, struct error **err)
{
    (void)err;
    assert_int_equal(found->count, 4);
    assert_string_equal(found->items[0], "/dev/sda1");
    assert_string_equal(found->items[1], "one");
    assert_string_equal(found->items[2], "/dev/sda2");
    *ret = *(const size_t *)context;
    return 0;
}

/* Opens with a choice, and says in which root it came to be; or the error number. */
static int open_choice(const struct fixture *fx, const struct guest_root_choice *choice,
                       const char *name)
{
    struct guest_open_options options = {
        .format = IMAGE_RAW, .resources = {.engine = GUEST_ENGINE_NATIVE, .root = choice}};
    struct guest *guest = NULL;
    int r = guest_open(fx->image, &options, &guest, NULL);
    if (r == 0)
        fixture_expect(guest, "/etc/which", name);
    guest_discard(guest);
    return r;
}

static void put_system(const struct fixture *fx, const char *name, const char *offset_mib)
{
    _cleanup_free_ char *release = str_printf(NULL, "ID=debian\nPRETTY_NAME=%s\n", name);
    _cleanup_free_ char *part = str_printf(NULL, "%s/part.img", fx->dir);
    unlink(part);
    fixture_file(fx, "/etc/which", name);
    fixture_file(fx, "/usr/lib/os-release", release);
    fixture_mkfs_at(fx, part, "ext4", "16M", NULL);
    parts_place(fx, part, offset_mib);
}

static void one_of_two_operating_systems_is_chosen(void **state)
{
    struct fixture *fx = *state;
    struct guest_root_choice choice;
    parts_table(fx, three_partitions, "40M");
    put_system(fx, "one", "1");
    put_system(fx, "two", "17");
    assert_int_equal(open_choice(fx, NULL, NULL), -EMLINK);
    assert_ok(guest_root_choice_parse("single", &choice, err));
    assert_int_equal(open_choice(fx, &choice, NULL), -EMLINK);
    assert_ok(guest_root_choice_parse("first", &choice, err));
    assert_int_equal(open_choice(fx, &choice, "one"), 0);
    assert_ok(guest_root_choice_parse("/dev/sda2", &choice, err));
    assert_int_equal(open_choice(fx, &choice, "two"), 0);
    assert_ok(guest_root_choice_parse("/dev/vda1", &choice, err));
    assert_int_equal(open_choice(fx, &choice, "one"), 0);
    assert_ok(guest_root_choice_parse("/dev/sda3", &choice, err));
    assert_int_equal(open_choice(fx, &choice, NULL), -EOPNOTSUPP);
    assert_fails(EINVAL, guest_root_choice_parse("last", &choice, err));

    size_t number = 1;
    assert_ok(guest_root_choice_parse("ask", &choice, err));
    assert_int_equal(open_choice(fx, &choice, NULL), -EMLINK);
    choice.ask = answer;
    choice.context = &number;
    assert_int_equal(open_choice(fx, &choice, "two"), 0);
    number = 2;
    assert_int_equal(open_choice(fx, &choice, NULL), -EMLINK);
}

/* Two disks in one: the other engine would see a second system. */
static void what_may_be_another_system_is_for_the_appliance(void **state)
{
    struct fixture *fx = *state;
    struct guest_root_choice choice;
    parts_table(fx, three_partitions, "40M");
    _cleanup_free_ char *ntfs = str_printf(NULL, "%s/ntfs.img", fx->dir);
    assert_ok(file_write_atomic(ntfs, "\xeb\x52\x90NTFS    ", 11, 0600, err));
    parts_place(fx, ntfs, "33");
    put_system(fx, "one", "1");
    assert_refused(fx, true, "/dev/sda3 (ntfs) may hold another system");
    assert_ok(guest_root_choice_parse("/dev/sda1", &choice, err));
    assert_int_equal(open_choice(fx, &choice, "one"), 0);
    fixture_file(fx, "/etc/fstab", "/dev/sda3 /mnt/windows ntfs3 ro 0 0\n");
    put_system(fx, "one", "1");
    assert_int_equal(open_choice(fx, NULL, "one"), 0);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up_root, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_unclean_file_system_is_for_the_appliance),
        TEST(a_marked_file_system_is_for_no_engine),
        TEST(unknown_features_are_for_the_appliance),
        TEST(boot_is_mounted_by_every_name),
        TEST(a_mount_point_is_crossed_and_kept),
        TEST(what_is_not_mounted_is_not_written_under),
        TEST(an_essential_directory_elsewhere_is_for_the_appliance),
        TEST(lvm_is_for_the_appliance),
        TEST(no_operating_system_is_said),
        TEST(two_operating_systems_are_not_chosen_from),
        TEST(one_of_two_operating_systems_is_chosen),
        TEST(what_may_be_another_system_is_for_the_appliance),
        TEST(a_truncated_image_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
