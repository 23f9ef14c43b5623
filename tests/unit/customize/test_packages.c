/* The package managers: what each is told, and what is refused first. */

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/run_world.h"

static void every_package_manager_is_told_in_its_own_words(void **state)
{
    struct world *w = *state;
#define APT                                                                                        \
    "export DEBIAN_FRONTEND=noninteractive\n"                                                      \
    "apt() { apt-get -q -y -o Dpkg::Options::=--force-confnew \"$@\"; }\n"
    static const struct {
        const char *distro, *version, *manager, *install, *update, *uninstall;
    } cases[] = {
        {"debian", "12", "apt", APT "apt update && apt install", APT "apt update && apt upgrade",
         APT "apt remove"},
        {"ubuntu", "24.04", "apt", APT "apt update && apt install", APT "apt update && apt upgrade",
         APT "apt remove"},
        {"linuxmint", "21", "apt", APT "apt update && apt install", APT "apt update && apt upgrade",
         APT "apt remove"},
        {"fedora", "40", "dnf", "dnf -y install", "dnf -y --best upgrade", "dnf -y remove"},
        {"rhel", "9.4", "dnf", "dnf -y install", "dnf -y --best upgrade", "dnf -y remove"},
        {"almalinux", "9.4", "dnf", "dnf -y install", "dnf -y --best upgrade", "dnf -y remove"},
        {"rocky", "8.9", "dnf", "dnf -y install", "dnf -y --best upgrade", "dnf -y remove"},
        {"oraclelinux", "9", "dnf", "dnf -y install", "dnf -y --best upgrade", "dnf -y remove"},
        {"amzn", "2023", "dnf", "dnf -y install", "dnf -y --best upgrade", "dnf -y remove"},
        {"amzn", "2", "yum", "yum -y install", "yum -y update", "yum -y remove"},
        {"centos", "7", "yum", "yum -y install", "yum -y update", "yum -y remove"},
        {"sles", "15.5", "zypper", "zypper -n install -l", "zypper -n update -l",
         "zypper -n remove"},
        {"opensuse", "15.6", "zypper", "zypper -n install -l", "zypper -n update -l",
         "zypper -n remove"},
        {"opensuse", "20240601", "zypper", "zypper -n install -l", "zypper -n dist-upgrade -l",
         "zypper -n remove"},
        {"alpinelinux", "3.20", "apk", "apk update && apk add", "apk update && apk upgrade",
         "apk del"},
        {"archlinux", "", "pacman", "pacman -Sy --noconfirm --needed", "pacman -Syu --noconfirm",
         "pacman -R --noconfirm"},
        {"voidlinux", "", "xbps", "xbps-install -Sy",
         "xbps-install -Sy -u xbps && xbps-install -Suy", "xbps-remove -y"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char distro[32], version[16], manager[16], script[400];
        snprintf(distro, sizeof(distro), "%s", cases[i].distro);
        snprintf(version, sizeof(version), "%s", cases[i].version);
        snprintf(manager, sizeof(manager), "%s", cases[i].manager);
        w->info.distro = distro;
        w->info.version = version;
        w->info.package_manager = manager;
        assert_int_equal(world_do(w, "install", "a,@Some Group,it's"), 0);
        snprintf(script, sizeof(script), "#!/bin/sh\n%s 'a' '@Some Group' 'it'\\''s'\n",
                 cases[i].install);
        assert_string_equal(seen_script, script);
        assert_int_equal(world_do(w, "update", NULL), 0);
        snprintf(script, sizeof(script), "#!/bin/sh\n%s\n", cases[i].update);
        assert_string_equal(seen_script, script);
        assert_int_equal(world_do(w, "uninstall", "a"), 0);
        snprintf(script, sizeof(script), "#!/bin/sh\n%s 'a'\n", cases[i].uninstall);
        assert_string_equal(seen_script, script);
    }
}

static void unknown_package_managers_are_refused_first(void **state)
{
    struct world *w = *state;
    static char unknown[] = "unknown", portage[] = "portage";
    static const char *const cases[][2] = {
        {"install", "a"}, {"uninstall", "a"}, {"update", NULL}, {"firstboot-install", "a"}};
    fake_add_dir(w->fake, "/var/lib/systemd");
    w->fake->changes = 0;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        w->info.package_manager = unknown;
        assert_int_equal(world_do(w, cases[i][0], cases[i][1]), -EOPNOTSUPP);
        assert_error_has(w, cases[i][0]);
        assert_error_has(w, "no package manager");
        w->info.package_manager = portage;
        assert_int_equal(world_do(w, cases[i][0], cases[i][1]), -EOPNOTSUPP);
        assert_error_has(w, "portage");
        assert_int_equal(w->fake->changes, 0);
    }
}

static void package_lists_must_be_lists_of_names(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {"", ",", "a,", "a,,b", "--force", "a,-y", "a\nb", "a\x7f"};
    static const char *const options[] = {"install", "uninstall", "firstboot-install"};
    for (size_t o = 0; o < ARRAY_SIZE(options); o++)
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
            assert_int_equal(world_add(w, options[o], bad[i]), -EINVAL);
            assert_error_has(w, options[o]);
        }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(every_package_manager_is_told_in_its_own_words),
        T(unknown_package_managers_are_refused_first),
        T(package_lists_must_be_lists_of_names),
    };
    return cmocka_run_group_tests_name("customize/packages", tests, NULL, NULL);
}
