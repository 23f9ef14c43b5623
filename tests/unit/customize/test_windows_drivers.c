/* Windows guests: the virtio drivers, from a directory or an image. */

#include <archive.h>
#include <archive_entry.h>

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/windows_world.h"

#define DRIVERS ROOT "/Drivers/VirtIO"

/* An image with the files of make_source(). */
static char *make_iso(struct world *w)
{
    char *path = str_printf(NULL, "%s/virtio-win.iso", w->directory);
    struct archive *archive = archive_write_new();
    assert_int_equal(archive_write_set_format_iso9660(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    for (size_t i = 0; i < ARRAY_SIZE(source_files); i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, source_files[i]);
        archive_entry_set_filetype(entry, S_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, (la_int64_t)strlen(source_files[i]));
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        archive_write_data(archive, source_files[i], strlen(source_files[i]));
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    return path;
}

static void expect_service(struct registry *system)
{
    expect_number(system, CS "Services\\viostor", "Type", 1);
    expect_number(system, CS "Services\\viostor", "Start", 0);
    expect_number(system, CS "Services\\viostor", "ErrorControl", 1);
    expect_text(system, CS "Services\\viostor", "Group", "SCSI miniport");
    expect_text(system, CS "Services\\viostor", "ImagePath", "system32\\drivers\\viostor.sys");
}

static void expect_device_path(struct world *w)
{
    struct registry *software = open_hive(w, SOFTWARE);
    expect_text(software, "Microsoft\\Windows\\CurrentVersion", "DevicePath",
                "%SystemRoot%\\inf;%SystemRoot%\\Drivers\\VirtIO");
    registry_close(software);
}

static void windows_7_gets_a_critical_device(void **state)
{
    struct world *w = *state;
    char *source = make_source(w);
    become(w, &windows_7);
    fake_add_file(w->fake, DRIVERS "/VIOSTOR.INF", 0644, 0, 0, "older");
    assert_int_equal(world_do(w, "inject-virtio-win", source), 0);
    world_expect(w, DRIVERS "/viostor.sys", "viostor/w7/amd64/viostor.sys");
    world_expect(w, DRIVERS "/VIOSTOR.INF", "viostor/w7/amd64/viostor.inf");
    assert_int_equal(fake_mode(w->fake, DRIVERS "/viostor.inf"), 0);
    world_expect(w, DRIVERS "/viostor.cat", "viostor/w7/amd64/viostor.cat");
    world_expect(w, ROOT "/system32/drivers/viostor.sys", "viostor/w7/amd64/viostor.sys");
    assert_int_equal(fake_mode(w->fake, DRIVERS "/netkvm.sys"), 0);
    expect_device_path(w);
    struct registry *system = open_hive(w, SYSTEM);
    expect_service(system);
    static const char *const ids[] = {"VEN_1AF4&DEV_1001&REV_00", "VEN_1AF4&DEV_1042&REV_01"};
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        char key[200];
        snprintf(key, sizeof(key), CS "Control\\CriticalDeviceDatabase\\PCI#%s", ids[i]);
        expect_text(system, key, "Service", "viostor");
        expect_text(system, key, "ClassGUID", "{4D36E97B-E325-11CE-BFC1-08002BE10318}");
    }
    assert_false(registry_has_key(system, "DriverDatabase"));
    registry_close(system);
    remove_source(source);
}

static void expect_windows_10(struct world *w)
{
    world_expect(w, DRIVERS "/netkvm.inf", "NetKVM/w10/amd64/NetKVM.INF");
    world_expect(w, DRIVERS "/netkvm.sys", "NetKVM/w10/amd64/netkvm.sys");
    world_expect(w, DRIVERS "/fwcfg.inf", "fwcfg/w10/amd64/fwcfg.inf");
    world_expect(w, DRIVERS "/blnsvr.exe", "Balloon/w10/amd64/blnsvr.exe");
    assert_int_equal(fake_mode(w->fake, DRIVERS "/qemufwcfg.inf"), 0);
    assert_int_equal(fake_mode(w->fake, DRIVERS "/viostor.cat"), 0);
    assert_non_null(strstr(fake_content(w->fake, ROOT "/system32/drivers/viostor.sys"), "w10"));
    expect_device_path(w);
    struct registry *system = open_hive(w, SYSTEM);
    expect_service(system);
    assert_true(
        registry_has_key(system, "DriverDatabase\\DeviceIds\\PCI\\VEN_1AF4&DEV_1042&REV_01"));
    expect_text(system, "DriverDatabase\\DriverInfFiles\\guestor.inf", "Active", "guestor.inf_tmp");
    expect_text(system,
                "DriverDatabase\\DriverPackages\\guestor.inf_tmp\\Configurations\\guestor_conf",
                "Service", "viostor");
    expect_text(system,
                "DriverDatabase\\DriverPackages\\guestor.inf_tmp\\Descriptors\\PCI\\"
                "VEN_1AF4&DEV_1001&REV_00",
                "Configuration", "guestor_conf");
    assert_false(registry_has_key(system, CS
                                  "Control\\CriticalDeviceDatabase\\PCI#VEN_1AF4&DEV_1001&REV_00"));
    registry_close(system);
}

static void windows_10_gets_a_driver_package(void **state)
{
    struct world *w = *state;
    char *source = make_source(w);
    become(w, &windows_10);
    assert_int_equal(world_do(w, "inject-virtio-win", source), 0);
    expect_windows_10(w);
    remove_source(source);
}

static void an_image_does_as_well_as_a_directory(void **state)
{
    struct world *w = *state;
    char *iso = make_iso(w);
    become(w, &windows_10);
    assert_int_equal(world_do(w, "inject-virtio-win", iso), 0);
    expect_windows_10(w);
    unlink(iso);
    free(iso);
}

/* Both hives, in one piece of memory. */
static char *hives_of(struct world *w, size_t *ret_size)
{
    char *a, *b;
    size_t first, second;
    assert_int_equal(guest_read(&w->fake->guest, SYSTEM, 1 << 20, &a, &first, NULL), 0);
    assert_int_equal(guest_read(&w->fake->guest, SOFTWARE, 1 << 20, &b, &second, NULL), 0);
    a = realloc(a, first + second);
    memcpy(a + first, b, second);
    free(b);
    *ret_size = first + second;
    return a;
}

static void doing_it_twice_changes_nothing_more(void **state)
{
    struct world *w = *state;
    char *source = make_source(w);
    size_t before_size, after_size;
    become(w, &windows_10);
    assert_int_equal(world_do(w, "inject-virtio-win", source), 0);
    char *before = hives_of(w, &before_size);
    assert_int_equal(world_do(w, "inject-virtio-win", source), 0);
    char *after = hives_of(w, &after_size);
    assert_int_equal(before_size, after_size);
    assert_memory_equal(before, after, before_size);
    free(before);
    free(after);
    remove_source(source);
}

static void a_release_without_drivers_is_an_error(void **state)
{
    struct world *w = *state;
    static const struct windows server = {10, 0, "26100", "Server Core", "AMD64", true};
    char *source = make_source(w);
    become(w, &server);
    assert_int_equal(world_do(w, "inject-virtio-win", source), -ENOENT);
    assert_error_has(w, "Windows 10.0 Server Core (build 26100, x86_64)");
    assert_non_null(strstr(error_remedy(w->error), "virtio-win.iso"));
    assert_int_equal(world_do(w, "inject-virtio-win", w->directory), -ENOENT);
    assert_int_equal(w->fake->changes, 0);
    remove_source(source);
}

static void drivers_without_one_for_disks_are_told(void **state)
{
    struct world *w = *state;
    char *source = make_source(w);
    become(w, &windows_7);
    _cleanup_free_ char *path = str_printf(NULL, "%s/viostor/w7/amd64/viostor.sys", source);
    unlink(path);
    assert_int_equal(world_do(w, "inject-virtio-win", source), 0);
    assert_non_null(strstr(w->words.data, "no driver for virtio disks"));
    struct registry *system = open_hive(w, SYSTEM);
    assert_false(registry_has_key(system, CS "Services\\viostor"));
    registry_close(system);
    remove_source(source);
}

static void a_hive_that_windows_has_not_finished_stops_it(void **state)
{
    struct world *w = *state;
    char *source = make_source(w), *data;
    size_t size;
    become(w, &windows_7);
    assert_int_equal(guest_read(&w->fake->guest, SYSTEM, 1 << 20, &data, &size, NULL), 0);
    hive_put32((uint8_t *)data + 4, 77);
    hive_checksum((uint8_t *)data);
    fake_add_bytes(w->fake, SYSTEM, data, size);
    w->fake->changes = 0;
    assert_int_equal(world_do(w, "inject-virtio-win", source), -EUCLEAN);
    assert_non_null(strstr(error_remedy(w->error), "shut it down"));
    assert_int_equal(w->fake->changes, 0);
    free(data);
    remove_source(source);
}

static void faults_of_the_guest_are_passed_on(void **state)
{
    struct world *w = *state;
    char *source = make_source(w);
    become(w, &windows_10);
    static const char *const faults[] = {"stat", "list", "download", "write", "upload", "mkdir"};
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        bool failed = false;
        for (unsigned after = 0; after < 40; after++) {
            put_software(w, &windows_10);
            put_system(w, &windows_10);
            w->fake->fault = faults[i];
            w->fake->fault_after = after;
            w->fake->fault_errno = EROFS;
            int r = world_do(w, "inject-virtio-win", source);
            w->fake->fault = NULL;
            assert_true(r == 0 || r == -EROFS);
            assert_int_equal(r < 0, w->error != NULL);
            if (r < 0)
                assert_non_null(strstr(error_remedy(w->error), "hibernated"));
            failed = failed || r < 0;
        }
        if (!failed && strcmp(faults[i], "mkdir") != 0)
            fail_msg("%s never failed", faults[i]);
    }
    remove_source(source);
}

