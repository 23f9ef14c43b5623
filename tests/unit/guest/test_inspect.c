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

/* Product names as the files have them; a NULL version is "". */
static void each_release_file_names_its_distribution(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text, *distro, *version, *osinfo, *manager;
    } cases[] = {
        {"/etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_CODENAME=lucid\n",
         "ubuntu", "10.04", "ubuntu10.04", "apt"},
        {"/etc/lsb-release", "DISTRIB_ID=LinuxMint\nDISTRIB_RELEASE=10\n", "linuxmint", "10",
         "linuxmint10.0", "apt"},
        {"/etc/lsb-release", "DISTRIB_ID=CoreOS\nDISTRIB_RELEASE=647.0.0\n", "coreos", "647.0.0",
         "coreos647.0", "unknown"},
        {"/etc/lsb-release", "DISTRIB_ID=MandrivaLinux\nDISTRIB_RELEASE=2010.1\n", "mandriva",
         "2010.1", "mandriva2010.1", "urpmi"},
        {"/etc/openwrt_release", "DISTRIB_ID='OpenWrt'\nDISTRIB_RELEASE='18.06.1'\n", "openwrt",
         "18.06.1", "openwrt18.6", "unknown"},
        {"/etc/oracle-release", "Oracle Linux Server release 6.10\n", "oraclelinux", "6.10",
         "oraclelinux6.10", "yum"},
        {"/etc/enterprise-release", "Enterprise Linux Enterprise Linux Server release 5.2\n",
         "oraclelinux", "5.2", "oraclelinux5.2", "yum"},
        {"/etc/centos-release", "CentOS Linux release 7.9.2009 (Core)\n", "centos", "7.9.2009",
         "centos7.0", "yum"},
        {"/etc/redhat-release", "Fedora release 14 (Laughlin)\n", "fedora", "14", "fedora14",
         "yum"},
        {"/etc/redhat-release", "Red Hat Enterprise Linux AS release 4 (Nahant Update 8)\n", "rhel",
         "4.8", "rhel4.8", "up2date"},
        {"/etc/redhat-release", "Red Hat Enterprise Linux Server release 6.5 (Santiago)\n", "rhel",
         "6.5", "rhel6.5", "yum"},
        {"/etc/redhat-release", "Red Hat Linux release 9 (Shrike)\n", "rhl", "9", "rhl9.0",
         "up2date"},
        {"/etc/redhat-release", "Scientific Linux release 6.4 (Carbon)\n", "scientificlinux", "6.4",
         "scientificlinux6.4", "yum"},
        {"/etc/redhat-release", "Other Linux release 8.1\n", "redhat-based", "8.1",
         "redhat-based8.1", "dnf"},
        {"/etc/debian_version", "7.11\n", "debian", "7.11", "debian7", "apt"},
        {"/etc/debian_version", "wheezy/sid\n", "debian", "", "unknown", "apt"},
        {"/etc/arch-release", "", "archlinux", "", "archlinux", "pacman"},
        {"/etc/gentoo-release", "Gentoo Base System release 2.2\n", "gentoo", "2.2", "gentoo",
         "portage"},
        {"/etc/slackware-version", "Slackware 14.1\n", "slackware", "14.1", "slackware14.1",
         "unknown"},
        {"/etc/SuSE-release",
         "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n", "sles", "11.4",
         "sles11sp4", "zypper"},
        {"/etc/SuSE-release", "SUSE Linux Enterprise Server 10 (i586)\nVERSION = 10\n", "sles",
         "10", "sles10", "zypper"},
        {"/etc/SuSE-release", "openSUSE 13.2 (x86_64)\nVERSION = 13.2\nCODENAME = Harlequin\n",
         "opensuse", "13.2", "opensuse13.2", "zypper"},
        {"/etc/SuSE-release", "Something else\n", "suse-based", "", "unknown", "zypper"},
        {"/etc/alpine-release", "3.2.0\n", "alpinelinux", "3.2.0", "alpinelinux3.2", "apk"},
        {"/etc/cirros/version", "0.3.4\n", "cirros", "0.3.4", "cirros0.3", "unknown"},
        {"/etc/br-version", "2012.05\n", "buildroot", "2012.05", "buildroot2012.5", "unknown"},
        {"/etc/mageia-release", "Mageia release 4 (Official) for x86_64\n", "mageia", "4",
         "mageia4", "urpmi"},
        {"/etc/altlinux-release", "ALT 8.2 Server\n", "altlinux", "8.2", "alt8.2", "apt"},
        {"/etc/os-release", "ID=centos\nVERSION_ID=\"7\"\n", "centos", "7", "centos7.0", "yum"},
        {"/etc/os-release", "ID=rocky\nVERSION_ID=\"9.4\"\n", "rocky", "9.4", "rocky9", "dnf"},
        {"/etc/os-release", "ID=debian\nVERSION_ID=12\n", "debian", "12", "debian12", "apt"},
        {"/etc/os-release", "ID=fedora\nVERSION_ID=40\n", "fedora", "40", "fedora40", "dnf"},
        {"/etc/os-release", "ID=mine\n", "mine", "", "unknown", "unknown"},
        {"/etc/lsb-release", "LSB_VERSION=1.3\n", "unknown", "", "unknown", "unknown"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct fake_file files[] = {{cases[i].path, cases[i].text}, {0}};
        _cleanup_guest_info_ struct guest_info info = inspect(files);
        const char *const got[] = {info.distro, info.version, info.osinfo, info.package_manager};
        const char *const wanted[] = {cases[i].distro, cases[i].version, cases[i].osinfo,
                                      cases[i].manager};
        for (size_t j = 0; j < ARRAY_SIZE(got); j++)
            if (strcmp(got[j], wanted[j]) != 0)
                fail_msg("%s: %s: '%s', not '%s'", cases[i].path, cases[i].text, got[j], wanted[j]);
        assert_true(info.package_manager_missing);
    }
}

