/* What is told to subscription-manager. */

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/run_world.h"

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
    assert_int_equal(world_add(w, "sm-register", NULL), 0);
    assert_int_equal(customize_plan_require(&w->plan, true, &w->error), -EINVAL);
    assert_error_has(w, "--sm-register: there are no credentials");
    assert_non_null(strstr(error_remedy(w->error), "--sm-credentials"));
    assert_int_equal(world_add(w, "sm-credentials", "joe:password:x"), 0);
    assert_int_equal(world_add(w, "sm-credentials", "joe:password:y"), -EINVAL);
    assert_error_has(w, "twice");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(subscription_passwords_stay_in_a_file_of_root),
        T(subscription_passwords_do_not_survive_a_failure),
        T(subscription_commands),
        T(subscription_arguments_that_are_wrong),
    };
    return cmocka_run_group_tests_name("customize/subscription", tests, NULL, NULL);
}
