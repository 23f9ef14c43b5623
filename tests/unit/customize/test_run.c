/* Operations that run programs of the guest: scripts, packages, subscriptions, the log. */

#include <sys/utsname.h>

#include "customize/program.h"
#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

/* What the script that was run with a command held, as it was when it ran. */
static char *seen_script;
static char *seen_secret;
static mode_t seen_mode, seen_secret_mode, seen_directory_mode;

static char *copy_of(struct fake_guest *fake, const char *directory, const char *name, mode_t *mode)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    const char *content = fake_content(fake, path);
    *mode = fake_mode(fake, path);
    return content ? strdup(content) : NULL;
}

/* Finds the directory in the wrapper's text and looks at the files in it. */
static int spy_run(struct guest *guest, const char *script, struct guest_run_result *ret,
                   struct error **err)
{
    struct fake_guest *fake = (struct fake_guest *)guest;
    const char *at = strstr(script, "\"$@\" ");
    assert_non_null(at);
    at += strlen("\"$@\" ");
    const char *end = strstr(at, "/script");
    assert_non_null(end);
    char directory[100];
    snprintf(directory, sizeof(directory), "%.*s", (int)(end - at), at);
    free(seen_script);
    free(seen_secret);
    seen_script = copy_of(fake, directory, "script", &seen_mode);
    seen_secret = copy_of(fake, directory, "secret", &seen_secret_mode);
    seen_directory_mode = fake_mode(fake, directory);
    return fake_run(guest, script, ret, err);
}

static int set_up(void **state)
{
    if (world_set_up(state) < 0)
        return -1;
    struct world *w = *state;
    static char manager[] = "apt";
    w->info.package_manager = manager;
    w->fake->ops.run = spy_run;
    fake_add_dir(w->fake, "/tmp");
    return 0;
}

static int tear_down(void **state)
{
    free(seen_script);
    free(seen_secret);
    seen_script = seen_secret = NULL;
    return world_tear_down(state);
}

static int count_names(void *count, const char *name)
{
    (void)name;
    ++*(unsigned *)count;
    return 0;
}

static void expect_empty(struct world *w, const char *directory)
{
    unsigned count = 0;
    assert_int_equal(guest_list(&w->fake->guest, directory, count_names, &count, NULL), 0);
    assert_int_equal(count, 0);
}

static void a_command_runs_as_a_script_and_leaves_nothing(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_do(w, "run-command", "echo 'x' && touch \"/y z\""), 0);
    assert_string_equal(seen_script, "#!/bin/sh\necho 'x' && touch \"/y z\"\n");
    assert_int_equal(seen_mode, S_IFREG | 0700);
    assert_int_equal(seen_directory_mode, S_IFDIR | 0700);
    assert_null(seen_secret);
    assert_int_equal(w->fake->ran.count, 1);
    const char *wrapper = w->fake->ran.items[0];
    assert_non_null(strstr(wrapper, "log='/tmp/builder.log'"));
    assert_non_null(strstr(wrapper, ">>\"$log\" 2>&1"));
    assert_non_null(strstr(wrapper, "umask 022"));
    assert_null(strstr(wrapper, "echo 'x'"));
    expect_empty(w, "/tmp");
}

static void a_script_keeps_every_byte(void **state)
{
    struct world *w = *state;
    static const char program[] = "#!/usr/bin/python3\nprint('\0')\n";
    const char *path = world_file(w, "script.py", program, sizeof(program) - 1);
    assert_int_equal(world_add(w, "run", path), 0);
    unlink(path);
    assert_int_equal(world_run(w), 0);
    assert_string_equal(seen_script, "#!/usr/bin/python3\nprint('");
    assert_int_equal(seen_mode, S_IFREG | 0700);
}

