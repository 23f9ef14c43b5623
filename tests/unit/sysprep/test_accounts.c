/* user-account, hostname and what json_cut() takes out. */

#include "sysprep/json_cut.h"
#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/sysprep/world.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
                             "mail:x:8:8:mail:/var/mail:/bin/sh\n"
                             "bob:x:1000:1000:Bob:/home/bob:/bin/bash\n"
                             "eve:x:1001:1001::/home/eve/:/bin/bash\n"
                             "ann:x:1002:1000::/home/shared/ann:/bin/bash\n"
                             "odd line\n"
                             "big:x:70000:70000::/home/big:/bin/bash\n";

static void plant(struct world *world)
{
    world_file(world, "/etc/passwd", passwd);
    fake_add_file(world->fake, "/etc/shadow", 0640, 0, 42,
                  "root:*:1\nbob:$6$x:1\neve:!:1\nann:!:1\n");
    world_file(world, "/etc/group",
               "root:x:0:\nsudo:x:27:bob,eve\nbob:x:1000:\neve:x:1001:bob\n"
               "ann:x:1002:\n");
    world_file(world, "/etc/gshadow", "sudo:*:bob:ann,bob\nbob:!::\n");
    world_file(world, "/etc/subuid", "bob:100000:65536\neve:165536:65536\n");
    world_file(world, "/home/bob/file", "b");
    world_file(world, "/home/eve/file", "e");
    world_file(world, "/home/shared/ann/file", "a");
    world_file(world, "/home/big/file", "b");
    world_file(world, "/var/mail/bob", "m");
    fake_add_dir(world->fake, "/var/spool");
    fake_add_link(world->fake, "/var/spool/mail", "../mail");
}

static int remove_accounts(struct world *world, const char *remove, const char *keep)
{
    if (remove)
        strv_add(&world->settings.remove_user_accounts, remove, NULL);
    if (keep)
        strv_add(&world->settings.keep_user_accounts, keep, NULL);
    return world_do(world, "user-account");
}

static void all_users_go_and_the_system_stays(void **state)
{
    struct world *world = *state;
    plant(world);
    assert_int_equal(remove_accounts(world, NULL, NULL), 0);
    world_expect(world, "/etc/passwd",
                 "root:x:0:0:root:/root:/bin/bash\nmail:x:8:8:mail:/var/mail:/bin/sh\n"
                 "odd line\nbig:x:70000:70000::/home/big:/bin/bash\n");
    world_expect(world, "/etc/shadow", "root:*:1\n");
    world_expect(world, "/etc/group", "root:x:0:\nsudo:x:27:\n");
    world_expect(world, "/etc/gshadow", "sudo:*::\n");
    world_expect(world, "/etc/subuid", "");
    world_expect(world, "/home/bob", NULL);
    world_expect(world, "/home/eve", NULL);
    world_expect(world, "/home/shared/ann", NULL);
    world_expect(world, "/home/big/file", "b");
    world_expect(world, "/var/mail/bob", NULL);
    assert_int_equal(fake_mode(world->fake, "/etc/shadow"), S_IFREG | 0640);
}

static void only_those_named_go(void **state)
{
    struct world *world = *state;
    plant(world);
    assert_int_equal(remove_accounts(world, "eve", NULL), 0);
    assert_has(fake_content(world->fake, "/etc/passwd"), "bob:x:1000");
    assert_null(strstr(fake_content(world->fake, "/etc/passwd"), "eve"));
    world_expect(world, "/etc/group", "root:x:0:\nsudo:x:27:bob\nbob:x:1000:\nann:x:1002:\n");
    world_expect(world, "/home/eve", NULL);
    world_expect(world, "/home/bob/file", "b");
}

static void a_group_that_somebody_else_has_first_stays(void **state)
{
    struct world *world = *state;
    plant(world);
    assert_int_equal(remove_accounts(world, NULL, "ann"), 0);
    assert_has(fake_content(world->fake, "/etc/group"), "bob:x:1000:\n");
    assert_has(fake_content(world->fake, "/etc/group"), "ann:x:1002:\n");
    world_expect(world, "/home/shared/ann/file", "a");
    world_expect(world, "/home/bob", NULL);
}

static void the_range_of_login_defs_counts(void **state)
{
    struct world *world = *state;
    plant(world);
    world_file(world, "/etc/login.defs", "# UID_MIN 1\nUID_MIN\t\t 1001\nUID_MAX 80000\n");
    assert_int_equal(remove_accounts(world, NULL, NULL), 0);
    world_expect(world, "/home/bob/file", "b");
    world_expect(world, "/home/big", NULL);
}

