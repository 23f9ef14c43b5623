/* Windows guests: inspection, what fits them, and what is not for them. */

#include "customize/windows/windows.h"
#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/windows_world.h"

/* Inspection. */

static void inspection_reads_the_registry(void **state)
{
    struct world *w = *state;
    become(w, &windows_10);
    assert_string_equal(w->info.type, "windows");
    assert_string_equal(w->info.distro, "windows");
    assert_string_equal(w->info.product_name, "Windows of the Tests");
    assert_string_equal(w->info.version, "10.0");
    assert_string_equal(w->info.arch, "x86_64");
    assert_string_equal(w->info.hostname, "WINBOX");
    assert_string_equal(w->info.package_manager, "unknown");
    assert_string_equal(w->info.windows->systemroot, ROOT);
    assert_string_equal(w->info.windows->system_hive, SYSTEM);
    assert_string_equal(w->info.windows->software_hive, SOFTWARE);
    assert_string_equal(w->info.windows->control_set, "ControlSet002");
    assert_string_equal(w->info.windows->variant, "Client");
    assert_int_equal(w->info.windows->build, 19045);
    become(w, &windows_7);
    assert_int_equal(w->info.windows->major, 6);
    assert_int_equal(w->info.windows->minor, 1);
}

static void inspection_bears_a_broken_registry(void **state)
{
    struct world *w = *state;
    become(w, &windows_7);
    /* The processor is then known from a program: a PE header 64 bytes into the file. */
    char program[80] = "MZ";
    program[60] = 64;
    memcpy(program + 64, "PE\0\0\x4c\x01", 6);
    fake_add_bytes(w->fake, ROOT "/system32/CMD.EXE", program, sizeof(program));
    fake_add_file(w->fake, SOFTWARE, 0644, 0, 0, "no hive at all");
    inspect(w);
    assert_string_equal(w->info.type, "windows");
    assert_string_equal(w->info.arch, "i386");
    assert_string_equal(w->info.version, "0.0");
    assert_string_equal(w->info.hostname, "");
    assert_non_null(strstr(w->info.windows->trouble, "too short"));
    assert_int_equal(world_do(w, "write", "/a:b"), 0);
    assert_int_equal(world_do(w, "inject-virtio-win", w->directory), -EOPNOTSUPP);
    assert_error_has(w, "too short");
    assert_int_equal(world_do(w, "firstboot-command", "x"), -EOPNOTSUPP);
}

static void what_only_looks_like_windows_is_none(void **state)
{
    struct world *w = *state;
    struct guest_info info;
    fake_add_dir(w->fake, "/Windows/System32/config");
    w->fake->ops.root = ntfs_root;
    assert_int_equal(guest_inspect(&w->fake->guest, &info, NULL), 0);
    assert_null(info.windows);
    assert_string_equal(info.type, "linux");
    guest_info_free(&info);
}

/* What fits. */

