/* --hostname, --timezone, and the random seed */

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

static void become(struct world *w, const char *distro, const char *version, const char *init)
{
    static char names[3][32];
    snprintf(names[0], sizeof(names[0]), "%s", distro);
    snprintf(names[1], sizeof(names[1]), "%s", version);
    snprintf(names[2], sizeof(names[2]), "%s", init);
    w->info.distro = names[0];
    w->info.version = names[1];
    w->info.init = names[2];
    fake_guest_free(w->fake);
    w->fake = fake_guest_new();
    fake_add_dir(w->fake, "/etc/sysconfig");
}

static void debian_has_the_name_in_hosts_as_well(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/etc/hostname", 0644, 0, 0, "old.example.org\n");
    fake_add_file(w->fake, "/etc/hosts", 0644, 0, 0,
                  "127.0.0.1\tlocalhost\n"
                  "127.0.1.1\told.example.org old  older # old\n"
                  "# 10.0.0.1 old\n"
                  "10.0.0.2 unassigned-hostname.unassigned-domain unassigned-hostname\r\n"
                  "\n"
                  "::1 localhost ip6-localhost old");
    assert_int_equal(world_do(w, "hostname", "web1.example.com"), 0);
    world_expect(w, "/etc/hostname", "web1.example.com\n");
    world_expect(w, "/etc/hosts",
                 "127.0.0.1\tlocalhost\n"
                 "127.0.1.1\tweb1.example.com web1  older # old\n"
                 "# 10.0.0.1 old\n"
                 "10.0.0.2 web1.example.com web1\r\n"
                 "\n"
                 "::1 localhost ip6-localhost web1");
    assert_int_equal(world_do(w, "hostname", "db1"), 0);
    assert_non_null(strstr(fake_content(w->fake, "/etc/hosts"), "127.0.1.1\tdb1 db1  older"));
}

static void hosts_without_the_old_name_stays(void **state)
{
    struct world *w = *state;
    static const char hosts[] = "127.0.0.1 localhost\n";
    fake_add_file(w->fake, "/etc/hostname", 0644, 0, 0, "localhost\n");
    fake_add_file(w->fake, "/etc/hosts", 0644, 0, 0, hosts);
    assert_int_equal(world_do(w, "hostname", "web1"), 0);
    world_expect(w, "/etc/hostname", "web1\n");
    world_expect(w, "/etc/hosts", hosts);
    /* No file at all is fine, too. */
    assert_int_equal(world_do(w, "delete", "/etc/host*"), 0);
    assert_int_equal(world_do(w, "hostname", "web2"), 0);
    world_expect(w, "/etc/hostname", "web2\n");
    assert_null(fake_content(w->fake, "/etc/hosts"));
}

static void each_distribution_keeps_its_hostname_elsewhere(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *distro, *version, *path, *before, *after, *absent;
    } cases[] = {
        {"fedora", "39", "/etc/machine-info", "A=1\nPRETTY_HOSTNAME=x\nB=2",
         "A=1\nB=2\nPRETTY_HOSTNAME=web1\n", "/etc/sysconfig/network"},
        {"rhel", "9.1", "/etc/hostname", NULL, "web1\n", "/etc/sysconfig/network"},
        {"centos", "6.5", "/etc/sysconfig/network", "NETWORKING=yes\nHOSTNAME=x\n",
         "NETWORKING=yes\nHOSTNAME=web1\n", "/etc/hostname"},
        {"fedora", "17", "/etc/sysconfig/network", NULL, "HOSTNAME=web1\n", "/etc/hostname"},
        {"amzn", "2", "/etc/hostname", NULL, "web1\n", "/etc/sysconfig/network"},
        {"amzn", "2018.03", "/etc/sysconfig/network", NULL, "HOSTNAME=web1\n", "/etc/hostname"},
        {"amzn", "2023", "/etc/hostname", NULL, "web1\n", "/etc/sysconfig/network"},
        {"opensuse", "15.5", "/etc/hostname", NULL, "web1\n", "/etc/HOSTNAME"},
        {"sles", "15.4", "/etc/HOSTNAME", "x\n", "web1\n", NULL},
        {"sles", "11.4", "/etc/HOSTNAME", NULL, "web1\n", "/etc/hostname"},
        {"alpinelinux", "3.18", "/etc/hostname", NULL, "web1\n", NULL},
        {"archlinux", "", "/etc/hostname", NULL, "web1\n", NULL},
        {"gentoo", "2.14", "/etc/conf.d/hostname", "# name\nhostname=\"x\"\n",
         "# name\nhostname=\"web1\"\n", NULL},
        {"gentoo", "2.14", "/etc/hostname", NULL, "web1\n", "/etc/conf.d/hostname"},
        {"slackware", "15.0", "/etc/HOSTNAME", "darkstar.example.net\n", "web1\n", "/etc/hostname"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        become(w, cases[i].distro, cases[i].version, "unknown");
        if (cases[i].before)
            fake_add_file(w->fake, cases[i].path, 0640, 0, 0, cases[i].before);
        assert_int_equal(world_do(w, "hostname", "web1"), 0);
        world_expect(w, cases[i].path, cases[i].after);
        assert_int_equal(fake_mode(w->fake, cases[i].path),
                         S_IFREG | (cases[i].before ? 0640 : 0644));
        if (cases[i].absent)
            assert_int_equal(fake_mode(w->fake, cases[i].absent), 0);
    }
}