static void a_home_that_is_not_theirs_alone_stays(void **state)
{
    static const char *const homes[] = {
        "/", "/data", "", "home/a", "/var/", "/var/mail", "/home/x/../..", "/home/kept"};
    for (size_t i = 0; i < ARRAY_SIZE(homes); i++) {
        struct world world;
        world_open(&world);
        char text[256];
        snprintf(text, sizeof(text),
                 "mail:x:8:8::/var/mail:/bin/sh\nkept:x:999:999::/home/kept/deep:/bin/sh\n"
                 "bob:x:1000:1000::%s:/bin/sh\n",
                 homes[i]);
        world_file(&world, "/etc/passwd", text);
        world_file(&world, "/data/file", "d");
        world_file(&world, "/var/mail/file", "m");
        world_file(&world, "/home/a/file", "a");
        world_file(&world, "/home/kept/deep/file", "k");
        assert_int_equal(world_do(&world, "user-account"), 0);
        world_expect(&world, "/data/file", "d");
        world_expect(&world, "/var/mail/file", "m");
        world_expect(&world, "/home/a/file", "a");
        world_expect(&world, "/home/kept/deep/file", "k");
        assert_has(world.words.data, "0:The home directory of bob stays");
        world_close(&world);
    }
    (void)state;
}

static void strange_names_lead_nowhere(void **state)
{
    struct world *world = *state;
    world_file(world, "/etc/passwd",
               "..:x:1000:1000::/home/x:/bin/sh\n../../etc:x:1001:1::/home/y:/\n");
    world_file(world, "/var/mail/file", "m");
    world_file(world, "/etc/kept", "k");
    assert_int_equal(remove_accounts(world, NULL, NULL), 0);
    world_expect(world, "/var/mail/file", "m");
    world_expect(world, "/etc/kept", "k");
}

static void a_name_that_is_no_user_is_told(void **state)
{
    struct world *world = *state;
    plant(world);
    assert_int_equal(remove_accounts(world, "root", NULL), 0);
    world_expect(world, "/etc/passwd", passwd);
    assert_has(world->words.data, "0:root is no user account");
}

static void old_places_of_the_hostname_are_reset(void **state)
{
    struct world *world = *state;
    char distro[] = "centos", version[] = "6";
    world->info.distro = distro;
    world->info.version = version;
    world_file(world, "/etc/sysconfig/network", "NETWORKING=yes\nHOSTNAME=old.example.com\n");
    assert_int_equal(world_do(world, "hostname"), 0);
    world_expect(world, "/etc/sysconfig/network", "NETWORKING=yes\nHOSTNAME=localhost\n");
    world_expect(world, "/etc/hostname", NULL);
}

static void members_are_cut_out_of_json(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
    } rows[] = {
        {"{\"a\":{\"b\":1}}", "{\"a\":{}}"},
        {"{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":2}}"},
        {"{\"a\":{\"c\":2,\"b\":1}}", "{\"a\":{\"c\":2}}"},
        {"{\"a\":{\"c\":2 , \"b\" : [1,{\"b\":2}] ,\"d\":3}}", "{\"a\":{\"c\":2 ,\"d\":3}}"},
        {" { \"x\" : \"}\\\"{\" , \"a\" : { \"b\" : \"\\\\\" } } ",
         " { \"x\" : \"}\\\"{\" , \"a\" : {} } "},
        {"{\"b\":1,\"a\":{\"c\":{\"b\":1}}}", NULL},
        {"{\"a\":[{\"b\":1}]}", NULL},
        {"{\"a\":\"b\"}", NULL},
        {"{\"a\":{\"b\":1", NULL},
        {"{\"a\":{\"b\":", NULL},
        {"{\"a\":{\"b", NULL},
        {"{\"a\":{\"b\\", NULL},
        {"{\"a\" \"b\"}", NULL},
        {"[]", NULL},
        {"", NULL},
    };
    static const char *const path[] = {"a", "b", NULL};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct text json = {strdup(rows[i].before), strlen(rows[i].before)};
        bool cut = true;
        json_cut(&json, path, &cut);
        assert_int_equal(cut, rows[i].after != NULL);
        assert_string_equal(json.data, rows[i].after ? rows[i].after : rows[i].before);
        assert_int_equal(json.size, strlen(json.data));
        text_free(&json);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(all_users_go_and_the_system_stays),
        TEST(only_those_named_go),
        TEST(a_group_that_somebody_else_has_first_stays),
        TEST(the_range_of_login_defs_counts),
        TEST(a_home_that_is_not_theirs_alone_stays),
        TEST(strange_names_lead_nowhere),
        TEST(a_name_that_is_no_user_is_told),
        TEST(old_places_of_the_hostname_are_reset),
        cmocka_unit_test(members_are_cut_out_of_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