/* Arguments, and other guests. */

static void methods_that_are_none(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"inject-virtio-win", "inject-qemu-ga", "inject-blnsvr"};
    char text[40000];
    memset(text, 'x', sizeof(text));
    _cleanup_free_ char *file = strdup(world_file(w, "no.iso", text, sizeof(text)));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(world_add(w, names[i], ""), -EINVAL);
        assert_int_equal(world_add(w, names[i], "osinfo"), -EOPNOTSUPP);
        assert_non_null(strstr(error_remedy(w->error), "virtio-win.iso"));
        assert_int_equal(world_add(w, names[i], "/nonexistent/virtio-win.iso"), -ENOENT);
        assert_true(world_add(w, names[i], file) < 0);
        assert_error_has(w, "ISO image");
        assert_int_equal(world_do(w, names[i], w->directory), 0);
        assert_non_null(strstr(w->words.data, names[i]));
        assert_non_null(strstr(w->words.data, "is ignored: the guest is not Windows"));
    }
    unlink(file);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(windows_7_gets_a_critical_device),
        T(windows_10_gets_a_driver_package),
        T(an_image_does_as_well_as_a_directory),
        T(doing_it_twice_changes_nothing_more),
        T(a_release_without_drivers_is_an_error),
        T(drivers_without_one_for_disks_are_told),
        T(a_hive_that_windows_has_not_finished_stops_it),
        T(faults_of_the_guest_are_passed_on),
        T(methods_that_are_none),
    };
    return cmocka_run_group_tests_name("customize/windows_drivers", tests, NULL, NULL);
}