static void scripts_are_read_before_any_image_is_touched(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_add(w, "run", "/no/such/script"), -ENOENT);
    assert_error_has(w, "/no/such/script");
    assert_error_has(w, "--run");
    assert_int_equal(world_add(w, "run", w->directory), -EISDIR);
    const char *path = world_file(w, "empty", "", 0);
    assert_int_equal(world_add(w, "run", path), -ENODATA);
    unlink(path);
    assert_int_equal(world_add(w, "run-command", "  "), -EINVAL);
    assert_int_equal(w->plan.count, 0);
}

static void without_tmp_the_log_is_in_the_root(void **state)
{
    struct world *w = *state;
    assert_int_equal(guest_rmdir(&w->fake->guest, "/tmp", NULL), 0);
    assert_int_equal(world_do(w, "run-command", "true"), 0);
    assert_non_null(strstr(w->fake->ran.items[0], "log='/builder.log'"));
    expect_empty(w, "/");
}

static void a_failure_tells_status_and_last_lines(void **state)
{
    struct world *w = *state;
    struct str output = {0};
    for (unsigned i = 1; i <= 50; i++)
        str_appendf(&output, "line %u\x1b[31m\n", i);
    char *text = str_take(&output, NULL);
    const struct fake_answer answers[] = {{"", 3, text, 0}, {0}};
    w->fake->answers = answers;
    assert_int_equal(world_do(w, "run-command", "make all"), -EIO);
    assert_error_has(w, "--run-command: make all failed with exit status 3");
    assert_error_has(w, "/tmp/builder.log");
    assert_error_has(w, "\n  line 50\\x1b[31m");
    assert_error_has(w, "\n  line 11\\x1b");
    assert_null(strstr(error_message(w->error), "line 10\\x1b"));
    assert_null(strchr(error_message(w->error), '\x1b'));
    expect_empty(w, "/tmp");
    free(text);
}

static void a_failure_without_words_and_one_by_a_signal(void **state)
{
    struct world *w = *state;
    const struct fake_answer silent[] = {{"", 1, "", 0}, {0}};
    w->fake->answers = silent;
    assert_int_equal(world_do(w, "run-command", "false"), -EIO);
    assert_error_has(w, "exit status 1 and printed nothing");
    const struct fake_answer killed[] = {{"", 137, "\n\n", 0}, {0}};
    w->fake->answers = killed;
    assert_int_equal(world_do(w, "run-command", "sleep 9"), -EIO);
    assert_error_has(w, "signal 9");
    const struct fake_answer broken[] = {{"", 0, "", EIO}, {0}};
    w->fake->answers = broken;
    assert_int_equal(world_do(w, "run-command", "true"), -EIO);
    expect_empty(w, "/tmp");
}

static void a_failed_command_ends_the_run(void **state)
{
    struct world *w = *state;
    const struct fake_answer answers[] = {{"", 1, "", 0}, {0}};
    w->fake->answers = answers;
    assert_int_equal(world_add(w, "write", "/before:x"), 0);
    assert_int_equal(world_add(w, "run-command", "false"), 0);
    assert_int_equal(world_add(w, "write", "/after:x"), 0);
    assert_int_equal(world_run(w), -EIO);
    assert_non_null(fake_content(w->fake, "/before"));
    assert_null(fake_content(w->fake, "/after"));
}

static void proxies_reach_the_guest(void **state)
{
    struct world *w = *state;
    setenv("http_proxy", "http://127.0.0.1:1/it's", 1);
    assert_int_equal(world_do(w, "run-command", "true"), 0);
    unsetenv("http_proxy");
    assert_non_null(
        strstr(w->fake->ran.items[0], "export http_proxy='http://127.0.0.1:1/it'\\''s'\n"));
}

