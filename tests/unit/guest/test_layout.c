/* File systems that a guest mounts though its fstab does not name them. */
#include "tests/unit/guest/parts.h"

#include "guest/inspect/cmdline.h"
#include "guest/inspect/machine_uuid.h"

#define USR_X86_64  "8484680c-9521-48c6-9c11-b0720656f69e"
#define USR_ARM64   "b0e01050-ee5f-4390-949a-9101b17104e9"
#define USR_VERITY  "77ff5f63-e7b6-4633-acf4-1565b864c0e6"
#define ROOT_X86_64 "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
#define HOME        "933ac7e1-2eb4-4f13-b844-0e14e2aef915"
#define SRV         "3b8f8425-20e0-4f3b-907f-1a25a76f98e8"
#define VAR         "4d21b016-b534-45c2-a9fb-5c16e091fd2d"
#define XBOOTLDR    "bc13c2ff-59e6-4262-a352-b275fd6f7172"
#define GENERATOR   "/usr/lib/systemd/system-generators/systemd-gpt-auto-generator"

static void empty_tree(struct fixture *fx)
{
    assert_int_equal(fixture_command("rm", "-rf", fx->tree), 0);
    assert_int_equal(mkdir(fx->tree, 0755), 0);
}

/* A root that finds its programs in /usr, which is empty. */
static void split_root(struct fixture *fx)
{
    empty_tree(fx);
    fixture_file(fx, "/etc/fstab", "");
    fixture_link(fx, "../usr/lib/os-release", "/etc/os-release");
    fixture_link(fx, "usr/bin", "/bin");
    fixture_dir(fx, "/usr");
}

/* Four partitions of 16 MiB each; what the tree holds goes on one of them. */
static void put(const struct fixture *fx, const char *offset_mib, const char *label)
{
    _cleanup_free_ char *part = str_printf(NULL, "%s/part.img", fx->dir);
    unlink(part);
    fixture_mkfs_at(fx, part, "ext4", "16M", OPTIONS("-L", label));
    parts_place(fx, part, offset_mib);
}

static void four(const struct fixture *fx, const char *first, const char *second, const char *third,
                 const char *fourth)
{
    _cleanup_free_ char *script = str_printf(NULL,
                                             "label: gpt\n"
                                             "start=1MiB, size=16MiB, %s\n"
                                             "start=17MiB, size=16MiB, %s\n"
                                             "start=33MiB, size=16MiB, %s\n"
                                             "start=49MiB, size=16MiB, %s\n",
                                             first, second, third, fourth);
    parts_table(fx, script, "68M");
}

/* The tree of a /usr that says which it is. */
static void put_usr(struct fixture *fx, const char *offset_mib, const char *label,
                    const char *version)
{
    empty_tree(fx);
    _cleanup_free_ char *release = str_printf(NULL, "ID=debian\nVERSION_ID=%s\n", version);
    fixture_file(fx, "/lib/os-release", release);
    fixture_file(fx, GENERATOR + strlen("/usr"), "");
    fixture_dir(fx, "/bin");
    put(fx, offset_mib, label);
}

/* Whether a part of the image has the text: a change did land there. */
static bool has_text(const struct fixture *fx, const char *offset_mib, const char *path,
                     const char *text)
{
    _cleanup_free_ char *request = str_printf(NULL, "cat %s", path);
    _cleanup_free_ char *part = str_printf(NULL, "%s/look.img", fx->dir);
    _cleanup_free_ char *in = str_printf(NULL, "if=%s", fx->image);
    _cleanup_free_ char *out = str_printf(NULL, "of=%s", part);
    _cleanup_free_ char *skip = str_printf(NULL, "skip=%s", offset_mib);
    _cleanup_free_ char *found = NULL;
    assert_int_equal(fixture_command("dd", in, out, "bs=1M", skip, "count=16", "status=none"), 0);
    fixture_run((const char *const[]){"debugfs", "-R", request, part, NULL}, &found);
    return strstr(found, text);
}

/* Opens, writes a file below the directory and says on which partition it came to lie. */
static void assert_lands(const struct fixture *fx, const char *path, const char *offset_mib,
                         const char *path_there)
{
    struct guest *guest = fixture_open(fx, true);
    fixture_write(guest, path, "landed");
    fixture_close(guest);
    if (!has_text(fx, offset_mib, path_there, "landed"))
        fail_msg("%s is not at %s of the partition at %s MiB", path, path_there, offset_mib);
    parts_check_clean(fx, offset_mib, "16");
}

