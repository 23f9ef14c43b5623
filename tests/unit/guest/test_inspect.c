/* What operating system it is: told from a guest's files alone. */
#include "tests/unit/guest/fake.h"

#include "guest/inspect/elf.h"
#include "guest/inspect/fstab.h"
#include "guest/inspect/osrelease.h"
#include "guest/inspect/selinux_config.h"
#include "guest/inspect/version.h"

static struct guest_info inspect(const struct fake_file *files)
{
    struct fake_guest fake = fake_guest(files);
    struct guest_info info = {0};
    assert_ok(guest_inspect(&fake.guest, &info, err));
    return info;
}

static void debian_is_known(void **state)
{
    (void)state;
    const struct fake_file files[] = {
        {"/etc/os-release", LINK "/usr/lib/os-release"},
        {"/usr/lib/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian\"\n"
                                "VERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n"},
        {"/etc/hostname", "  web1\n\n"},
        {"/var/lib/dpkg/status", ""},
        {"/usr/bin/apt-get", ""},
        {"/sbin/init", LINK "/lib/systemd/systemd"},
        {"/lib/systemd/systemd", ""},
        {"/usr/bin/cloud-init", ""},
        {0},
    };
    _cleanup_guest_info_ struct guest_info info = inspect(files);
    assert_string_equal(info.type, "linux");
    assert_string_equal(info.distro, "debian");
    assert_string_equal(info.product_name, "Debian GNU/Linux 12 (bookworm)");
    assert_string_equal(info.version, "12");
    assert_string_equal(info.codename, "bookworm");
    assert_string_equal(info.hostname, "web1");
    assert_string_equal(info.package_format, "deb");
    assert_string_equal(info.package_manager, "apt");
    assert_string_equal(info.init, "systemd");
    assert_string_equal(info.arch, "unknown");
    assert_string_equal(info.root_device, "/dev/sda1");
    assert_true(info.cloud_init);
    assert_false(info.selinux);
}

static void fedora_is_known(void **state)
{
    (void)state;
    const struct fake_file files[] = {
        {"/etc/os-release", "ID=fedora\nVERSION_ID=40\nNAME='Fedora Linux'\n"},
        {"/usr/lib/sysimage/rpm", NULL},
        {"/usr/bin/dnf5", ""},
        {"/etc/selinux/config", "# SELINUX=disabled\nSELINUX=enforcing\nSELINUXTYPE=targeted\n"},
        {"/usr/lib/systemd/systemd", ""},
        {0},
    };
    _cleanup_guest_info_ struct guest_info info = inspect(files);
    assert_string_equal(info.distro, "fedora");
    assert_string_equal(info.product_name, "Fedora Linux");
    assert_string_equal(info.version, "40");
    assert_string_equal(info.codename, "");
    assert_string_equal(info.package_format, "rpm");
    assert_string_equal(info.package_manager, "dnf");
    assert_string_equal(info.init, "systemd");
    assert_true(info.selinux);
}

static void alpine_is_known(void **state)
{
    (void)state;
    const struct fake_file files[] = {
        {"/etc/os-release", "ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME=\"Alpine Linux v3.20\"\n"},
        {"/lib/apk/db", NULL},
        {"/sbin/apk", ""},
        {"/sbin/init", LINK "/bin/busybox"},
        {"/bin/busybox", ""},
        {"/sbin/openrc", ""},
        {0},
    };
    _cleanup_guest_info_ struct guest_info info = inspect(files);
    assert_string_equal(info.distro, "alpinelinux");
    assert_string_equal(info.package_manager, "apk");
    assert_string_equal(info.init, "openrc");
}

static void releases_from_before_os_release_are_known(void **state)
{
    (void)state;
    const struct fake_file files[] = {
        {"/etc/redhat-release", "CentOS release 6.10 (Final)\n"},
        {"/etc/inittab", ""},
        {0},
    };
    _cleanup_guest_info_ struct guest_info info = inspect(files);
    assert_string_equal(info.distro, "centos");
    assert_string_equal(info.version, "6.10");
    assert_string_equal(info.product_name, "CentOS release 6.10 (Final)");
    assert_string_equal(info.init, "sysvinit");
}

static void a_guest_that_says_nothing_is_unknown(void **state)
{
    (void)state;
    const struct fake_file files[] = {{0}};
    _cleanup_guest_info_ struct guest_info info = inspect(files);
    assert_string_equal(info.distro, "unknown");
    assert_string_equal(info.product_name, "unknown");
    assert_string_equal(info.hostname, "");
    assert_string_equal(info.package_format, "unknown");
    assert_string_equal(info.init, "unknown");
}

