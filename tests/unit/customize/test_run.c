/* Commands and scripts in the guest, their log, and what they need. */

#include <sys/utsname.h>

#include "customize/program.h"
#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/run_world.h"

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

static void what_needs_the_network_says_so_without_it(void **state)
{
    struct world *w = *state;
    static const char *const needing[][2] = {
        {"install", "a"},      {"update", NULL},    {"sm-register", NULL},
        {"sm-attach", "auto"}, {"sm-remove", NULL}, {"sm-unregister", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(needing); i++) {
        assert_int_equal(world_add(w, "sm-credentials", "joe:password:x"), 0);
        assert_int_equal(world_add(w, needing[i][0], needing[i][1]), 0);
        assert_int_equal(customize_plan_needs(&w->plan),
                         GUEST_CAN_EDIT | GUEST_CAN_RUN | GUEST_CAN_NETWORK);
        assert_int_equal(customize_plan_require(&w->plan, true, NULL), 0);
        assert_int_equal(customize_plan_require(&w->plan, false, &w->error), -EINVAL);
        assert_error_has(w, needing[i][0]);
        assert_error_has(w, "needs the network");
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
        T(what_needs_the_network_says_so_without_it),
        T(no_fault_goes_unnoticed),
    };
    return cmocka_run_group_tests_name("customize/run", tests, NULL, NULL);
}
