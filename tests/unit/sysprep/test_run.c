/* Running operations: order, what they choose by the guest, failures. */

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/sysprep/world.h"

static void the_order_is_by_name_and_customizations_come_late(void **state)
{
    struct world *world = *state;
    world_select(world, "all");
    assert_int_equal(world_run(world), 0);
    size_t by_name = 0;
    while (strcmp(world->ran.items[by_name], "customize") != 0)
        by_name++;
    for (size_t i = 1; i < by_name; i++)
        assert_true(strcmp(world->ran.items[i - 1], world->ran.items[i]) < 0);
    static const char *const last[] = {"customize", "machine-id", "random-seed",
                                       "fs-uuids",  "lvm-uuids",  "zero-free"};
    assert_int_equal(world->ran.count, by_name + ARRAY_SIZE(last));
    for (size_t i = 0; i < ARRAY_SIZE(last); i++)
        assert_string_equal(world->ran.items[by_name + i], last[i]);
    assert_int_equal(world->fake->renewed[GUEST_FILE_SYSTEM_UUIDS], 1);
    assert_int_equal(world->fake->renewed[GUEST_LVM_UUIDS], 1);
    assert_int_equal(world->fake->trimmed, 1);
    assert_has(world->words.data, "Performing abrt-data");
}

static void other_systems_are_refused_with_the_way(void **state)
{
    struct world *world = *state;
    char windows[] = "windows";
    char freebsd[] = "freebsd";
    world->info.type = windows;
    assert_int_equal(world_run(world), -EOPNOTSUPP);
    assert_has(error_message(world->error), "Windows");
    assert_has(error_remedy(world->error), "sysprep.exe /generalize /oobe");
    world->info.type = freebsd;
    assert_int_equal(world_run(world), -EOPNOTSUPP);
    assert_has(error_message(world->error), "this one is freebsd");
    world->info.type = NULL;
    assert_int_equal(world_run(world), -EOPNOTSUPP);
    assert_int_equal(world->fake->changes, 0);
    assert_int_equal(world->ran.count, 0);
}

static void failures_name_the_operation_and_what_ran_before(void **state)
{
    struct world *world = *state;
    world_file(world, "/var/spool/abrt/x", "");
    world_file(world, "/root/.bash_history", "");
    world_select(world, "abrt-data,bash-history,utmp");
    world->fake->fault = "unlink";
    world->fake->fault_after = 1;
    world->fake->fault_errno = EIO;
    assert_int_equal(world_run(world), -EIO);
    assert_has(error_message(world->error), "bash-history: ");
    assert_has(error_message(world->error), "/root/.bash_history");
    assert_int_equal(world->ran.count, 1);
    assert_string_equal(world->ran.items[0], "abrt-data");
}

/* Whatever call fails, the run ends with an error, not with a crash or in silence. */
static void no_write_that_fails_is_passed_over(void **state)
{
    (void)state;
    static const char *const calls[] = {"write", "unlink", "rmdir", "truncate", "mkdir", "symlink"};
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        struct world world;
        world_open(&world);
        world_file(&world, "/etc/machine-id", "1\n");
        world_file(&world, "/etc/hostname", "old\n");
        world_file(&world, "/tmp/dir/file", "");
        world_file(&world, "/usr/sbin/sshd", "");
        world_file(&world, "/usr/bin/ssh-keygen", "");
        world.fake->fault = calls[i];
        world.fake->fault_errno = ENOSPC;
        if (world_run(&world) != -ENOSPC)
            fail_msg("%s failed and nobody told", calls[i]);
        world_close(&world);
    }
}

static void customizations_come_when_the_old_machine_is_gone(void **state)
{
    struct world *world = *state;
    _cleanup_customize_plan_ struct customize_plan plan = {0};
    world_file(world, "/etc/hostname", "old\n");
    world_file(world, "/etc/hosts", "127.0.1.1 old\n");
    world_file(world, "/etc/ssh/ssh_host_rsa_key", "old");
    fake_add_dir(world->fake, "/var/lib/systemd");
    assert_int_equal(customize_plan_add(&plan, customize_operation_find("hostname"), "new", NULL),
                     0);
    assert_int_equal(customize_plan_add(&plan, customize_operation_find("write"),
                                        "/etc/ssh/ssh_host_rsa_key:own", NULL),
                     0);
    assert_int_equal(
        customize_plan_add(&plan, customize_operation_find("write"), "/etc/machine-id:0123", NULL),
        0);
    world->settings.customizations = &plan;
    assert_int_equal(world_run(world), 0);
    world_expect(world, "/etc/hostname", "new\n");
    world_expect(world, "/etc/hosts", "127.0.1.1 new\n");
    world_expect(world, "/etc/ssh/ssh_host_rsa_key", "own");
    /* But these must not come back. */
    world_expect(world, "/etc/machine-id", "");
    world_expect(world, "/var/lib/systemd/random-seed", NULL);
}