static const char *const openwrt[][2] = {
    {"config system\n\toption hostname 'OpenWrt'\n\toption timezone 'UTC'\n\nconfig timeserver "
     "'ntp'\n\toption hostname 'no'\n",
     "config system\n\toption hostname 'web1'\n\toption timezone 'UTC'\n\nconfig timeserver "
     "'ntp'\n\toption hostname 'no'\n"},
    {"# option hostname a\nconfig 'system' \"main\" # option hostname b\n option\thostname  a\\ b# "
     "c\n",
     "# option hostname a\nconfig 'system' \"main\" # option hostname b\n option\thostname  "
     "'web1'# c\n"},
    {"c system;o hostname \"a\nb\"\nconfig system x\noption 'hostname' 'y'",
     "c system;o hostname 'web1'\nconfig system x\noption 'hostname' 'web1'"},
    {"config x\n\toption hostname 'x'\nconfig system # s\n\toption a 'b'\n",
     "config x\n\toption hostname 'x'\nconfig system\n\toption hostname 'web1' # s\n\toption a "
     "'b'\n"},
    {"config x\n\toption hostname 'x'\n",
     "config x\n\toption hostname 'x'\n\nconfig system\n\toption hostname 'web1'\n"},
};

static void openwrt_keeps_its_hostname_in_uci(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_SIZE(openwrt); i++) {
        become(w, i % 2 ? "openwrt" : "immortalwrt", "23.05", "sysvinit");
        fake_add_file(w->fake, "/sbin/uci", 0755, 0, 0, "elf");
        fake_add_file(w->fake, "/etc/config/system", 0600, 0, 0, openwrt[i][0]);
        assert_int_equal(world_do(w, "hostname", "web1"), 0);
        world_expect(w, "/etc/config/system", openwrt[i][1]);
        assert_int_equal(fake_mode(w->fake, "/etc/hostname"), 0);
    }
    /* Before its first boot the configuration is not there yet. */
    become(w, "openwrt", "23.05", "sysvinit");
    assert_int_equal(world_do(w, "hostname", "web1"), 0);
    world_expect(w, "/etc/uci-defaults/zz-hostname",
                 "uci set system.@system[0].hostname='web1' && uci commit system\n");
    assert_int_equal(fake_mode(w->fake, "/etc/config/system"), 0);
    fake_add_file(w->fake, "/etc/config/system", 0600, 0, 0, "config system 'x\n");
    assert_int_equal(world_do(w, "hostname", "web1"), -EINVAL);
    assert_error_has(w, "/etc/config/system in the guest: a quote is not closed");
}

