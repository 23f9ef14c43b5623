/* The table, plans, and the order in which a plan runs. */

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

static void the_table_is_sorted_and_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < customize_operation_count; i++) {
        const struct customize_operation *operation = customize_operations[i];
        if (i > 0)
            assert_true(strcmp(customize_operations[i - 1]->name, operation->name) < 0);
        assert_ptr_equal(customize_operation_find(operation->name), operation);
        assert_true(operation->apply || operation->expand);
        assert_false(str_empty(operation->help));
        assert_null(strchr(operation->help, '\n'));
        assert_true(strlen(operation->help) < 100);
        assert_true(strlen(operation->manual) > strlen(operation->help));
        char option[64];
        snprintf(option, sizeof(option), "--%s", operation->name);
        assert_true(str_starts(operation->example, option));
        assert_int_equal(strlen(operation->example) > strlen(option), operation->metavar != NULL);
        unsigned asked = operation->needs | operation->wants;
        assert_int_equal(asked & ~(unsigned)(GUEST_CAN_RUN | GUEST_CAN_NETWORK), 0);
    }
}

static void every_operation_of_the_first_release_is_there(void **state)
{
    (void)state;
    static const char *const names[] = {"root-password", "password", "password-crypto", "hostname",
                                        "ssh-inject",    "timezone", "write",           "upload",
                                        "mkdir",         "delete",   "append-line"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_non_null(customize_operation_find(names[i]));
    assert_null(customize_operation_find("root"));
    assert_null(customize_operation_find(""));
}

static void editing_is_all_that_a_plan_of_edits_needs(void **state)
{
    struct world *w = *state;
    assert_int_equal(customize_plan_needs(&w->plan), GUEST_CAN_EDIT);
    assert_int_equal(world_add(w, "write", "/a:b"), 0);
    assert_int_equal(world_add(w, "hostname", "web1"), 0);
    assert_int_equal(customize_plan_needs(&w->plan), GUEST_CAN_EDIT);
}

static void malformed_arguments_are_refused_with_the_form(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *name, *argument, *part;
    } cases[] = {
        {"write", "/etc/motd", "FILE:CONTENT"},
        {"write", ":content", "FILE:CONTENT"},
        {"write", "etc/motd:x", "not absolute"},
        {"append-line", "/etc/hosts", "FILE:LINE"},
        {"append-line", "/etc/hosts:a\nb", "newline"},
        {"upload", "file", "FILE:DEST"},
        {"mkdir", "srv", "not absolute"},
        {"mkdir", "", "empty"},
        {"delete", "tmp/*", "not absolute"},
        {"delete", "/", "can be deleted"},
        {"delete", "//", "can be deleted"},
        {"delete", "/etc/..", "can be deleted"},
        {"delete", "/etc/./", "can be deleted"},
        {"hostname", "", "cannot be a host name"},
        {"hostname", "a b", "cannot be a host name"},
        {"hostname", "-a", "cannot be a host name"},
        {"hostname", "a..b", "cannot be a host name"},
        {"hostname", "a.", "cannot be a host name"},
        {"hostname", "a\nb", "cannot be a host name"},
        {"timezone", "", "cannot be a time zone"},
        {"timezone", "../../etc/shadow", "cannot be a time zone"},
        {"timezone", "/Europe/London", "cannot be a time zone"},
        {"password-crypto", "rot13", "md5|sha256|sha512|yescrypt"},
        {"password", "root", "USER:SELECTOR"},
        {"password", ":random", "user name"},
        {"password", "a b:random", "user name"},
        {"ssh-inject", "", "user name"},
        {"ssh-inject", "root:nothing", "selector"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(world_add(w, cases[i].name, cases[i].argument), -EINVAL);
        assert_error_has(w, cases[i].part);
        assert_error_has(w, cases[i].name);
        assert_int_equal(w->plan.count, 0);
    }
    assert_int_equal(customize_plan_add(&w->plan, customize_operation_find("mkdir"), NULL, NULL),
                     -EINVAL);
}

static void steps_run_in_order_and_passwords_last(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/etc/shadow", 0640, 0, 42, "root:*:1::::::\n");
    assert_int_equal(world_add(w, "root-password", "disabled"), 0);
    assert_int_equal(world_add(w, "mkdir", "/new"), 0);
    assert_int_equal(world_add(w, "write", "/new/a:one"), 0);
    assert_int_equal(world_add(w, "append-line", "/new/a:two"), 0);
    assert_int_equal(world_run(w), 0);
    world_expect(w, "/new/a", "one\ntwo\n");
    const char *words = w->words.data;
    assert_true(strstr(words, "random seed") < strstr(words, "directory /new"));
    assert_true(strstr(words, "line to /new/a") < strstr(words, "password of root"));
}

static void a_failed_step_ends_the_run_and_is_named(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_add(w, "write", "/a:1"), 0);
    assert_int_equal(world_add(w, "write", "/no/such/b:2"), 0);
    assert_int_equal(world_add(w, "write", "/c:3"), 0);
    assert_int_equal(world_run(w), -ENOENT);
    assert_error_has(w, "--write: /no/such/b");
    world_expect(w, "/a", "1");
    assert_null(fake_content(w->fake, "/c"));
}