static void a_wish_for_a_first_boot_stays(void **state)
{
    static const char *const wishes[] = {"uninitialized\n", "uninitialized"};
    struct world *world = *state;
    for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
        world_file(world, "/etc/machine-id", wishes[i]);
        assert_int_equal(world_do(world, "machine-id"), 0);
        world_expect(world, "/etc/machine-id", wishes[i]);
    }
    assert_int_equal(world->fake->changes, 0);
    world_file(world, "/etc/machine-id", "uninitializeD");
    assert_int_equal(world_do(world, "machine-id"), 0);
    world_expect(world, "/etc/machine-id", "");
}

static void a_system_id_of_lvm_from_the_machine_id_is_told(void **state)
{
    struct world *world = *state;
    world_file(world, "/etc/lvm/lvm.conf", "\t# system_id_source = \"machineid\"\n");
    assert_int_equal(world_do(world, "machine-id"), 0);
    assert_null(strstr(world->words.data, "LVM"));
    world_file(world, "/etc/lvm/lvmlocal.conf", "local {\n\tsystem_id_source = \"machineid\"\n}\n");
    assert_int_equal(world_do(world, "machine-id"), 0);
    assert_has(world->words.data, "0:LVM takes its system id from the machine id");
}

static void an_initiator_gets_a_name_where_nothing_makes_one(void **state)
{
    struct world *world = *state;
    static const char name[] = "/etc/iscsi/initiatorname.iscsi";
    static const char unit[] = "/etc/systemd/system/kiln-iscsi-initiator.service";
    world_file(world, name, "InitiatorName=iqn.1\n");
    assert_int_equal(world_do(world, "iscsi-initiator"), 0);
    world_expect(world, name, "InitiatorName=iqn.1\n");
    assert_has(world->words.data, "0:/etc/iscsi/initiatorname.iscsi stays");
    world_file(world, "/usr/sbin/iscsi-iname", "elf");
    assert_int_equal(world_do(world, "iscsi-initiator"), 0);
    world_expect(world, name, NULL);
    assert_has(fake_content(world->fake, unit), "$$(iscsi-iname)");
    assert_has(fake_content(world->fake, "/etc/systemd/system/multi-user.target.wants/"
                                         "kiln-iscsi-initiator.service"),
               "Before=iscsid.service");
    world_expect(world, "/etc/systemd/system-preset/00-kiln-iscsi-initiator.preset",
                 "enable kiln-iscsi-initiator.service\n");
    world_file(world, name, "## comment\nGenerateName=yes\n");
    assert_int_equal(world_do(world, "iscsi-initiator"), 0);
    world_expect(world, name, "## comment\nGenerateName=yes\n");
}

static void dropbear_makes_keys_or_gets_a_unit(void **state)
{
    struct world *world = *state;
    static const char key[] = "/etc/dropbear/dropbear_rsa_host_key";
    static const char unit[] = "/etc/systemd/system/kiln-dropbear-hostkeys.service";
    char procd[] = "sysvinit", systemd[] = "systemd";
    world_file(world, key, "k");
    world_file(world, "/usr/sbin/dropbear", "elf");
    world_file(world, "/usr/bin/dropbearkey", "elf");
    world->info.init = procd;
    assert_int_equal(world_do(world, "dropbear-hostkeys"), -EOPNOTSUPP);
    assert_has(error_remedy(world->error), "-dropbear-hostkeys");
    world_file(world, "/etc/init.d/dropbear", "hk_generate() {\n\tdropbearkey -t rsa -f $1\n}\n");
    world_file(world, key, "k");
    assert_int_equal(world_do(world, "dropbear-hostkeys"), 0);
    world_expect(world, key, NULL);
    world_file(world, "/etc/init.d/dropbear", "#dropbearkey\n");
    world->info.init = systemd;
    world_file(world, "/usr/lib/systemd/system/dropbear.service", "ExecStart=dropbear -EF\n");
    assert_int_equal(world_do(world, "dropbear-hostkeys"), 0);
    assert_has(fake_content(world->fake, unit), "dropbearkey -t $$t");
    world_file(world, "/etc/dropbear-initramfs/dropbear_rsa_host_key", "k");
    assert_int_equal(world_do(world, "dropbear-hostkeys"), 0);
    assert_has(world->words.data, "0:/etc/dropbear-initramfs/dropbear_rsa_host_key stays");
}

static void secrets_that_others_were_made_with_stay(void **state)
{
    struct world *world = *state;
    static const char secret[] = "/var/lib/systemd/credential.secret";
    world_file(world, secret, "s");
    world_file(world, "/etc/systemd/system/a.service.d/b.conf", "LoadCredentialEncrypted=c\n");
    assert_int_equal(world_do(world, "systemd-credentials"), 0);
    world_expect(world, secret, "s");
    assert_has(world->words.data, "0:/var/lib/systemd/credential.secret stays");
    static const char state_of[] = "/var/lib/net-snmp/snmpd.conf",
                      text[] = "usmUser 1\noldEngineID 0x1\n";
    world_file(world, state_of, text);
    assert_int_equal(world_do(world, "snmpd-engine-id"), 0);
    world_expect(world, state_of, text);
    assert_has(world->words.data, "0:The engine id of snmpd stays");
}