static void assert_blocked(const struct fixture *fx, const char *path, int errnum, const char *why)
{
    struct guest *guest = fixture_open(fx, true);
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(fixture_put(guest, path, "lost", &error), -errnum);
    if (!strstr(error_message(error), why))
        fail_msg("'%s' does not say '%s'", error_message(error), why);
    fixture_close(guest);
}

/* The layout of libguestfs's own test image: generic types, labels alone. */
static void container_linux_has_its_usr(void **state)
{
    struct fixture *fx = *state;
    four(fx, "name=USR-A", "name=USR-B", "name=OEM", "name=ROOT");
    empty_tree(fx);
    fixture_file(fx, "/share/coreos/lsb-release", "DISTRIB_ID=CoreOS\nDISTRIB_RELEASE=647.0.0\n");
    fixture_dir(fx, "/lib64");
    put(fx, "1", "USR-A");
    empty_tree(fx);
    fixture_file(fx, "/etc/coreos/update.conf", "GROUP=stable\n");
    fixture_link(fx, "../usr/share/coreos/lsb-release", "/etc/lsb-release");
    fixture_link(fx, "usr/bin", "/bin");
    fixture_dir(fx, "/usr");
    put(fx, "49", "ROOT");
    struct guest *guest = fixture_open(fx, false);
    fixture_expect(guest, "/etc/lsb-release", "DISTRIB_ID=CoreOS\nDISTRIB_RELEASE=647.0.0\n");
    fixture_close(guest);
    assert_lands(fx, "/usr/share/here", "1", "/share/here");
}

/* GRUB's gptprio.next boots the second one. */
static void container_linux_takes_the_usr_of_the_highest_priority(void **state)
{
    struct fixture *fx = *state;
    four(fx, "type=5DFBF5F4-2848-4BAC-AA5E-0D9A20B745A6, name=USR-A, attrs=\"GUID:48,56\"",
         "type=5DFBF5F4-2848-4BAC-AA5E-0D9A20B745A6, name=USR-B, attrs=\"GUID:49,56\"", "name=OEM",
         "name=ROOT");
    put_usr(fx, "1", "", "1");
    put_usr(fx, "17", "", "2");
    split_root(fx);
    put(fx, "49", "ROOT");
    assert_lands(fx, "/usr/lib/here", "17", "/lib/here");
}

static void usr_is_found_by_type_and_newest_label(void **state)
{
    struct fixture *fx = *state;
    four(fx, "type=" USR_X86_64 ", name=usr_9", "type=" USR_X86_64 ", name=usr_10",
         "type=" USR_X86_64 ", name=usr_11, attrs=\"GUID:63\"", "type=" ROOT_X86_64);
    put_usr(fx, "1", "", "9");
    put_usr(fx, "17", "", "10");
    put_usr(fx, "33", "", "11");
    split_root(fx);
    put(fx, "49", "");
    assert_lands(fx, "/usr/lib/here", "17", "/lib/here");
    struct guest *guest = fixture_open(fx, false);
    fixture_expect(guest, "/etc/os-release", "ID=debian\nVERSION_ID=10\n");
    fixture_close(guest);
}

static void usr_is_of_the_roots_architecture(void **state)
{
    struct fixture *fx = *state;
    four(fx, "type=" USR_ARM64 ", name=usr_2", "type=" USR_X86_64 ", name=usr_1", "size=16MiB",
         "type=" ROOT_X86_64);
    put_usr(fx, "1", "", "2");
    put_usr(fx, "17", "", "1");
    split_root(fx);
    put(fx, "49", "");
    assert_lands(fx, "/usr/lib/here", "17", "/lib/here");
}

static void usr_is_found_by_its_label(void **state)
{
    struct fixture *fx = *state;
    four(fx, "size=16MiB", "name=usr", "size=16MiB", "size=16MiB");
    put_usr(fx, "17", "", "1");
    split_root(fx);
    put(fx, "49", "");
    assert_lands(fx, "/usr/lib/here", "17", "/lib/here");
}

static const char grub_cfg[] = "menuentry 'Linux' {\n"
                               "  linux /boot/vmlinuz root=LABEL=root %s ro\n"
                               "}\n";

static void add_kernel(const struct fixture *fx, const char *parameters)
{
    _cleanup_free_ char *config = str_printf(NULL, grub_cfg, parameters);
    fixture_file(fx, "/boot/vmlinuz", "kernel");
    fixture_file(fx, "/boot/grub/grub.cfg", config);
}