static void control_bytes_do_not_reach_the_terminal(void **state)
{
    (void)state;
    const struct fake_file files[] = {
        {"/etc/os-release", "ID=\"x\033[31m\"\nPRETTY_NAME=\"a\033]0;title\007b\"\n"},
        {"/etc/hostname", "h\033[0m"},
        {0},
    };
    _cleanup_guest_info_ struct guest_info info = inspect(files);
    assert_string_equal(info.product_name, "a\\x1b]0;title\\x07b");
    assert_string_equal(info.distro, "x\\x1b[31m");
    assert_string_equal(info.hostname, "h\\x1b[0m");
}

static void os_release_is_read_as_a_shell_would(void **state)
{
    (void)state;
    _cleanup_os_release_ struct os_release release = {0};
    assert_ok(os_release_parse("\n# ID=comment\n  ID = no\nID=first\nID=\"se\"cond\r\n"
                               "NAME='it'\"'\"'s'\nPRETTY_NAME=\"a \\\"b\\\" \\$c \\\\\"\n"
                               "VERSION_ID=12 # behind\nnonsense\n=x\nVARIANT_ID=",
                               &release, err));
    assert_string_equal(release.id, "second");
    assert_string_equal(release.name, "it's");
    assert_string_equal(release.pretty_name, "a \"b\" $c \\");
    assert_string_equal(release.version_id, "12");
    assert_string_equal(release.variant_id, "");
    assert_null(release.id_like);
}

static void quotes_of_os_release_go_over_lines(void **state)
{
    (void)state;
    _cleanup_os_release_ struct os_release release = {0};
    assert_ok(os_release_parse("NAME=\"two\nID=no\nlines\"\nVERSION_ID=\"1\"'2'3\\ 4 # 5\n"
                               "PRETTY_NAME=\"a\\nb \\\\ \\` \\\nc\"\nVERSION_CODENAME='a\\\"b'\n"
                               "VARIANT_ID=a\\\nb\n#ID='\nID=one\n ID=two  \t\r\nID_LIKE=\"open\n",
                               &release, err));
    assert_string_equal(release.name, "two ID=no lines");
    assert_string_equal(release.version_id, "123 4");
    assert_string_equal(release.pretty_name, "a\\nb \\ ` c");
    assert_string_equal(release.version_codename, "a\\\"b");
    assert_string_equal(release.variant_id, "ab");
    assert_string_equal(release.id, "two");
    assert_string_equal(release.id_like, "open");
}

static void selinux_is_read_as_libselinux_does(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool enabled;
        const char *type;
    } cases[] = {
        {"SELINUX=enforcing\nSELINUXTYPE=targeted\n", true, "targeted"},
        {"SELINUX=Enforcing", true, "targeted"},
        {"SELINUX=PERMISSIVE # until it works\n", true, "targeted"},
        {"SELINUX= \tdisabled\r\n", false, "targeted"},
        {"SELINUX=disabledx\n", false, "targeted"},
        {"SELINUX=disabled\nSELINUX=enforcing\n", false, "targeted"},
        {"SELINUX=nonsense\nSELINUX=disabled\n", false, "targeted"},
        /* What cannot be read leaves the policy loaded. */
        {"SELINUX=\"disabled\"\n", true, "targeted"},
        {" SELINUX=disabled\n", true, "targeted"},
        {"selinux=disabled\n", true, "targeted"},
        {"SELINUX =disabled\n", true, "targeted"},
        {"# SELINUX=disabled\n", true, "targeted"},
        {"", true, "targeted"},
        {"\tselinuxtype=  mls \r\nSELINUX=enforcing\n", true, "mls"},
        {"SELINUXTYPE=mls\n#SELINUXTYPE=x\nSELINUXTYPE=minimum", true, "minimum"},
        {"SELINUXTYPE=targeted # x\n", true, "targeted # x"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_selinux_config_ struct selinux_config config = {0};
        assert_ok(selinux_config_parse(cases[i].text, &config, err));
        if (config.enabled != cases[i].enabled || strcmp(config.type, cases[i].type) != 0)
            fail_msg("%s: %d, '%s'", cases[i].text, config.enabled, config.type);
    }
}