/* The seed of systemd-boot lies on a FAT partition, which the native engine does not reach. */
static void a_seed_out_of_reach_is_no_failure(void **state)
{
    (void)state;
    bool told = false;
    for (unsigned calls = 0; calls < 40; calls++) {
        struct world world;
        world_open(&world);
        world.fake->fault = "stat";
        world.fake->fault_after = calls;
        world.fake->fault_errno = EXDEV;
        int r = world_do(&world, "random-seed");
        bool tells = world.words.data && strstr(world.words.data, "was not looked for");
        assert_true(r == 0 || !tells);
        told = told || tells;
        world_close(&world);
    }
    assert_true(told);
}

static void scripts_are_refused_with_the_way(void **state)
{
    struct world *world = *state;
    strv_add(&world->settings.scripts, "/bin/true", NULL);
    assert_int_equal(world_do(world, "script"), -EOPNOTSUPP);
    assert_has(error_message(world->error), "cannot mount the guest on the host");
    assert_has(error_remedy(world->error), "--engine appliance");
}

static void volumes_are_left_alone_by_engines_that_cannot(void **state)
{
    struct world *world = *state;
    world->fake->fault = "renew";
    world->fake->fault_errno = EOPNOTSUPP;
    assert_int_equal(world_do(world, "lvm-uuids"), 0);
    assert_int_equal(world_do(world, "fs-uuids"), -EOPNOTSUPP);
    world->fake->fault_errno = EIO;
    assert_int_equal(world_do(world, "lvm-uuids"), -EIO);
}

static void new_file_system_uuids_come_with_a_warning(void **state)
{
    struct world *world = *state;
    world_file(world, "/etc/fstab", "UUID=1 / ext4 defaults 0 1\n");
    world_file(world, "/boot/grub/grub.cfg", "linux /vmlinuz root=/dev/vda1\n");
    world_file(world, "/boot/loader/entries/a.conf", "options root=UUID=1\n");
    assert_int_equal(world_do(world, "fs-uuids"), 0);
    assert_has(world->words.data, "0:/etc/fstab names");
    assert_has(world->words.data, "0:/boot/loader/entries/a.conf names");
    assert_null(strstr(world->words.data, "grub.cfg"));
}

static void the_bundle_of_certificates_is_made_anew(void **state)
{
    struct world *world = *state;
    char arch[] = "x86_64";
    world->info.arch = arch;
    fake_add_dir(world->fake, "/etc/systemd/system");
    fake_add_dir(world->fake, "/usr/lib/systemd/system");
    world_file(world, "/usr/sbin/update-ca-certificates", "");
    assert_int_equal(world_do(world, "ipa-client"), 0);
    assert_int_equal(world->fake->ran.count, 0);
    world_file(world, "/usr/local/share/ca-certificates/ipa-ca.crt", "c");
    assert_int_equal(world_do(world, "ipa-client"), 0);
    assert_int_equal(world->fake->ran.count, 1);
    assert_string_equal(world->fake->ran.items[0], "update-ca-certificates");
    /* Where no program can run, it has to wait. */
    world_file(world, "/usr/local/share/ca-certificates/ipa-ca.crt", "c");
    world->fake->fault = "run";
    world->fake->fault_errno = EOPNOTSUPP;
    assert_int_equal(world_do(world, "ipa-client"), 0);
    assert_has(
        fake_content(world->fake, "/usr/lib/virt-sysprep/scripts/5000-0001-update-ca-certificates"),
        "#!/bin/sh\nupdate-ca-certificates\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_order_is_by_name_and_customizations_come_late),
        TEST(other_systems_are_refused_with_the_way),
        TEST(failures_name_the_operation_and_what_ran_before),
        TEST(no_write_that_fails_is_passed_over),
        TEST(customizations_come_when_the_old_machine_is_gone),
        TEST(a_wish_for_a_first_boot_stays),
        TEST(a_system_id_of_lvm_from_the_machine_id_is_told),
        TEST(an_initiator_gets_a_name_where_nothing_makes_one),
        TEST(dropbear_makes_keys_or_gets_a_unit),
        TEST(secrets_that_others_were_made_with_stay),
        TEST(a_seed_out_of_reach_is_no_failure),
        TEST(scripts_are_refused_with_the_way),
        TEST(volumes_are_left_alone_by_engines_that_cannot),
        TEST(new_file_system_uuids_come_with_a_warning),
        TEST(the_bundle_of_certificates_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
