/* Scripts for the first boot: what is put where, for each init system. */

#include "base/proc.h"
#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

#define UNIT    "/usr/lib/systemd/system/guestfs-firstboot.service"
#define RUNNER  "/usr/lib/virt-sysprep/firstboot.sh"
#define SCRIPTS "/usr/lib/virt-sysprep/scripts/"

static void become(struct world *w, const char *distro, const char *version)
{
    static char distro_text[32], version_text[16];
    snprintf(distro_text, sizeof(distro_text), "%s", distro);
    snprintf(version_text, sizeof(version_text), "%s", version);
    w->info.distro = distro_text;
    w->info.version = version_text;
}

static void systemd_starts_it_late_in_the_boot(void **state)
{
    struct world *w = *state;
    fake_add_dir(w->fake, "/etc/systemd/system");
    assert_int_equal(world_do(w, "firstboot-command", "touch /a"), 0);
    world_expect(w, SCRIPTS "5000-0001-touch--a", "#!/bin/sh\ntouch /a\n");
    assert_int_equal(fake_mode(w->fake, SCRIPTS "5000-0001-touch--a"), S_IFREG | 0755);
    assert_int_equal(fake_mode(w->fake, RUNNER), S_IFREG | 0755);
    assert_int_equal(fake_mode(w->fake, UNIT), S_IFREG | 0644);
    const char *unit = fake_content(w->fake, UNIT);
    assert_non_null(strstr(unit, "\nExecStart=" RUNNER " start\n"));
    assert_non_null(strstr(unit, "\nType=oneshot\n"));
    assert_non_null(strstr(unit, "\nStandardOutput=journal+console\n"));
    world_expect_link(w, "/etc/systemd/system/multi-user.target.wants/guestfs-firstboot.service",
                      UNIT);
    /* Presets that are applied at a first boot leave it enabled. */
    world_expect(w, "/etc/systemd/system-preset/00-guestfs-firstboot.preset",
                 "enable guestfs-firstboot.service\n");
    assert_int_equal(fake_mode(w->fake, "/etc/rc2.d"), 0);
}

static void scripts_keep_their_order_over_several_runs(void **state)
{
    struct world *w = *state;
    fake_add_dir(w->fake, "/etc/systemd/system");
    static const char text[] = "#!/bin/sh\nexit 0\n";
    const char *path = world_file(w, "set up.sh", text, sizeof(text) - 1);
    assert_int_equal(world_add(w, "firstboot", path), 0);
    assert_int_equal(world_add(w, "firstboot-command", "second"), 0);
    unlink(path);
    assert_int_equal(world_run(w), 0);
    assert_int_equal(world_do(w, "firstboot-command", "third"), 0);
    assert_non_null(fake_content(w->fake, SCRIPTS "5000-0002-second"));
    assert_non_null(fake_content(w->fake, SCRIPTS "5000-0003-third"));
    char first[200] = "";
    for (const char *c = path; *c && strlen(first) < 60; c++)
        snprintf(first + strlen(first), 2, "%c", strchr("/. -", *c) ? '-' : *c);
    char full[300];
    snprintf(full, sizeof(full), SCRIPTS "5000-0001-%s", first);
    world_expect(w, full, text);
}

static void names_are_safe_for_the_shell(void **state)
{
    struct world *w = *state;
    fake_add_dir(w->fake, "/etc/systemd/system");
    assert_int_equal(world_do(w, "firstboot-command", "echo \"$(id)\" > '/x/../y'; \xc3\xa4_1"), 0);
    assert_non_null(fake_content(w->fake, SCRIPTS "5000-0001-echo----id-------x----y-----_1"));
    char command[300];
    memset(command, 'a', sizeof(command) - 1);
    command[sizeof(command) - 1] = '\0';
    assert_int_equal(world_do(w, "firstboot-command", command), 0);
    command[60] = '\0';
    char path[400];
    snprintf(path, sizeof(path), SCRIPTS "5000-0002-%s", command);
    assert_non_null(fake_content(w->fake, path));
}

static void packages_wait_for_the_network(void **state)
{
    struct world *w = *state;
    static char apt[] = "apt";
    w->info.package_manager = apt;
    fake_add_dir(w->fake, "/etc/systemd/system");
    assert_int_equal(world_do(w, "firstboot-install", "nginx,curl"), 0);
    const char *script = fake_content(w->fake, SCRIPTS "5000-0001-install-nginx-curl");
    assert_non_null(script);
    assert_non_null(strstr(script, "apt install 'nginx' 'curl'\n"));
    world_expect(w, UNIT ".d/network.conf", "[Unit]\nWants=network-online.target\n");
    assert_non_null(strstr(fake_content(w->fake, UNIT), "network-online.target"));
    assert_int_equal(w->fake->ran.count, 0);
}