static void foreign_programs_are_refused_before_anything_is_touched(void **state)
{
    struct world *w = *state;
    static char s390x[] = "s390x", i686[] = "i686";
    w->info.arch = s390x;
    fake_add_dir(w->fake, "/var/lib/systemd");
    assert_int_equal(world_add(w, "write", "/a:b"), 0);
    assert_int_equal(world_add(w, "run-command", "true"), 0);
    w->fake->changes = 0;
    assert_int_equal(world_run(w), -EOPNOTSUPP);
    assert_int_equal(w->fake->changes, 0);
    assert_error_has(w, "s390x");
    assert_non_null(strstr(error_remedy(w->error), "--firstboot"));
    /* Edits alone do not mind. */
    assert_int_equal(world_do(w, "write", "/a:b"), 0);
    struct utsname name;
    w->info.arch = i686;
    if (uname(&name) == 0 && strcmp(name.machine, "x86_64") == 0) {
        assert_int_equal(world_do(w, "run-command", "true"), 0);
        assert_non_null(strstr(w->fake->ran.items[0], "setarch i686"));
    }
}

static void a_guest_without_machine_id_is_lent_one(void **state)
{
    struct world *w = *state;
    static const char *const none[] = {"", "uninitialized\n"};
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        char *lent = NULL;
        fake_add_file(w->fake, "/etc/machine-id", 0444, 0, 0, none[i]);
        assert_int_equal(program_lend_machine_id(&w->fake->guest, &lent, NULL), 0);
        assert_string_equal(lent, none[i]);
        assert_int_equal(strlen(fake_content(w->fake, "/etc/machine-id")), 33);
        free(lent);
        fake_add_file(w->fake, "/etc/machine-id", 0444, 0, 0, none[i]);
        assert_int_equal(world_do(w, "run-command", "true"), 0);
        world_expect(w, "/etc/machine-id", none[i]);
        assert_int_equal(fake_mode(w->fake, "/etc/machine-id"), S_IFREG | 0444);
    }
    fake_add_file(w->fake, "/etc/machine-id", 0444, 0, 0, "0123456789abcdef0123456789abcdef\n");
    assert_int_equal(world_do(w, "run-command", "true"), 0);
    world_expect(w, "/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
}

static void a_machine_id_is_taken_back_after_a_failure(void **state)
{
    struct world *w = *state;
    const struct fake_answer answers[] = {{"", 1, "", 0}, {0}};
    w->fake->answers = answers;
    fake_add_file(w->fake, "/etc/machine-id", 0444, 0, 0, "");
    assert_int_equal(world_do(w, "run-command", "false"), -EIO);
    world_expect(w, "/etc/machine-id", "");
}

static void the_log_goes_where_it_shall_not_stay(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/tmp/builder.log", 0644, 0, 0, "words");
    assert_int_equal(world_add(w, "no-logfile", NULL), 0);
    assert_int_equal(world_add(w, "run-command", "true"), 0);
    assert_int_equal(world_run(w), 0);
    assert_null(fake_content(w->fake, "/tmp/builder.log"));
    /* Where there is none, that is fine. */
    assert_int_equal(world_do(w, "no-logfile", NULL), 0);
    fake_add_file(w->fake, "/tmp/builder.log", 0644, 0, 0, "words");
    assert_int_equal(world_do(w, "run-command", "true"), 0);
    world_expect(w, "/tmp/builder.log", "words");
    fake_add_link(w->fake, "/tmp/elsewhere", "/etc/passwd");
    assert_int_equal(guest_unlink(&w->fake->guest, "/tmp/builder.log", NULL), 0);
    fake_add_link(w->fake, "/tmp/builder.log", "/etc/passwd");
    fake_add_file(w->fake, "/etc/passwd", 0644, 0, 0, "root");
    assert_int_equal(world_do(w, "no-logfile", NULL), 0);
    world_expect(w, "/etc/passwd", "root");
    assert_int_equal(fake_mode(w->fake, "/tmp/builder.log"), 0);
}

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