/* Even where the root has a /usr: the initramfs mounts over it. */
static void the_command_line_names_usr(void **state)
{
    static const char *const forms[] = {"mount.usr=LABEL=there", "usr=LABEL=there",
                                        "mount.usr=PARTLABEL=two mount.usrfstype=ext4",
                                        "mount.usr=/dev/vda1 mount.usr=/dev/vda2"};
    struct fixture *fx = *state;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        four(fx, "size=16MiB", "name=two", "size=16MiB", "size=16MiB");
        put_usr(fx, "17", "there", "1");
        empty_tree(fx);
        fixture_root(fx);
        fixture_file(fx, "/etc/fstab", "");
        add_kernel(fx, forms[i]);
        put(fx, "49", "root");
        assert_lands(fx, "/usr/lib/here", "17", "/lib/here");
        assert_false(has_text(fx, "49", "/usr/lib/here", "landed"));
    }
}

static void a_usr_that_is_not_there_is_not_written_under(void **state)
{
    struct fixture *fx = *state;
    four(fx, "size=16MiB", "size=16MiB", "size=16MiB", "size=16MiB");
    put_usr(fx, "17", "other", "1");
    empty_tree(fx);
    fixture_root(fx);
    add_kernel(fx, "mount.usr=LABEL=missing");
    put(fx, "49", "root");
    assert_blocked(fx, "/usr/lib/here", EOPNOTSUPP, "LABEL=missing is not on this disk");
    split_root(fx);
    put(fx, "49", "root");
    assert_blocked(fx, "/usr/here", EOPNOTSUPP, "no file system for it was found");
    struct guest *guest = fixture_open(fx, true);
    assert_fails(EOPNOTSUPP, guest_mkdir_p(guest, "/usr/lib/new", 0755, err));
    fixture_write(guest, "/etc/here", "is written");
    fixture_close(guest);
}

static void a_usr_of_another_kind_is_for_the_appliance(void **state)
{
    struct fixture *fx = *state;
    four(fx, "type=" USR_X86_64, "size=16MiB", "size=16MiB", "size=16MiB");
    _cleanup_free_ char *xfs = str_printf(NULL, "%s/xfs.img", fx->dir);
    assert_ok(file_write_atomic(xfs, "XFSB", 4, 0600, err));
    parts_place(fx, xfs, "1");
    split_root(fx);
    put(fx, "49", "");
    struct guest_open_options options = {
        .format = IMAGE_RAW, .resources.engine = GUEST_ENGINE_NATIVE, .writable = true};
    struct guest *guest = NULL;
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(guest_open(fx->image, &options, &guest, &error), -EOPNOTSUPP);
    assert_non_null(strstr(error_message(error), "/usr: /dev/sda1 is xfs"));
}

/* A guest whose hashes no longer fit does not boot. */
static void what_dm_verity_checks_is_read_only(void **state)
{
    struct fixture *fx = *state;
    four(fx, "type=" USR_X86_64, "type=" USR_VERITY, "size=16MiB", "size=16MiB");
    put_usr(fx, "1", "", "1");
    split_root(fx);
    put(fx, "49", "");
    assert_blocked(fx, "/usr/lib/here", EROFS, "dm-verity");
    assert_blocked(fx, "/etc/os-release", EROFS, "dm-verity");
    assert_lands(fx, "/etc/here", "49", "/etc/here");

    four(fx, "name=USR-A", "size=16MiB", "size=16MiB", "size=16MiB");
    put_usr(fx, "1", "", "1");
    split_root(fx);
    add_kernel(fx, "mount.usr=/dev/mapper/usr verity.usr=PARTLABEL=USR-A verity.usrhash=abc");
    put(fx, "49", "");
    assert_blocked(fx, "/usr/lib/here", EROFS, "dm-verity");
}

/* Root with a generator, and whatever the test adds. */
static void full_root(struct fixture *fx)
{
    empty_tree(fx);
    fixture_root(fx);
    fixture_file(fx, GENERATOR, "");
    fixture_dir(fx, "/home");
    fixture_dir(fx, "/boot");
    fixture_dir(fx, "/var");
}

static void put_data(struct fixture *fx, const char *offset_mib)
{
    empty_tree(fx);
    put(fx, offset_mib, "data");
}