/* Of distributions that are not in the tables, or with another init. */
static void boot_scripts_tell_where_the_hostname_is(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *distro, *init, *script, *text, *path, *before, *after;
    } cases[] = {
        {"buildroot", "busybox", "/etc/inittab", "::sysinit:/bin/hostname -F /etc/hostname\n",
         "/etc/hostname", NULL, "web1\n"},
        {"salix", "sysvinit", "/etc/rc.d/rc.M", "if [ -r /etc/HOSTNAME ]; then\n", "/etc/HOSTNAME",
         "x\n", "web1\n"},
        {"pld", "sysvinit", "/etc/rc.d/rc.sysinit", ". /etc/sysconfig/network\n",
         "/etc/sysconfig/network", "A=b\nHOSTNAME=x\n", "A=b\nHOSTNAME=web1\n"},
        {"crux", "sysvinit", "/etc/rc", ". /etc/rc.conf\n", "/etc/rc.conf", "HOSTNAME=x\nFONT=y\n",
         "FONT=y\nHOSTNAME=web1\n"},
        {"archlinux", "sysvinit", "/etc/rc.sysinit", ". /etc/rc.conf\n", "/etc/rc.conf",
         "HOSTNAME=x\n", "HOSTNAME=web1\n"},
        {"artix", "openrc", "/etc/init.d/hostname", "", "/etc/conf.d/hostname", "hostname='x'\n",
         "hostname=\"web1\"\n"},
        {"unheard-of", "systemd", "/etc/rc", "", "/etc/hostname", NULL, "web1\n"},
        {"unheard-of", "unknown", "/etc/rc", "", "/etc/hostname", "x\n", "web1\n"},
        {"void", "unknown", "/etc/runit/2", "", "/etc/hostname", NULL, "web1\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        become(w, cases[i].distro, "", cases[i].init);
        fake_add_file(w->fake, cases[i].script, 0755, 0, 0, cases[i].text);
        if (cases[i].before)
            fake_add_file(w->fake, cases[i].path, 0644, 0, 0, cases[i].before);
        if (world_do(w, "hostname", "web1") < 0)
            fail_msg("%s: %s", cases[i].distro, error_message(w->error));
        world_expect(w, cases[i].path, cases[i].after);
        if (strcmp(cases[i].path, "/etc/hostname") != 0 && strcmp(cases[i].init, "openrc") != 0)
            assert_int_equal(fake_mode(w->fake, "/etc/hostname"), 0);
    }
}

static void a_hostname_that_nothing_would_read_is_refused(void **state)
{
    struct world *w = *state;
    become(w, "unheard-of", "1", "unknown");
    fake_add_file(w->fake, "/etc/rc", 0755, 0, 0, "# cat /etc/hostname\n");
    assert_int_equal(world_do(w, "hostname", "web1"), -EOPNOTSUPP);
    assert_error_has(w, "no boot script reads");
    become(w, "nixos", "23.11", "systemd");
    assert_int_equal(world_do(w, "hostname", "web1"), -EOPNOTSUPP);
    assert_non_null(strstr(error_remedy(w->error), "networking.hostName"));
    assert_int_equal(fake_mode(w->fake, "/etc/hostname"), 0);
}

static void slackware_has_the_name_in_hosts_as_well(void **state)
{
    struct world *w = *state;
    become(w, "slackware", "15.0", "sysvinit");
    fake_add_file(w->fake, "/etc/HOSTNAME", 0644, 0, 0, "# name\ndarkstar.example.net\n");
    fake_add_file(w->fake, "/etc/hosts", 0644, 0, 0, "127.0.0.1 darkstar.example.net darkstar\n");
    assert_int_equal(world_do(w, "hostname", "web1.example.com"), 0);
    world_expect(w, "/etc/hosts", "127.0.0.1 web1.example.com web1\n");
}

static void derivatives_are_known_by_their_package_manager(void **state)
{
    struct world *w = *state;
    static char apt[] = "apt";
    become(w, "raspbian", "9", "systemd");
    w->info.package_manager = apt;
    fake_add_file(w->fake, "/etc/hostname", 0644, 0, 0, "pi\n");
    fake_add_file(w->fake, "/etc/hosts", 0644, 0, 0, "127.0.1.1 pi\n");
    assert_int_equal(world_do(w, "hostname", "web1"), 0);
    world_expect(w, "/etc/hosts", "127.0.1.1 web1\n");
}

static void the_longest_names_are_those_of_the_kernel(void **state)
{
    struct world *w = *state;
    char name[128];
    memset(name, 'a', sizeof(name));
    name[32] = '.';
    name[64] = '\0';
    assert_int_equal(world_add(w, "hostname", name), 0);
    name[64] = 'a';
    name[65] = '\0';
    assert_int_equal(world_add(w, "hostname", name), -EINVAL);
}

