/* What --operations and --enable choose. */

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/sysprep/world.h"

static const char *const all_names[] = {
    "abrt-data",
    "backup-files",
    "bash-history",
    "blkid-tab",
    "ca-certificates",
    "crash-data",
    "cron-spool",
    "customize",
    "dhcp-client-state",
    "dhcp-server-state",
    "dovecot-data",
    "firewall-rules",
    "flag-reconfiguration",
    "fs-uuids",
    "ipa-client",
    "kerberos-data",
    "kerberos-hostkeytab",
    "logfiles",
    "lvm-system-devices",
    "lvm-uuids",
    "machine-id",
    "mail-spool",
    "net-hostname",
    "net-hwaddr",
    "net-nmconn",
    "pacct-log",
    "package-manager-cache",
    "pam-data",
    "passwd-backups",
    "puppet-data-log",
    "rh-subscription-manager",
    "rhn-systemid",
    "rpm-db",
    "samba-db-log",
    "script",
    "smolt-uuid",
    "ssh-hostkeys",
    "ssh-userdir",
    "sssd-db-log",
    "tmp-files",
    "udev-persistent-net",
    "user-account",
    "utmp",
    "yum-uuid",
    "zsh-history",
    /* ours */
    "cloud-init",
    "dhcp-duid",
    "hostname",
    "journal",
    "random-seed",
    "snapd-state",
    "swap-header",
    "zero-free",
    /* ours, of programs that many guests have */
    "amazon-ssm-agent",
    "beats-uuid",
    "ceph-data",
    "checkmk-agent",
    "chef-client",
    "cockpit-certs",
    "consul-node-id",
    "containerd-uuid",
    "corosync-data",
    "docker-id",
    "dropbear-hostkeys",
    "gitlab-runner-id",
    "google-guest-agent",
    "icinga2-certs",
    "insights-client",
    "iscsi-initiator",
    "kubernetes-node",
    "mysql-server-uuid",
    "nvme-hostid",
    "openvswitch-system-id",
    "postfix-hostname",
    "puppet-ssl",
    "salt-minion",
    "snmpd-engine-id",
    "systemd-credentials",
    "tailscale-state",
    "tpm2-srk",
    "waagent-state",
    "zabbix-agent",
    "zerotier-identity",
    "zfs-hostid",
};

static const char *const off_names[] = {
    "ca-certificates",  "firewall-rules", "flag-reconfiguration", "fs-uuids",
    "kerberos-data",    "swap-header",    "user-account",         "zero-free",
    "ceph-data",        "corosync-data",  "icinga2-certs",        "kubernetes-node",
    "postfix-hostname", "zabbix-agent",   "zfs-hostid",
};

static size_t chosen_count(const struct sysprep_selection *selection)
{
    size_t count = 0;
    for (size_t i = 0; i < sysprep_operation_count; i++)
        count += selection->chosen[i];
    return count;
}

static void the_operations_are_those_of_virt_sysprep_and_ours(void **state)
{
    const struct world *world = *state;
    assert_int_equal(sysprep_operation_count, ARRAY_SIZE(all_names));
    for (size_t i = 0; i < ARRAY_SIZE(all_names); i++) {
        const struct sysprep_operation *operation = sysprep_operation_find(all_names[i]);
        if (!operation)
            fail_msg("there is no operation %s", all_names[i]);
        bool off = false;
        for (size_t j = 0; j < ARRAY_SIZE(off_names); j++)
            off = off || strcmp(off_names[j], all_names[i]) == 0;
        if (operation->by_default == off)
            fail_msg("%s is %s by default", all_names[i], off ? "on" : "off");
        assert_true(operation->help && operation->manual);
        assert_false(str_ends(operation->help, "."));
        assert_true(str_ends(operation->manual, "."));
        assert_int_equal(sysprep_selection_has(&world->selection, all_names[i]), !off);
    }
    assert_null(sysprep_operation_find("nonesuch"));
}

static void the_default_set_needs_no_appliance(void **state)
{
    struct world *world = *state;
    assert_int_equal(sysprep_selection_needs(&world->selection, NULL), GUEST_CAN_EDIT);
    world_select(world, "defaults,fs-uuids,swap-header");
    assert_int_equal(sysprep_selection_needs(&world->selection, NULL),
                     GUEST_CAN_EDIT | GUEST_CAN_RENEW | GUEST_CAN_RENEW_FS | GUEST_CAN_RUN);
    strv_add(&world->settings.scripts, "/bin/true", NULL);
    world_select(world, "-fs-uuids,-swap-header");
    assert_int_equal(sysprep_selection_needs(&world->selection, &world->settings),
                     GUEST_CAN_EDIT | GUEST_CAN_MOUNT);
}