static void distributions_have_libguestfs_names(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"opensuse-leap", "opensuse"},
        {"opensuse-tumbleweed", "opensuse"},
        {"sled", "sles"},
        {"arch", "archlinux"},
        {"ol", "oraclelinux"},
        {"rhel", "rhel"},
        {"rocky", "rocky"},
        {"Debian", "debian"},
        {"openEuler", "openeuler"},
        {"openSUSE-leap", "opensuse"},
        {"", "unknown"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct os_release release = {.id = (char *)names[i][0]};
        _cleanup_free_ char *distro = os_release_distro(&release, NULL);
        assert_string_equal(distro, names[i][1]);
    }
}

static void machines_are_told_from_elf_headers(void **state)
{
    (void)state;
    uint8_t header[ELF_HEADER_SIZE] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    header[18] = 62;
    assert_string_equal(elf_machine(header, sizeof(header)), "x86_64");
    assert_null(elf_machine(header, sizeof(header) - 1));
    header[18] = 183;
    assert_string_equal(elf_machine(header, sizeof(header)), "aarch64");
    header[18] = 250;
    assert_null(elf_machine(header, sizeof(header)));
    header[5] = 2;
    header[18] = 0;
    header[19] = 22;
    assert_string_equal(elf_machine(header, sizeof(header)), "s390x");
    header[0] = '#';
    assert_null(elf_machine(header, sizeof(header)));
}

static void fstab_is_read_line_by_line(void **state)
{
    (void)state;
    _cleanup_fstab_ struct fstab fstab = {0};
    assert_ok(fstab_parse("# UUID=a / ext4\n\n \t UUID=b\t/with\\040space  ext4\tro,nofail 0 2\r\n"
                          "too short\n/dev/sda1 none swap sw\n/dev/x /\\000\\777\\1 auto\n",
                          &fstab, err));
    assert_int_equal(fstab.count, 3);
    assert_string_equal(fstab.items[0].spec, "UUID=b");
    assert_string_equal(fstab.items[0].dir, "/with space");
    assert_true(fstab_has_option(&fstab.items[0], "nofail"));
    assert_true(fstab_has_option(&fstab.items[0], "ro"));
    assert_false(fstab_has_option(&fstab.items[0], "no"));
    assert_string_equal(fstab.items[1].type, "swap");
    assert_string_equal(fstab.items[2].dir, "/\\000\\777\\1");
    assert_string_equal(fstab.items[2].options, "defaults");
}

static void an_endless_fstab_is_refused(void **state)
{
    (void)state;
    _cleanup_str_ struct str text = {0};
    for (unsigned i = 0; i < 1001; i++)
        str_append(&text, "a /b ext4\n");
    struct fstab fstab = {0};
    assert_fails(EFBIG, fstab_parse(text.data, &fstab, err));
}

static void versions_are_ordered(void **state)
{
    (void)state;
    /* Ascending; the examples of the specification among them. */
    static const char *const versions[] = {
        "11~rc1",  "11",        "11-rc1",  "11^20220101", "12~1",    "12~1.1",
        "122.1",   "123~rc1-1", "123",     "123-a",       "123-a.1", "123-1",
        "123-1.1", "123^post1", "123.a-1", "123.1-1",     "123a-1",  "124-1",
    };
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
        for (size_t j = 0; j < ARRAY_SIZE(versions); j++) {
            int order = version_compare(versions[i], versions[j]);
            if ((order > 0) - (order < 0) != (i > j) - (i < j))
                fail_msg("%s against %s: %d", versions[i], versions[j], order);
        }
    assert_int_equal(version_compare("1.0", "1_.0"), 0);
    assert_true(version_compare("6.1.0-10-amd64", "6.1.0-9-amd64") > 0);
    assert_true(version_compare("99999999999999999999999", "100000000000000000000000") < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debian_is_known),
        cmocka_unit_test(fedora_is_known),
        cmocka_unit_test(alpine_is_known),
        cmocka_unit_test(releases_from_before_os_release_are_known),
        cmocka_unit_test(a_guest_that_says_nothing_is_unknown),
        cmocka_unit_test(control_bytes_do_not_reach_the_terminal),
        cmocka_unit_test(os_release_is_read_as_a_shell_would),
        cmocka_unit_test(quotes_of_os_release_go_over_lines),
        cmocka_unit_test(selinux_is_read_as_libselinux_does),
        cmocka_unit_test(distributions_have_libguestfs_names),
        cmocka_unit_test(machines_are_told_from_elf_headers),
        cmocka_unit_test(fstab_is_read_line_by_line),
        cmocka_unit_test(an_endless_fstab_is_refused),
        cmocka_unit_test(versions_are_ordered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