static void add_zones(struct world *w)
{
    fake_add_file(w->fake, "/usr/share/zoneinfo/Europe/London", 0644, 0, 0, "TZif2");
    fake_add_file(w->fake, "/usr/share/zoneinfo/UTC", 0644, 0, 0, "TZif2");
}

static void expect_zone(struct world *w, const char *target)
{
    char *found;
    assert_int_equal(guest_readlink(&w->fake->guest, "/etc/localtime", &found, NULL), 0);
    assert_string_equal(found, target);
    free(found);
}

static void timezone_links_localtime(void **state)
{
    struct world *w = *state;
    add_zones(w);
    fake_add_dir(w->fake, "/etc");
    assert_int_equal(world_do(w, "timezone", "Europe/London"), 0);
    expect_zone(w, "/usr/share/zoneinfo/Europe/London");
    assert_null(fake_content(w->fake, "/etc/timezone"));
    fake_add_file(w->fake, "/etc/timezone", 0644, 0, 0, "Etc/UTC\n");
    assert_int_equal(world_do(w, "timezone", "UTC"), 0);
    expect_zone(w, "/usr/share/zoneinfo/UTC");
    world_expect(w, "/etc/timezone", "UTC\n");
    world_expect(w, "/usr/share/zoneinfo/Europe/London", "TZif2");
}

static void timezone_replaces_a_copy_and_a_dangling_link(void **state)
{
    struct world *w = *state;
    add_zones(w);
    fake_add_file(w->fake, "/etc/localtime", 0644, 0, 0, "copy");
    assert_int_equal(world_do(w, "timezone", "UTC"), 0);
    expect_zone(w, "/usr/share/zoneinfo/UTC");
    assert_int_equal(world_do(w, "delete", "/etc/localtime"), 0);
    fake_add_link(w->fake, "/etc/localtime", "/nowhere");
    assert_int_equal(world_do(w, "timezone", "UTC"), 0);
    expect_zone(w, "/usr/share/zoneinfo/UTC");
}

static void timezone_must_be_known_to_the_guest(void **state)
{
    struct world *w = *state;
    fake_add_link(w->fake, "/etc/localtime", "/usr/share/zoneinfo/UTC");
    assert_int_equal(world_do(w, "timezone", "UTC"), -ENOENT);
    assert_non_null(strstr(error_remedy(w->error), "tzdata"));
    add_zones(w);
    assert_int_equal(world_do(w, "timezone", "Europe/Atlantis"), -ENOENT);
    assert_error_has(w, "Europe/Atlantis");
    assert_int_equal(world_do(w, "timezone", "Europe"), -ENOENT);
    expect_zone(w, "/usr/share/zoneinfo/UTC");
}

static void clocks_of_old_distributions_are_kept_in_step(void **state)
{
    struct world *w = *state;
    become(w, "centos", "6.5", "sysvinit");
    add_zones(w);
    fake_add_file(w->fake, "/etc/sysconfig/clock", 0644, 0, 0, "ZONE=\"America/New_York\"\n");
    assert_int_equal(world_do(w, "timezone", "Europe/London"), 0);
    world_expect(w, "/etc/sysconfig/clock", "ZONE=\"Europe/London\"\n");
}

static void a_zone_that_the_boot_sets_is_kept_in_step(void **state)
{
    struct world *w = *state;
    become(w, "voidlinux", "", "unknown");
    add_zones(w);
    fake_add_file(w->fake, "/etc/rc.conf", 0644, 0, 0, "#TIMEZONE=\"x\"\nKEYMAP=de\n");
    assert_int_equal(world_do(w, "timezone", "UTC"), 0);
    world_expect(w, "/etc/rc.conf", "#TIMEZONE=\"x\"\nKEYMAP=de\n");
    fake_add_file(w->fake, "/etc/rc.conf", 0644, 0, 0, "TIMEZONE=\"x\"\nKEYMAP=de\n");
    assert_int_equal(world_do(w, "timezone", "UTC"), 0);
    world_expect(w, "/etc/rc.conf", "KEYMAP=de\nTIMEZONE=\"UTC\"\n");
    become(w, "openwrt", "23.05", "sysvinit");
    add_zones(w);
    assert_int_equal(world_do(w, "timezone", "UTC"), -EOPNOTSUPP);
    assert_error_has(w, "/etc/config/system");
}