static void each_release_has_its_directories(void **state)
{
    (void)state;
    static const struct {
        struct windows windows;
        const char *path;
        bool fits;
    } cases[] = {
        {{5, 1, "2600", "", "x86", false}, "viostor/xp/x86/viostor.sys", true},
        {{5, 2, "3790", "", "AMD64", false}, "NetKVM/2k3/amd64/netkvm.sys", true},
        {{6, 0, "6002", "Server", "x86", false}, "Balloon/2k8/x86/balloon.sys", true},
        {{6, 0, "6002", "Client", "x86", false}, "Balloon/2k8/x86/balloon.sys", false},
        {{6, 1, "7601", "Client", "AMD64", false}, "viostor/w7/amd64/viostor.sys", true},
        {{6, 1, "7601", "Client", "AMD64", false}, "viostor/w7/x86/viostor.sys", false},
        {{6, 1, "7601", "Client", "AMD64", false}, "viostor/2k8R2/amd64/viostor.sys", false},
        {{6, 1, "7601", "Server", "AMD64", false}, "viostor/2k8R2/amd64/viostor.sys", true},
        {{6, 3, "9600", "Server Core", "AMD64", true}, "drivers/amd64/Win2012R2/netkvm.sys", true},
        {{6, 2, "9200", "Server Core", "AMD64", true}, "drivers/amd64/Win2012R2/netkvm.sys", false},
        {{10, 0, "19045", "Client", "AMD64", true}, "viostor/w10/amd64/viostor.sys", true},
        {{10, 0, "22000", "Client", "AMD64", true}, "viostor/w10/amd64/viostor.sys", false},
        {{10, 0, "26100", "Client", "AMD64", true}, "viostor/w11/amd64/viostor.sys", true},
        {{10, 0, "22631", "Client", "ARM64", true}, "viostor/w11/ARM64/viostor.sys", true},
        {{10, 0, "14393", "Server", "AMD64", true}, "viostor/2k16/amd64/viostor.sys", true},
        {{10, 0, "17763", "Server", "AMD64", true}, "viostor/2k19/amd64/viostor.sys", true},
        {{10, 0, "20348", "Server", "AMD64", true}, "viostor/2k22/amd64/viostor.sys", true},
        {{10, 0, "26100", "Server", "AMD64", true}, "viostor/2k25/amd64/viostor.sys", true},
        {{10, 0, "26100", "Server", "AMD64", true}, "viostor/2k22/amd64/viostor.sys", false},
        {{10, 0, "19045", "Client", "AMD64", true}, "amd64/w10/viostor.sys", true},
        {{10, 0, "19045", "Client", "AMD64", true}, "w10/viostor.sys", false},
        {{10, 0, "19045", "Client", "AMD64", true}, "amd64/viostor.sys", false},
        {{10, 0, "19045", "Client", "AMD64", true}, "viostor/amd64/w10", false},
        {{10, 0, "19045", "Client", "AMD64", true}, "w10", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct windows *is = &cases[i].windows;
        struct guest_windows windows = {.major = is->major,
                                        .minor = is->minor,
                                        .build = (unsigned)atoi(is->build),
                                        .variant = (char *)is->variant};
        const char *arch = strcmp(is->processor, "x86") == 0     ? "i386"
                           : strcmp(is->processor, "AMD64") == 0 ? "x86_64"
                                                                 : "aarch64";
        struct guest_info info = {.windows = &windows, .arch = (char *)arch};
        if (windows_driver_fits(&info, cases[i].path) != cases[i].fits)
            fail_msg("%u.%u %s %s: %s", is->major, is->minor, is->build, is->variant,
                     cases[i].path);
    }
}

static void the_agent_is_known_by_its_name(void **state)
{
    (void)state;
    char x86_64[] = "x86_64", i386[] = "i386";
    struct guest_info wide = {.arch = x86_64}, narrow = {.arch = i386};
    assert_true(windows_agent_fits(&wide, "guest-agent/qemu-ga-x86_64.msi"));
    assert_true(windows_agent_fits(&wide, "linux/QEMU-GA-X64.MSI"));
    assert_false(windows_agent_fits(&wide, "guest-agent/qemu-ga-i386.msi"));
    assert_true(windows_agent_fits(&narrow, "guest-agent/qemu-ga-i386.msi"));
    assert_true(windows_agent_fits(&narrow, "rhev-qga.msi"));
    assert_false(windows_agent_fits(&narrow, "qemu-ga-i386.msi/readme"));
}

/* What is not for them. */

static void accounts_and_names_are_not_for_windows(void **state)
{
    struct world *w = *state;
    static const char *const left_out[][2] = {{"hostname", "web1"},
                                              {"timezone", "UTC"},
                                              {"root-password", "random"},
                                              {"password", "x:disabled"}};
    static const char *const cases[][2] = {
        {"firstboot-install", "nginx"}, {"install", "nginx"}, {"run-command", "true"}};
    become(w, &windows_10);
    char *tools = make_tools(w);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int r = world_do(w, cases[i][0], cases[i][1]);
        if (r != -EOPNOTSUPP)
            fail_msg("--%s: %d", cases[i][0], r);
    }
    for (size_t i = 0; i < ARRAY_SIZE(left_out); i++) {
        str_free(&w->words);
        assert_int_equal(world_do(w, left_out[i][0], left_out[i][1]), 0);
        assert_non_null(
            strstr(w->words.data, "only in a Linux guest; this one is of type windows"));
        assert_int_equal(w->context.generated_passwords.count, 0);
    }
    assert_int_equal(w->fake->changes, 0);
    unlink(tools);
    free(tools);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(inspection_reads_the_registry),        T(inspection_bears_a_broken_registry),
        T(what_only_looks_like_windows_is_none), T(each_release_has_its_directories),
        T(the_agent_is_known_by_its_name),       T(accounts_and_names_are_not_for_windows),
    };
    return cmocka_run_group_tests_name("customize/windows", tests, NULL, NULL);
}