static void every_init_system_has_its_own_way(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *distro, *version, *directory, *link, *target, *file;
    } cases[] = {
        {"debian", "7", "/etc/init.d", "/etc/rc2.d/S99guestfs-firstboot",
         "../init.d/guestfs-firstboot", NULL},
        {"ubuntu", "14.04", "/etc/init.d", "/etc/init.d/guestfs-firstboot", RUNNER, NULL},
        {"centos", "6.10", "/etc/rc.d", "/etc/rc.d/rc3.d/S99guestfs-firstboot", RUNNER, NULL},
        {"rhel", "5", "/etc/rc.d", "/etc/rc.d/rc5.d/S99guestfs-firstboot", RUNNER, NULL},
        {"sles", "11", "/etc/init.d", "/etc/init.d/rc5.d/S99guestfs-firstboot",
         "../guestfs-firstboot", NULL},
        {"alpinelinux", "3.20", "/etc/runlevels/default",
         "/etc/runlevels/default/guestfs-firstboot", "/etc/init.d/guestfs-firstboot",
         "/etc/init.d/guestfs-firstboot"},
        {"gentoo", "", "/etc/runlevels/default", "/etc/runlevels/default/guestfs-firstboot",
         "/etc/init.d/guestfs-firstboot", "/etc/init.d/guestfs-firstboot"},
        {"voidlinux", "", "/etc/runit/runsvdir/default",
         "/etc/runit/runsvdir/default/guestfs-firstboot", "/etc/sv/guestfs-firstboot",
         "/etc/sv/guestfs-firstboot/run"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        fake_guest_free(w->fake);
        w->fake = fake_guest_new();
        become(w, cases[i].distro, cases[i].version);
        fake_add_dir(w->fake, cases[i].directory);
        if (strstr(cases[i].directory, "runlevels"))
            fake_add_dir(w->fake, "/etc/init.d");
        assert_int_equal(world_do(w, "firstboot-command", "true"), 0);
        world_expect_link(w, cases[i].link, cases[i].target);
        assert_non_null(fake_content(w->fake, RUNNER));
        assert_null(fake_content(w->fake, UNIT));
        if (cases[i].file) {
            assert_int_equal(fake_mode(w->fake, cases[i].file), S_IFREG | 0755);
            assert_non_null(strstr(fake_content(w->fake, cases[i].file), RUNNER " start"));
        }
        /* Once more: what is there is replaced. */
        assert_int_equal(world_do(w, "firstboot-command", "false"), 0);
        world_expect_link(w, cases[i].link, cases[i].target);
    }
}

static void old_debian_is_told_what_is_left_to_do(void **state)
{
    struct world *w = *state;
    become(w, "debian", "7.11");
    fake_add_dir(w->fake, "/etc/init.d");
    assert_int_equal(world_do(w, "firstboot-command", "true"), 0);
    assert_non_null(strstr(w->words.data, "0:Debian 7.11"));
    assert_non_null(strstr(w->words.data, "update-rc.d"));
}

static void two_init_systems_are_both_told(void **state)
{
    struct world *w = *state;
    fake_add_dir(w->fake, "/etc/systemd/system");
    fake_add_dir(w->fake, "/etc/init.d");
    assert_int_equal(world_do(w, "firstboot-command", "true"), 0);
    assert_non_null(fake_content(w->fake, UNIT));
    world_expect_link(w, "/etc/rc3.d/S99guestfs-firstboot", "../init.d/guestfs-firstboot");
    assert_null(strstr(w->words.data, "update-rc.d"));
}

static void leftovers_of_old_tools_go(void **state)
{
    struct world *w = *state;
    fake_add_dir(w->fake, "/etc/systemd/system");
    fake_add_link(w->fake, "/etc/rc2.d/S99virt-sysprep-firstboot", "x");
    fake_add_link(w->fake, "/etc/systemd/system/default.target.wants/guestfs-firstboot.service",
                  "x");
    assert_int_equal(world_do(w, "firstboot-command", "true"), 0);
    assert_int_equal(fake_mode(w->fake, "/etc/rc2.d/S99virt-sysprep-firstboot"), 0);
    assert_int_equal(
        fake_mode(w->fake, "/etc/systemd/system/default.target.wants/guestfs-firstboot.service"),
        0);
}