static void a_full_guest_is_reported_by_every_operation(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *name, *argument, *fault;
    } cases[] = {
        {"write", "/a:b", "write"},
        {"append-line", "/etc/hosts:x", "write"},
        {"upload", "/dev/null:/x", "upload"},
        {"mkdir", "/new", "mkdir"},
        {"hostname", "web2", "write"},
        {"timezone", "UTC", "symlink"},
        {"root-password", "password:x", "write"},
        {"delete", "/etc/hosts", "unlink"},
        {"delete", "/e*", "list"},
    };
    fake_add_file(w->fake, "/etc/shadow", 0640, 0, 42, "root:*:1::::::\n");
    fake_add_file(w->fake, "/etc/hosts", 0644, 0, 0, "127.0.0.1 localhost\n");
    fake_add_file(w->fake, "/usr/share/zoneinfo/UTC", 0644, 0, 0, "TZif");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        w->fake->fault = cases[i].fault;
        w->fake->fault_errno = ENOSPC;
        assert_int_equal(world_do(w, cases[i].name, cases[i].argument), -ENOSPC);
        assert_error_has(w, cases[i].name);
    }
}

static void plant_guest(struct world *w)
{
    fake_guest_free(w->fake);
    w->fake = fake_guest_new();
    fake_add_file(w->fake, "/etc/passwd", 0644, 0, 0, "root:x:0:0::/root:/bin/sh\n");
    fake_add_file(w->fake, "/etc/shadow", 0640, 0, 42, "root:*:1::::::\n");
    fake_add_file(w->fake, "/etc/hosts", 0644, 0, 0, "127.0.1.1 old\n");
    fake_add_file(w->fake, "/etc/hostname", 0644, 0, 0, "old\n");
    fake_add_file(w->fake, "/etc/localtime", 0644, 0, 0, "copy");
    fake_add_file(w->fake, "/etc/timezone", 0644, 0, 0, "Etc/UTC\n");
    fake_add_file(w->fake, "/usr/share/zoneinfo/UTC", 0644, 0, 0, "TZif");
    fake_add_file(w->fake, "/var/lib/systemd/random-seed", 0600, 0, 0, "x");
    fake_add_file(w->fake, "/var/log/a/b", 0600, 0, 0, "x");
    fake_add_dir(w->fake, "/root");
}

static void no_fault_goes_unnoticed(void **state)
{
    struct world *w = *state;
    static const char *const steps[][2] = {
        {"hostname", "web1"},
        {"timezone", "UTC"},
        {"write", "/etc/motd:x"},
        {"append-line", "/etc/motd:y"},
        {"mkdir", "/srv/a"},
        {"upload", "/dev/null:/srv/a"},
        {"delete", "/var/l*/a"},
        {"ssh-inject", "root:string:ssh-ed25519 "
                       "AAAAC3NzaC1lZDI1NTE5AAAAIM+PajjlSv54D+NNTYHnOHIb0Keq+DH3Kbdsbo88iO69"},
        {"root-password", "locked"},
    };
    /* Not "stat": that a path cannot be looked at may well mean that it is not there. */
    static const struct {
        const char *fault;
        unsigned least; /* calls that the plan makes at least */
    } faults[] = {{"read", 6},   {"write", 8}, {"upload", 1}, {"mkdir", 3}, {"symlink", 1},
                  {"unlink", 2}, {"rmdir", 1}, {"list", 2},   {"chmod", 1}, {"chown", 1}};
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        unsigned after = 0;
        for (int r = -1; r < 0; after++) {
            plant_guest(w);
            for (size_t s = 0; s < ARRAY_SIZE(steps); s++)
                assert_int_equal(world_add(w, steps[s][0], steps[s][1]), 0);
            w->fake->fault = faults[i].fault;
            w->fake->fault_after = after;
            w->fake->fault_errno = EIO;
            r = world_run(w);
            assert_true(r == 0 || r == -EIO);
            assert_int_equal(r < 0, w->error != NULL);
            assert_true(after < 100);
        }
        if (after - 1 < faults[i].least)
            fail_msg("only %u calls of %s", after - 1, faults[i].fault);
    }
}

static void what_has_no_meaning_in_other_systems_is_left_out(void **state)
{
    struct world *w = *state;
    static char windows[] = "windows";
    w->info.type = windows;
    static const char *const cases[][2] = {
        {"hostname", "web1"}, {"timezone", "UTC"}, {"root-password", "disabled"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        str_free(&w->words);
        assert_int_equal(world_do(w, cases[i][0], cases[i][1]), 0);
        assert_non_null(strstr(w->words.data, "0:"));
        assert_non_null(strstr(w->words.data, "this one is of type windows"));
    }
    assert_int_equal(w->fake->changes, 0);
    assert_int_equal(world_do(w, "append-line", "/hosts:x"), 0);
    world_expect(w, "/hosts", "x\r\n");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sorted_and_complete),
        cmocka_unit_test(every_operation_of_the_first_release_is_there),
        T(editing_is_all_that_a_plan_of_edits_needs),
        T(malformed_arguments_are_refused_with_the_form),
        T(steps_run_in_order_and_passwords_last),
        T(a_failed_step_ends_the_run_and_is_named),
        T(a_full_guest_is_reported_by_every_operation),
        T(no_fault_goes_unnoticed),
        T(what_has_no_meaning_in_other_systems_is_left_out),
    };
    return cmocka_run_group_tests_name("customize/operations", tests, NULL, NULL);
}
