/* That a guest without SSH host keys will make some when it boots. */

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/sysprep/world.h"

#define UNIT   "/etc/systemd/system/kiln-ssh-hostkeys.service"
#define LINK   "/etc/systemd/system/multi-user.target.wants/kiln-ssh-hostkeys.service"
#define SYSTEM "/usr/lib/systemd/system/"

static void plant(struct world *world)
{
    world_file(world, "/usr/sbin/sshd", "elf");
    world_file(world, "/usr/bin/ssh-keygen", "elf");
    world_file(world, "/etc/ssh/ssh_host_rsa_key", "old");
}

static void expect_ours(struct world *world, bool wanted)
{
    assert_int_equal(world_do(world, "ssh-hostkeys"), 0);
    world_expect(world, "/etc/ssh/ssh_host_rsa_key", NULL);
    if (!wanted) {
        world_expect(world, UNIT, NULL);
        world_expect(world, LINK, NULL);
        return;
    }
    assert_has(fake_content(world->fake, UNIT), "ExecStart=/usr/bin/ssh-keygen -A\n");
    assert_has(fake_content(world->fake, LINK), "Before=ssh.service sshd.service");
    assert_int_equal(fake_mode(world->fake, LINK) & S_IFMT, S_IFLNK);
}

static void what_the_guest_has_itself_is_enough(void **state)
{
    (void)state;
    static const struct {
        const char *unit, *text, *maker;
    } rows[] = {
        {"sshd.service", "[Unit]\nWants=sshd-keygen.target\n", SYSTEM "sshd-keygen.target"},
        {"sshd.service", "[Unit]\nWants=sshd-keygen.service\n",
         "/lib/systemd/system/sshd-keygen.service"},
        {"sshd.service", "Wants=sshdgenkeys.service\r\n", SYSTEM "sshdgenkeys.service"},
        {"ssh.service", "ExecStartPre=/usr/sbin/sshd-gen-keys-start",
         "/usr/sbin/sshd-gen-keys-start"},
        {"ssh.service", "ExecStartPre=-/usr/bin/ssh-keygen -A\n", NULL},
        {"ssh.service.d/own.conf", "[Unit]\nRequires=sshd-keygen.service\n",
         SYSTEM "sshd-keygen.service"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        for (int there = rows[i].maker ? 0 : 1; there < 2; there++) {
            struct world world;
            char path[128];
            world_open(&world);
            plant(&world);
            snprintf(path, sizeof(path), SYSTEM "%s", rows[i].unit);
            world_file(&world, path, rows[i].text);
            if (there && rows[i].maker)
                world_file(&world, rows[i].maker, "");
            /* A name in the unit proves nothing when there is nothing of that name. */
            expect_ours(&world, !there);
            world_close(&world);
        }
    }
}

static void waiting_for_a_maker_is_not_having_one(void **state)
{
    struct world *world = *state;
    plant(world);
    world_file(world, SYSTEM "sshd.service",
               "[Unit]\n#Wants=sshd-keygen.target\nAfter=sshd-keygen.target\n");
    world_file(world, SYSTEM "sshd-keygen.target", "");
    expect_ours(world, true);
}

static void a_masked_maker_makes_nothing(void **state)
{
    struct world *world = *state;
    plant(world);
    world_file(world, SYSTEM "sshd.service", "[Unit]\nWants=sshd-keygen.target\n");
    world_file(world, SYSTEM "sshd-keygen.target", "");
    fake_add_dir(world->fake, "/etc/systemd/system");
    fake_add_link(world->fake, "/etc/systemd/system/sshd-keygen.target", "/dev/null");
    expect_ours(world, true);
    /* Once more: what is there stays. */
    expect_ours(world, true);
}

static void a_guest_without_a_server_needs_none(void **state)
{
    struct world *world = *state;
    world_file(world, "/etc/ssh/ssh_host_rsa_key", "old");
    expect_ours(world, false);
}

static void init_scripts_are_looked_into(void **state)
{
    static const char *const scripts[] = {"/etc/init.d/sshd", "/etc/rc.d/init.d/sshd",
                                          "/etc/sv/sshd/run"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
        struct world world;
        char init[] = "openrc";
        world_open(&world);
        world.info.init = init;
        plant(&world);
        assert_int_equal(world_do(&world, "ssh-hostkeys"), -EOPNOTSUPP);
        assert_has(error_message(world.error), "ssh-hostkeys: nothing in this guest generates");
        assert_has(error_remedy(world.error), "-ssh-hostkeys");
        world_file(&world, scripts[i], "#!/bin/sh\n# ssh-keygen\nexit 0\n");
        assert_int_equal(world_do(&world, "ssh-hostkeys"), -EOPNOTSUPP);
        world_file(&world, scripts[i], "#!/bin/sh\n\tssh-keygen -A\n");
        assert_int_equal(world_do(&world, "ssh-hostkeys"), 0);
        world_expect(&world, UNIT, NULL);
        world_close(&world);
    }
}

static void a_server_that_customizations_install_counts(void **state)
{
    struct world *world = *state;
    _cleanup_customize_plan_ struct customize_plan plan = {0};
    world_file(world, "/usr/bin/ssh-keygen", "elf");
    fake_add_dir(world->fake, "/usr/sbin");
    assert_int_equal(
        customize_plan_add(&plan, customize_operation_find("write"), "/usr/sbin/sshd:elf", NULL),
        0);
    world->settings.customizations = &plan;
    world_select(world, "ssh-hostkeys,customize");
    assert_int_equal(world_run(world), 0);
    assert_has(fake_content(world->fake, UNIT), "ssh-keygen -A");
}

static void keys_that_programs_made_are_told(void **state)
{
    struct world *world = *state;
    _cleanup_customize_plan_ struct customize_plan plan = {0};
    char arch[] = "x86_64";
    world->info.arch = arch;
    fake_add_dir(world->fake, "/tmp");
    plant(world);
    assert_int_equal(
        customize_plan_add(&plan, customize_operation_find("run-command"), "true", NULL), 0);
    assert_int_equal(customize_plan_add(&plan, customize_operation_find("write"),
                                        "/etc/ssh/ssh_host_rsa_key:new", NULL),
                     0);
    world->settings.customizations = &plan;
    world_select(world, "ssh-hostkeys,customize");
    if (world_run(world) < 0)
        fail_msg("%s", error_message(world->error));
    world_expect(world, "/etc/ssh/ssh_host_rsa_key", "new");
    assert_has(world->words.data, "0:The customizations left SSH host keys");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_the_guest_has_itself_is_enough),
        TEST(waiting_for_a_maker_is_not_having_one),
        TEST(a_masked_maker_makes_nothing),
        TEST(a_guest_without_a_server_needs_none),
        TEST(init_scripts_are_looked_into),
        TEST(a_server_that_customizations_install_counts),
        TEST(keys_that_programs_made_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