static void an_unknown_init_is_told_of(void **state)
{
    struct world *w = *state;
    static char unknown[] = "unknown";
    w->info.init = unknown;
    assert_int_equal(world_do(w, "firstboot-command", "true"), 0);
    assert_non_null(strstr(w->words.data, "0:The init of this guest (unknown) is none"));
    assert_non_null(strstr(w->words.data, RUNNER " start"));
    world_expect(w, SCRIPTS "5000-0001-true", "#!/bin/sh\ntrue\n");
    assert_non_null(fake_content(w->fake, RUNNER));
}

static void guests_that_cannot_do_it_are_left_alone(void **state)
{
    struct world *w = *state;
    static char freebsd[] = "freebsd";
    w->info.type = freebsd;
    w->fake->changes = 0;
    assert_int_equal(world_do(w, "firstboot-command", "true"), -EOPNOTSUPP);
    assert_error_has(w, "freebsd");
    assert_int_equal(w->fake->changes, 0);
}

static void the_count_does_not_wrap(void **state)
{
    struct world *w = *state;
    fake_add_dir(w->fake, "/etc/systemd/system");
    fake_add_file(w->fake, SCRIPTS "5000-9999-last", 0755, 0, 0, "");
    fake_add_file(w->fake, SCRIPTS "hello", 0755, 0, 0, "");
    fake_add_file(w->fake, SCRIPTS "5000-99999999999999999999-x", 0755, 0, 0, "");
    assert_int_equal(world_do(w, "firstboot-command", "true"), -ENOSPC);
    assert_error_has(w, "9999");
}

/* The runner itself, on a copy that works in a directory of this machine. */
static void the_runner_runs_each_script_once(void **state)
{
    struct world *w = *state;
    fake_add_dir(w->fake, "/etc/systemd/system");
    assert_int_equal(world_do(w, "firstboot-command", "true"), 0);
    struct str runner = {0};
    const char *text = fake_content(w->fake, RUNNER);
    for (const char *at = text; *at;) {
        static const char *const words[] = {"/usr/lib/virt-sysprep", "~root"};
        size_t i = 0;
        while (i < ARRAY_SIZE(words) && strncmp(at, words[i], strlen(words[i])) != 0)
            i++;
        if (i < ARRAY_SIZE(words))
            str_append(&runner, w->directory);
        else
            str_append_n(&runner, at, 1);
        at += i < ARRAY_SIZE(words) ? strlen(words[i]) : 1;
    }
    char command[1000];
    snprintf(command, sizeof(command),
             "cd '%s' && mkdir scripts && for i in 2 1; do printf '#!/bin/sh\\necho $0; exit '$i >"
             "scripts/5000-000$i-x; chmod 755 scripts/*; done && cat >run.sh && sh run.sh stop && "
             "sh run.sh start && sh run.sh start && rm run.sh && rmdir scripts scripts-done && "
             "grep -c Running virt-sysprep-firstboot.log && cat virt-sysprep-firstboot.log && "
             "rm virt-sysprep-firstboot.log",
             w->directory);
    const char *const argv[] = {"sh", "-c", command, NULL};
    const struct proc_options options = {.argv = argv, PROC_OPTIONS_INIT};
    struct proc_output output = {0};
    int r = proc_check(&options, runner.data, runner.length, 1 << 20, 20000, &output, &w->error);
    if (r < 0)
        fail_msg("%s", error_message(w->error));
    const char *log = strstr(output.out, "\n2\n");
    assert_non_null(log);
    const char *first = strstr(log, "scripts-done/5000-0001-x\n=== It ended with status 1");
    assert_non_null(first);
    assert_non_null(strstr(first, "scripts-done/5000-0002-x\n=== It ended with status 2"));
    proc_output_free(&output);
    str_free(&runner);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(systemd_starts_it_late_in_the_boot),
        T(scripts_keep_their_order_over_several_runs),
        T(names_are_safe_for_the_shell),
        T(packages_wait_for_the_network),
        T(every_init_system_has_its_own_way),
        T(old_debian_is_told_what_is_left_to_do),
        T(two_init_systems_are_both_told),
        T(leftovers_of_old_tools_go),
        T(an_unknown_init_is_told_of),
        T(guests_that_cannot_do_it_are_left_alone),
        T(the_count_does_not_wrap),
        T(the_runner_runs_each_script_once),
    };
    return cmocka_run_group_tests_name("customize/firstboot", tests, NULL, NULL);
}