static void home_and_boot_are_mounted_by_type(void **state)
{
    struct fixture *fx = *state;
    four(fx, "type=" HOME, "type=" XBOOTLDR, "type=" SRV, "type=" ROOT_X86_64);
    put_data(fx, "1");
    put_data(fx, "17");
    put_data(fx, "33");
    full_root(fx);
    fixture_file(fx, "/srv/populated", "");
    put(fx, "49", "");
    assert_lands(fx, "/home/here", "1", "/here");
    assert_lands(fx, "/boot/here", "17", "/here");
    assert_lands(fx, "/srv/here", "49", "/srv/here");
}

/* fstab comes first, the generator can be taken away, and the command line switches it off. */
static void home_is_not_mounted_where_the_guest_does_not(void **state)
{
    static const struct {
        const char *path, *text; /* NULL: a link to /dev/null */
    } cases[] = {
        {"/etc/systemd/system-generators/systemd-gpt-auto-generator", NULL},
        {"/etc/systemd/system-generators/systemd-gpt-auto-generator", ""},
        {"/boot/grub/grub.cfg", "menuentry x {\n linux /etc/os-release systemd.gpt-auto=off\n}\n"},
        {"/etc/fstab", "LABEL=none /home/ ext4 noauto\n"},
    };
    struct fixture *fx = *state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        four(fx, "type=" HOME, "size=16MiB", "size=16MiB", "type=" ROOT_X86_64);
        put_data(fx, "1");
        full_root(fx);
        if (cases[i].text)
            fixture_file(fx, cases[i].path, cases[i].text);
        else
            fixture_link(fx, "/dev/null", cases[i].path);
        put(fx, "49", "");
        assert_lands(fx, "/home/here", "49", "/home/here");
    }
}

/* What systemd-id128 -a 4d21b016b53445c2a9fb5c16e091fd2d prints for the machine id. */
static void var_is_that_of_the_machine(void **state)
{
    static const char id[] = "0123456789abcdef0123456789abcdef\n";
    struct fixture *fx = *state;
    char uuid[37];
    assert_int_equal(machine_uuid("0123456789abcdef0123456789abcdef", VAR, uuid, NULL), 1);
    assert_string_equal(uuid, "c0c46eff-e386-4746-a2bd-0962cd326ea2");
    assert_int_equal(machine_uuid("uninitialized", VAR, uuid, NULL), 0);
    assert_int_equal(machine_uuid("", VAR, uuid, NULL), 0);
    for (int own = 0; own < 2; own++) {
        four(fx, own ? "type=" VAR ", uuid=c0c46eff-e386-4746-a2bd-0962cd326ea2" : "type=" VAR,
             "size=16MiB", "size=16MiB", "type=" ROOT_X86_64);
        put_data(fx, "1");
        full_root(fx);
        fixture_file(fx, "/etc/machine-id", id);
        put(fx, "49", "");
        assert_lands(fx, "/var/here", own ? "1" : "49", own ? "/here" : "/var/here");
    }
}

static void parameters_are_read_as_systemd_does(void **state)
{
    (void)state;
    static const struct {
        const char *line, *name, *value;
    } cases[] = {
        {"a=1 b=2", "b", "2"},     {"a=1 a=2\n", "a", "2"},
        {"x.a=1", "a", NULL},      {"mount_usr=1 mount-usr=2", "mount-usr", "2"},
        {"a a=", "a", ""},         {"a=\"x y\" b='z w'", "a", "x y"},
        {"\"a=x y\"", "a", "x y"}, {"usr", "usr", NULL},
        {"\fa=1\vb=2", "b", "2"},  {"", "a", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *value = NULL;
        assert_ok(cmdline_value(cases[i].line, cases[i].name, &value, err));
        const char *wanted = cases[i].value ? cases[i].value : "none";
        if (strcmp(value ? value : "none", wanted) != 0)
            fail_msg("%s of '%s': %s", cases[i].name, cases[i].line, value ? value : "none");
    }
    assert_true(cmdline_is_false("No"));
    assert_false(cmdline_is_false("yes"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up_root, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(container_linux_has_its_usr),
        TEST(container_linux_takes_the_usr_of_the_highest_priority),
        TEST(usr_is_found_by_type_and_newest_label),
        TEST(usr_is_of_the_roots_architecture),
        TEST(usr_is_found_by_its_label),
        TEST(the_command_line_names_usr),
        TEST(a_usr_that_is_not_there_is_not_written_under),
        TEST(a_usr_of_another_kind_is_for_the_appliance),
        TEST(what_dm_verity_checks_is_read_only),
        TEST(home_and_boot_are_mounted_by_type),
        TEST(home_is_not_mounted_where_the_guest_does_not),
        TEST(var_is_that_of_the_machine),
        cmocka_unit_test(parameters_are_read_as_systemd_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