static void the_first_operations_start_from_nothing(void **state)
{
    struct world *world = *state;
    world_select(world, "utmp,machine-id");
    assert_int_equal(chosen_count(&world->selection), 2);
    assert_true(sysprep_selection_has(&world->selection, "utmp"));
    /* Further ones change what is chosen by then. */
    world_select(world, "-utmp,journal");
    assert_int_equal(chosen_count(&world->selection), 2);
    assert_false(sysprep_selection_has(&world->selection, "utmp"));
    assert_true(sysprep_selection_has(&world->selection, "journal"));
}

static void groups_are_added_and_taken_out(void **state)
{
    struct world *world = *state;
    size_t defaults = ARRAY_SIZE(all_names) - ARRAY_SIZE(off_names);
    world_select(world, "firewall-rules,defaults,-tmp-files");
    assert_int_equal(chosen_count(&world->selection), defaults);
    assert_true(sysprep_selection_has(&world->selection, "firewall-rules"));
    assert_false(sysprep_selection_has(&world->selection, "tmp-files"));
    world_select(world, "all");
    assert_int_equal(chosen_count(&world->selection), ARRAY_SIZE(all_names));
    world_select(world, "-defaults");
    assert_int_equal(chosen_count(&world->selection), ARRAY_SIZE(off_names));
    world_select(world, "-all");
    assert_int_equal(chosen_count(&world->selection), 0);
}

static void enable_means_exactly_these(void **state)
{
    struct world *world = *state;
    assert_int_equal(sysprep_selection_enable(&world->selection, "utmp,user-account", NULL), 0);
    assert_int_equal(chosen_count(&world->selection), 2);
    assert_int_equal(sysprep_selection_enable(&world->selection, "utmp", &world->error), -EINVAL);
    assert_has(error_message(world->error), "--enable can be given only once");
    world_select(world, "-utmp");
    assert_int_equal(chosen_count(&world->selection), 1);
}

static void wrong_names_are_refused_with_the_likely_one(void **state)
{
    static const struct {
        const char *operations;
        const char *message;
        const char *hint;
    } rows[] = {
        {"machineid", "there is no operation 'machineid'", "did you mean: machine-id?"},
        {"defaults,-ssh-hostkey", "there is no operation 'ssh-hostkey'",
         "did you mean: ssh-hostkeys?"},
        {"uuids", "there is no operation 'uuids'", "did you mean: fs-uuids, lvm-uuids?"},
        {"utmp,,journal", "name is missing", NULL},
        {"utmp,", "name is missing", NULL},
        {"", "name is missing", NULL},
        {"-", "name is missing", NULL},
        {"default", "there is no operation 'default'", "--list-operations"},
        {"\033[2Jwholly-different-from-them", "there is no operation '\\x1b[2Jwholly", "--list-"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "there is no operation", "--list-operations"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(
            sysprep_selection_set(&world->selection, rows[i].operations, &world->error), -EINVAL);
        assert_has(error_message(world->error), rows[i].message);
        if (rows[i].hint)
            assert_has(error_remedy(world->error), rows[i].hint);
        error_clear(&world->error);
        world->selection.given = false;
    }
    /* Groups and leading hyphens are not for --enable. */
    assert_int_equal(sysprep_selection_enable(&world->selection, "defaults", NULL), -EINVAL);
}

static void options_for_an_operation_that_does_not_run_are_refused(void **state)
{
    struct world *world = *state;
    assert_int_equal(sysprep_selection_check(&world->selection, &world->settings, NULL), 0);
    strv_add(&world->settings.keep_user_accounts, "bob", NULL);
    assert_int_equal(sysprep_selection_check(&world->selection, &world->settings, &world->error),
                     -EINVAL);
    assert_has(error_message(world->error), "--keep-user-accounts was given, but");
    assert_has(error_remedy(world->error), "--operations defaults,user-account");
    world_select(world, "defaults,user-account");
    assert_int_equal(sysprep_selection_check(&world->selection, &world->settings, NULL), 0);
    strv_add(&world->settings.scripts, "x", NULL);
    world_select(world, "-script");
    assert_int_equal(sysprep_selection_check(&world->selection, &world->settings, NULL), -EINVAL);
    assert_int_equal(world_run(world), -EINVAL);
    assert_int_equal(world->fake->changes, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_operations_are_those_of_virt_sysprep_and_ours),
        TEST(the_default_set_needs_no_appliance),
        TEST(the_first_operations_start_from_nothing),
        TEST(groups_are_added_and_taken_out),
        TEST(enable_means_exactly_these),
        TEST(wrong_names_are_refused_with_the_likely_one),
        TEST(options_for_an_operation_that_does_not_run_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