static uint64_t size_of(struct world *w, const char *path)
{
    struct guest_stat st;
    return guest_stat(&w->fake->guest, path, false, &st, NULL) == 0 ? st.size : 0;
}

static void seeds_that_exist_are_filled_anew(void **state)
{
    struct world *w = *state;
    char large[10000] = "";
    fake_add_file(w->fake, "/var/lib/systemd/random-seed", 0600, 0, 0, "12345678");
    fake_add_bytes(w->fake, "/var/lib/urandom/random-seed", large, sizeof(large));
    fake_add_bytes(w->fake, "/etc/random-seed", large, 1000);
    assert_int_equal(world_run(w), 0);
    assert_int_equal(size_of(w, "/var/lib/systemd/random-seed"), 512);
    assert_int_equal(size_of(w, "/var/lib/urandom/random-seed"), 8192);
    assert_int_equal(size_of(w, "/etc/random-seed"), 1000);
    assert_int_equal(fake_mode(w->fake, "/var/lib/systemd/random-seed"), S_IFREG | 0600);
    char first[512];
    memcpy(first, fake_content(w->fake, "/var/lib/systemd/random-seed"), sizeof(first));
    assert_int_equal(world_run(w), 0);
    assert_memory_not_equal(first, fake_content(w->fake, "/var/lib/systemd/random-seed"), 512);
}

static void a_seed_is_made_where_the_guest_reads_it(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *distro, *version, *init, *path;
    } cases[] = {
        {"debian", "12", "systemd", "/var/lib/systemd/random-seed"},
        {"debian", "7", "sysvinit", "/var/lib/urandom/random-seed"},
        {"centos", "6", "sysvinit", "/var/lib/random-seed"},
        {"sles", "11", "sysvinit", "/var/lib/misc/random-seed"},
        {"cirros", "0.6", "busybox", "/etc/random-seed"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        become(w, cases[i].distro, cases[i].version, cases[i].init);
        /* No directory for it: nothing to do. */
        if (strcmp(cases[i].path, "/etc/random-seed") != 0) {
            assert_int_equal(world_run(w), 0);
            assert_int_equal(w->fake->changes, 0);
        }
        char directory[64];
        snprintf(directory, sizeof(directory), "%.*s",
                 (int)(strrchr(cases[i].path, '/') - cases[i].path), cases[i].path);
        fake_add_dir(w->fake, directory);
        assert_int_equal(world_run(w), 0);
        assert_int_equal(size_of(w, cases[i].path), 512);
        assert_int_equal(fake_mode(w->fake, cases[i].path), S_IFREG | 0600);
    }
}

static void a_seed_that_cannot_be_written_is_an_error(void **state)
{
    struct world *w = *state;
    fake_add_dir(w->fake, "/var/lib/systemd");
    w->fake->fault = "write";
    w->fake->fault_errno = ENOSPC;
    assert_int_equal(world_run(w), -ENOSPC);
    assert_error_has(w, "random seed");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(debian_has_the_name_in_hosts_as_well),
        T(hosts_without_the_old_name_stays),
        T(each_distribution_keeps_its_hostname_elsewhere),
        T(openwrt_keeps_its_hostname_in_uci),
        T(a_zone_that_the_boot_sets_is_kept_in_step),
        T(boot_scripts_tell_where_the_hostname_is),
        T(a_hostname_that_nothing_would_read_is_refused),
        T(slackware_has_the_name_in_hosts_as_well),
        T(derivatives_are_known_by_their_package_manager),
        T(the_longest_names_are_those_of_the_kernel),
        T(timezone_links_localtime),
        T(timezone_replaces_a_copy_and_a_dangling_link),
        T(timezone_must_be_known_to_the_guest),
        T(clocks_of_old_distributions_are_kept_in_step),
        T(seeds_that_exist_are_filled_anew),
        T(a_seed_is_made_where_the_guest_reads_it),
        T(a_seed_that_cannot_be_written_is_an_error),
    };
    return cmocka_run_group_tests_name("customize/system", tests, NULL, NULL);
}