static void the_more_special_release_file_counts(void **state)
{
    (void)state;
    const struct fake_file oracle[] = {
        {"/etc/redhat-release", "Red Hat Enterprise Linux Server release 6.5 (Santiago)\n"},
        {"/etc/oracle-release", "Oracle Linux Server release 6.5\n"},
        {"/etc/lsb-release", "LSB_VERSION=base-4.0\n"},
        {0}};
    _cleanup_guest_info_ struct guest_info info = inspect(oracle);
    assert_string_equal(info.distro, "oraclelinux");
    assert_string_equal(info.product_name, "Oracle Linux Server release 6.5");
    const struct fake_file alpine[] = {{"/etc/alpine-release", "3.2.0\n"}, {0}};
    _cleanup_guest_info_ struct guest_info other = inspect(alpine);
    assert_string_equal(other.product_name, "Alpine Linux v3.2.0");
}

static void a_bsd_is_no_linux(void **state)
{
    (void)state;
    static const struct fake_file freebsd[] = {
        {"/etc/freebsd-update.conf", ""},
        {"/etc/motd.template", "Welcome to FreeBSD!\n"},
        {"/bin/freebsd-version", "#!/bin/sh\nUSERLAND_VERSION=\"13.2-RELEASE-p3\"\n"},
        {"/etc/rc.conf", "# comment\nhostname=\"fb.example.org\"\n"},
        {0}};
    static const struct fake_file netbsd[] = {
        {"/netbsd", ""}, {"/etc/release", "NetBSD 9.3\nmore\n"}, {0}};
    static const struct fake_file openbsd[] = {
        {"/bsd", ""}, {"/etc/motd", "OpenBSD 7.4 (GENERIC) #1\n"}, {"/etc/myname", "ob\n"}, {0}};
    static const struct {
        const struct fake_file *files;
        const char *type, *osinfo, *hostname;
    } cases[] = {{freebsd, "freebsd", "freebsd13.2", "fb.example.org"},
                 {netbsd, "netbsd", "netbsd9.3", ""},
                 {openbsd, "openbsd", "openbsd7.4", "ob"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_guest_info_ struct guest_info info = inspect(cases[i].files);
        assert_string_equal(info.type, cases[i].type);
        assert_string_equal(info.osinfo, cases[i].osinfo);
        assert_string_equal(info.hostname, cases[i].hostname);
    }
}

static void the_host_name_is_where_the_guest_keeps_it(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text, *name;
    } cases[] = {
        {"/etc/hostname", "# comment\n\n web1 \n", "web1"},
        {"/etc/HOSTNAME", "suse.example.org\n", "suse.example.org"},
        {"/etc/sysconfig/network", "NETWORKING=yes\nHOSTNAME=old.example.org\n", "old.example.org"},
        {"/etc/sysconfig/network", "HOSTNAME=\"a\" # was b\n#HOSTNAME=c\nHOSTNAME='d'\n", "d"},
        {"/etc/sysconfig/network", "NETWORKING=yes\n", ""},
        {"/etc/conf.d/hostname", "hostname=\"gentoo\"\n", "gentoo"},
        {"/etc/config/system",
         "config system\n\toption timezone 'UTC'\n\toption hostname 'OpenWrt'\n", "OpenWrt"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct fake_file files[] = {{cases[i].path, cases[i].text}, {0}};
        _cleanup_guest_info_ struct guest_info info = inspect(files);
        if (strcmp(info.hostname, cases[i].name) != 0)
            fail_msg("%s: '%s'", cases[i].path, info.hostname);
    }
    const struct fake_file both[] = {
        {"/etc/sysconfig/network", "HOSTNAME=old\n"}, {"/etc/hostname", "\n"}, {0}};
    _cleanup_guest_info_ struct guest_info info = inspect(both);
    assert_string_equal(info.hostname, "old");
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
        cmocka_unit_test(each_release_file_names_its_distribution),
        cmocka_unit_test(the_more_special_release_file_counts),
        cmocka_unit_test(a_bsd_is_no_linux),
        cmocka_unit_test(the_host_name_is_where_the_guest_keeps_it),
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