static void what_needs_the_network_says_so_without_it(void **state)
{
    struct world *w = *state;
    static const char *const needing[][2] = {
        {"install", "a"},      {"update", NULL},    {"sm-register", NULL},
        {"sm-attach", "auto"}, {"sm-remove", NULL}, {"sm-unregister", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(needing); i++) {
        assert_int_equal(world_add(w, needing[i][0], needing[i][1]), 0);
        assert_int_equal(customize_plan_needs(&w->plan),
                         GUEST_CAN_EDIT | GUEST_CAN_RUN | GUEST_CAN_NETWORK);
        assert_int_equal(customize_plan_require(&w->plan, true, NULL), 0);
        assert_int_equal(customize_plan_require(&w->plan, false, &w->error), -EINVAL);
        assert_error_has(w, needing[i][0]);
        assert_error_has(w, "--no-network");
        assert_non_null(error_remedy(w->error));
        customize_plan_free(&w->plan);
    }
    assert_int_equal(world_add(w, "run-command", "true"), 0);
    assert_int_equal(world_add(w, "uninstall", "a"), 0);
    assert_int_equal(world_add(w, "firstboot-install", "a"), 0);
    assert_int_equal(customize_plan_needs(&w->plan), GUEST_CAN_EDIT | GUEST_CAN_RUN);
    assert_int_equal(customize_plan_wants(&w->plan), GUEST_CAN_NETWORK);
    assert_int_equal(customize_plan_require(&w->plan, false, NULL), 0);
}

static void subscription_passwords_stay_in_a_file_of_root(void **state)
{
    struct world *w = *state;
    const char *path = world_file(w, "password", "hush\nmore", 9);
    char selector[200];
    snprintf(selector, sizeof(selector), "joe's@example.org:file:%s", path);
    assert_int_equal(world_add(w, "sm-register", NULL), 0);
    assert_int_equal(world_add(w, "sm-credentials", selector), 0);
    unlink(path);
    assert_int_equal(world_run(w), 0);
    assert_string_equal(seen_secret, "hush");
    assert_int_equal(seen_secret_mode, S_IFREG | 0600);
    assert_null(strstr(seen_script, "hush"));
    assert_null(strstr(w->fake->ran.items[0], "hush"));
    assert_null(strstr(w->words.data, "hush"));
    assert_non_null(strstr(seen_script, "register --username='joe'\\''s@example.org' "
                                        "--password=\"$(cat \"$KILN_SECRET\")\""));
    expect_empty(w, "/tmp");
}

static void subscription_passwords_do_not_survive_a_failure(void **state)
{
    struct world *w = *state;
    const struct fake_answer answers[] = {{"", 70, "Invalid username or password.", 0}, {0}};
    w->fake->answers = answers;
    assert_int_equal(world_add(w, "sm-credentials", "joe:password:a:b c"), 0);
    assert_int_equal(world_add(w, "sm-register", NULL), 0);
    assert_int_equal(world_run(w), -EIO);
    assert_string_equal(seen_secret, "a:b c");
    assert_error_has(w, "Invalid username");
    assert_null(strstr(error_message(w->error), "a:b c"));
    expect_empty(w, "/tmp");
}

static void subscription_commands(void **state)
{
    struct world *w = *state;
    static const char *const cases[][3] = {
        {"sm-attach", "auto", "attach --auto"},
        {"sm-attach", "pool:8a85'x", "attach --pool='8a85'\\''x'"},
        {"sm-remove", NULL, "remove --all"},
        {"sm-unregister", NULL, "unregister"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char script[200];
        assert_int_equal(world_do(w, cases[i][0], cases[i][1]), 0);
        snprintf(script, sizeof(script), "#!/bin/sh\nexec subscription-manager %s\n", cases[i][2]);
        assert_string_equal(seen_script, script);
    }
    const char *path = world_file(w, "pool", "8a85f9\r\n", 8);
    char selector[200];
    snprintf(selector, sizeof(selector), "file:%s", path);
    assert_int_equal(world_do(w, "sm-attach", selector), 0);
    unlink(path);
    assert_non_null(strstr(seen_script, "--pool='8a85f9'\n"));
}

static void subscription_arguments_that_are_wrong(void **state)
{
    struct world *w = *state;
    static const char *const bad[][2] = {
        {"sm-credentials", "joe"},
        {"sm-credentials", ":password:x"},
        {"sm-credentials", "joe:random"},
        {"sm-credentials", "joe:locked:password:x"},
        {"sm-attach", ""},
        {"sm-attach", "automatic"},
        {"sm-attach", "pool:"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(world_add(w, bad[i][0], bad[i][1]), -EINVAL);
        assert_error_has(w, bad[i][0]);
    }
    assert_int_equal(world_do(w, "sm-register", NULL), -EINVAL);
    assert_non_null(strstr(error_remedy(w->error), "--sm-credentials"));
    assert_int_equal(world_add(w, "sm-credentials", "joe:password:x"), 0);
    assert_int_equal(world_add(w, "sm-credentials", "joe:password:y"), -EINVAL);
    assert_error_has(w, "twice");
}

static void injections_are_for_windows_and_say_why_not(void **state)
{
    struct world *w = *state;
    static char windows[] = "windows";
    static const char *const names[] = {"inject-virtio-win", "inject-qemu-ga", "inject-blnsvr"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        static char linux_type[] = "linux";
        w->info.type = linux_type;
        assert_int_equal(world_add(w, names[i], ""), -EINVAL);
        assert_int_equal(world_do(w, names[i], "osinfo"), 0);
        assert_non_null(strstr(w->words.data, names[i]));
        w->info.type = windows;
        assert_int_equal(world_do(w, names[i], "/usr/share/virtio-win/virtio-win.iso"),
                         -EOPNOTSUPP);
        assert_error_has(w, "registry");
        assert_non_null(strstr(error_remedy(w->error), "virt-v2v"));
    }
}

static void no_fault_goes_unnoticed(void **state)
{
    struct world *w = *state;
    static const char *const faults[] = {"write", "mkdir", "run", "overwrite"};
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        unsigned after = 0;
        for (int r = -1; r < 0; after++) {
            w->fake->fault = NULL;
            fake_add_file(w->fake, "/tmp/builder.log", 0644, 0, 0, "words");
            fake_add_file(w->fake, "/etc/machine-id", 0444, 0, 0, "");
            assert_int_equal(world_add(w, "no-logfile", NULL), 0);
            assert_int_equal(world_add(w, "run-command", "true"), 0);
            w->fake->fault = faults[i];
            w->fake->fault_after = after;
            w->fake->fault_errno = EIO;
            r = world_run(w);
            assert_true(r == 0 || r == -EIO);
            assert_int_equal(r < 0, w->error != NULL);
            assert_true(after < 50);
        }
        assert_true(after > 1);
    }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_command_runs_as_a_script_and_leaves_nothing),
        T(a_script_keeps_every_byte),
        T(scripts_are_read_before_any_image_is_touched),
        T(without_tmp_the_log_is_in_the_root),
        T(a_failure_tells_status_and_last_lines),
        T(a_failure_without_words_and_one_by_a_signal),
        T(a_failed_command_ends_the_run),
        T(proxies_reach_the_guest),
        T(foreign_programs_are_refused_before_anything_is_touched),
        T(a_guest_without_machine_id_is_lent_one),
        T(a_machine_id_is_taken_back_after_a_failure),
        T(the_log_goes_where_it_shall_not_stay),
        T(every_package_manager_is_told_in_its_own_words),
        T(unknown_package_managers_are_refused_first),
        T(package_lists_must_be_lists_of_names),
        T(what_needs_the_network_says_so_without_it),
        T(subscription_passwords_stay_in_a_file_of_root),
        T(subscription_passwords_do_not_survive_a_failure),
        T(subscription_commands),
        T(subscription_arguments_that_are_wrong),
        T(injections_are_for_windows_and_say_why_not),
        T(no_fault_goes_unnoticed),
    };
    return cmocka_run_group_tests_name("customize/run", tests, NULL, NULL);
}
