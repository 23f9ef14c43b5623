/* Windows guests: scripts for the first boot, and the programs that it installs. */

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/windows_world.h"

#define HOME "/Program Files/Guestfs/Firstboot"

static void expect_first_boot(struct world *w)
{
    struct registry *system = open_hive(w, SYSTEM);
    expect_number(system, CS "Services\\firstboot", "Type", 0x10);
    expect_number(system, CS "Services\\firstboot", "Start", 2);
    expect_text(system, CS "Services\\firstboot", "ImagePath",
                "\"C:\\Program Files\\Guestfs\\Firstboot\\rhsrvany.exe\" -s firstboot");
    expect_text(system, CS "Services\\firstboot", "ObjectName", "LocalSystem");
    expect_text(system, CS "Services\\firstboot\\Parameters", "CommandLine",
                "cmd /c \"C:\\Program Files\\Guestfs\\Firstboot\\firstboot.bat\"");
    registry_close(system);
    world_expect(w, HOME "/rhsrvany.exe", "MZ");
    const char *runner = fake_content(w->fake, HOME "/firstboot.bat");
    assert_non_null(strstr(runner, "\\rhsrvany.exe\" -s firstboot uninstall\r\n"));
    for (const char *c = strchr(runner, '\n'); c; c = strchr(c + 1, '\n'))
        assert_int_equal(c[-1], '\r');
}

static void the_first_boot_runs_batch_files(void **state)
{
    struct world *w = *state;
    static const char text[] = "echo one\necho two\r\n";
    become(w, &windows_7);
    char *tools = make_tools(w);
    const char *script = world_file(w, "a.bat", text, sizeof(text) - 1);
    assert_int_equal(world_add(w, "firstboot", script), 0);
    unlink(script);
    assert_int_equal(world_add(w, "firstboot-command", "net user Administrator /active:yes"), 0);
    assert_int_equal(world_run(w), 0);
    expect_first_boot(w);
    world_expect(w, HOME "/scripts/5000-0002-net-user-Administrator--active-yes.bat",
                 "net user Administrator /active:yes\r\n");
    assert_int_equal(world_do(w, "firstboot-command", "third"), 0);
    world_expect(w, HOME "/scripts/5000-0003-third.bat", "third\r\n");
    expect_first_boot(w);
    unlink(tools);
    free(tools);
}

static void scripts_are_text(void **state)
{
    struct world *w = *state;
    become(w, &windows_7);
    char *tools = make_tools(w);
    const char *script = world_file(w, "a.exe", "MZ\0\0", 4);
    assert_int_equal(world_do(w, "firstboot", script), -EINVAL);
    assert_error_has(w, "batch file");
    unlink(script);
    unlink(tools);
    free(tools);
}

static void without_a_wrapper_there_is_no_first_boot(void **state)
{
    struct world *w = *state;
    become(w, &windows_7);
    setenv("VIRT_TOOLS_DATA_DIR", w->directory, 1);
    assert_int_equal(world_do(w, "firstboot-command", "x"), -ENOENT);
    assert_error_has(w, w->directory);
    assert_non_null(strstr(error_remedy(w->error), "https://github.com/rwmjones/rhsrvany"));
    assert_non_null(strstr(error_remedy(w->error), "VIRT_TOOLS_DATA_DIR"));
    assert_int_equal(world_do(w, "inject-qemu-ga", w->directory), -ENOENT);
    assert_error_has(w, "rhsrvany.exe");
    assert_int_equal(w->fake->changes, 0);
}

static void programs_are_installed_by_the_first_boot(void **state)
{
    struct world *w = *state;
    char *source = make_source(w);
    become(w, &windows_10);
    char *tools = make_tools(w);
    assert_int_equal(world_add(w, "inject-qemu-ga", source), 0);
    assert_int_equal(world_add(w, "inject-blnsvr", source), 0);
    assert_int_equal(world_run(w), 0);
    expect_first_boot(w);
    world_expect(w, "/qemu-ga-x86_64.msi", "guest-agent/qemu-ga-x86_64.msi");
    world_expect(w, "/blnsvr.exe", "Balloon/w10/amd64/blnsvr.exe");
    const char *script = fake_content(w->fake, HOME "/scripts/5000-0001-install-qemu-ga.bat");
    assert_non_null(strstr(script, "msiexec.exe /i \"C:\\qemu-ga-x86_64.msi\" /qn"));
    world_expect(w, HOME "/scripts/5000-0002-install-blnsvr.bat", "\"C:\\blnsvr.exe\" -i\r\n");
    become(w, &windows_7);
    assert_int_equal(world_do(w, "inject-blnsvr", source), -ENOENT);
    assert_error_has(w, "has no balloon service for this guest");
    unlink(tools);
    free(tools);
    remove_source(source);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(the_first_boot_runs_batch_files),
        T(scripts_are_text),
        T(without_a_wrapper_there_is_no_first_boot),
        T(programs_are_installed_by_the_first_boot),
    };
    return cmocka_run_group_tests_name("customize/windows_firstboot", tests, NULL, NULL);
}
