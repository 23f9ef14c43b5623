/* Windows guests: inspection, drivers, programs that the first boot installs. */

#include <archive.h>
#include <archive_entry.h>

#include "customize/windows.h"
#include "guest/registry.h"
#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/hive.h"
#include "tests/unit/customize/world.h"

/* As in no other place: spelt in the way of nobody's. */
#define ROOT     "/WINDOWS"
#define SYSTEM   ROOT "/system32/Config/SYSTEM"
#define SOFTWARE ROOT "/system32/Config/software"
#define DRIVERS  ROOT "/Drivers/VirtIO"
#define HOME     "/Program Files/Guestfs/Firstboot"
#define CS       "ControlSet002\\"

static int ntfs_root(struct guest *guest, struct guest_root *ret, struct error **err)
{
    (void)guest, (void)err;
    *ret = (struct guest_root){strdup("/dev/sda2"), strdup("ntfs"), strdup(""), 0, 0};
    return 0;
}

static void set(struct registry *hive, const char *key, const char *name, const char *text)
{
    const struct registry_value value = {name, REGISTRY_SZ, .text = text};
    assert_int_equal(registry_set(hive, key, &value, 1, NULL), 0);
}

static void set_number(struct registry *hive, const char *key, const char *name, uint32_t number)
{
    const struct registry_value value = {name, REGISTRY_DWORD, .number = number};
    assert_int_equal(registry_set(hive, key, &value, 1, NULL), 0);
}

/* An empty hive to fill; goes into the guest and is closed by put_hive(). */
static struct registry *new_hive(void)
{
    struct registry *hive = NULL;
    _cleanup_close_ int fd = hive_open_new();
    assert_int_equal(registry_open_fd(fd, "new", true, &hive, NULL), 0);
    return hive;
}

static void put_hive(struct world *w, struct registry *hive, const char *path)
{
    char *data;
    size_t size;
    _cleanup_close_ int fd = memfd_create("hive", MFD_CLOEXEC);
    assert_int_equal(registry_save(hive, fd, NULL), 0);
    registry_close(hive);
    assert_int_equal(fd_read_all(fd, 1 << 20, "hive", &data, &size, NULL), 0);
    fake_add_bytes(w->fake, path, data, size);
    free(data);
}

struct windows {
    unsigned major, minor;
    const char *build, *variant, *processor;
    bool packages; /* as since Windows 8 */
};

static const struct windows windows_7 = {6, 1, "7601", "Client", "AMD64", false};
static const struct windows windows_10 = {10, 0, "19045", "Client", "AMD64", true};

static void put_software(struct world *w, const struct windows *windows)
{
    static const char key[] = "Microsoft\\Windows NT\\CurrentVersion";
    char version[16];
    struct registry *hive = new_hive();
    snprintf(version, sizeof(version), "%u.%u", windows->major < 10 ? windows->major : 6,
             windows->major < 10 ? windows->minor : 3);
    set(hive, key, "CurrentVersion", version);
    set(hive, key, "ProductName", "Windows of the Tests");
    set(hive, key, "CurrentBuildNumber", windows->build);
    set(hive, key, "InstallationType", windows->variant);
    if (windows->major >= 10) {
        set_number(hive, key, "CurrentMajorVersionNumber", windows->major);
        set_number(hive, key, "CurrentMinorVersionNumber", windows->minor);
    }
    const struct registry_value path = {"DevicePath", REGISTRY_EXPAND_SZ,
                                        .text = "%SystemRoot%\\inf"};
    assert_int_equal(registry_set(hive, "Microsoft\\Windows\\CurrentVersion", &path, 1, NULL), 0);
    put_hive(w, hive, SOFTWARE);
}

static void put_system(struct world *w, const struct windows *windows)
{
    struct registry *hive = new_hive();
    set_number(hive, "Select", "Current", 2);
    set(hive, CS "Control\\Session Manager\\Environment", "PROCESSOR_ARCHITECTURE",
        windows->processor);
    set(hive, CS "Services\\Tcpip\\Parameters", "Hostname", "WINBOX");
    assert_int_equal(registry_set(hive, CS "Control\\CriticalDeviceDatabase", NULL, 0, NULL), 0);
    if (windows->packages)
        assert_int_equal(registry_set(hive, "DriverDatabase", NULL, 0, NULL), 0);
    put_hive(w, hive, SYSTEM);
}

static void inspect(struct world *w)
{
    struct guest_info info;
    if (guest_inspect(&w->fake->guest, &info, &w->error) < 0)
        fail_msg("%s", error_message(w->error));
    if (w->info.windows)
        guest_info_free(&w->info);
    w->info = info;
}

static void become(struct world *w, const struct windows *windows)
{
    w->fake->ops.root = ntfs_root;
    fake_add_dir(w->fake, ROOT "/system32/drivers");
    fake_add_dir(w->fake, "/Program Files");
    put_software(w, windows);
    put_system(w, windows);
    inspect(w);
    assert_non_null(w->info.windows);
    assert_null(w->info.windows->trouble);
    w->fake->changes = 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    unsetenv("VIRT_TOOLS_DATA_DIR");
    if (w->info.windows)
        guest_info_free(&w->info);
    return world_tear_down(state);
}

static struct registry *open_hive(struct world *w, const char *path)
{
    struct registry *hive = NULL;
    if (registry_open(&w->fake->guest, path, false, &hive, &w->error) < 0)
        fail_msg("%s", error_message(w->error));
    return hive;
}

static void expect_text(struct registry *hive, const char *key, const char *name,
                        const char *expected)
{
    _cleanup_free_ char *text = NULL;
    struct error *error = NULL;
    if (registry_get_text(hive, key, name, &text, &error) < 0)
        fail_msg("%s", error_message(error));
    assert_string_equal(text, expected);
}

static void expect_number(struct registry *hive, const char *key, const char *name,
                          uint32_t expected)
{
    uint32_t number;
    struct error *error = NULL;
    if (registry_get_number(hive, key, name, &number, &error) < 0)
        fail_msg("%s", error_message(error));
    assert_int_equal(number, expected);
}

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

/* Sources: a directory, and an image with the same files. */

static const char *const source_files[] = {
    "guest-agent/qemu-ga-x86_64.msi", "guest-agent/qemu-ga-i386.msi",
    "viostor/w7/amd64/viostor.sys",   "viostor/w7/amd64/viostor.inf",
    "viostor/w7/amd64/viostor.cat",   "viostor/w7/x86/viostor.sys",
    "viostor/w10/amd64/viostor.sys",  "viostor/w10/amd64/viostor.inf",
    "NetKVM/w10/amd64/NetKVM.INF",    "NetKVM/w10/amd64/netkvm.sys",
    "Balloon/w10/amd64/blnsvr.exe",   "fwcfg/w10/amd64/fwcfg.inf",
    "fwcfg/w10/amd64/qemufwcfg.inf",  "amd64/w10/viostor.sys",
    "virtio-win_license.txt",
};

/* Each holds its own path. */
static char *make_source(struct world *w)
{
    char *source = str_printf(NULL, "%s/source", w->directory);
    for (size_t i = 0; i < ARRAY_SIZE(source_files); i++) {
        _cleanup_free_ char *path = str_printf(NULL, "%s/%s", source, source_files[i]);
        _cleanup_free_ char *parent = path_parent(path);
        assert_int_equal(dir_create(parent, 0700, NULL), 0);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(source_files[i], file);
        fclose(file);
    }
    /* Round in circles, and nowhere. */
    _cleanup_free_ char *loop = str_printf(NULL, "%s/viostor/w10/amd64/loop", source);
    _cleanup_free_ char *nowhere = str_printf(NULL, "%s/viostor/w10/amd64/nowhere", source);
    assert_int_equal(symlink("../../..", loop) | symlink("nothing", nowhere), 0);
    return source;
}

static void remove_source(char *source)
{
    _cleanup_free_ char *command = str_printf(NULL, "rm -rf '%s'", source);
    assert_int_equal(system(command), 0);
    free(source);
}

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

/* Drivers. */

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

/* The first boot. */

/* A stand-in for the program that makes a service of a batch file. */
static char *make_tools(struct world *w)
{
    char *path = strdup(world_file(w, "rhsrvany.exe", "MZ", 2));
    setenv("VIRT_TOOLS_DATA_DIR", w->directory, 1);
    return path;
}

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
        assert_non_null(strstr(w->words.data, "is ignored: the guest is no Windows"));
    }
    unlink(file);
}

static void accounts_and_names_are_not_for_windows(void **state)
{
    struct world *w = *state;
    static const char *const cases[][2] = {
        {"hostname", "web1"},           {"timezone", "UTC"},
        {"root-password", "disabled"},  {"password", "x:disabled"},
        {"firstboot-install", "nginx"}, {"install", "nginx"},
        {"run-command", "true"}};
    become(w, &windows_10);
    char *tools = make_tools(w);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int r = world_do(w, cases[i][0], cases[i][1]);
        if (r != -EOPNOTSUPP)
            fail_msg("--%s: %d", cases[i][0], r);
    }
    assert_int_equal(w->fake->changes, 0);
    unlink(tools);
    free(tools);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(inspection_reads_the_registry),
        T(inspection_bears_a_broken_registry),
        T(what_only_looks_like_windows_is_none),
        T(each_release_has_its_directories),
        T(the_agent_is_known_by_its_name),
        T(windows_7_gets_a_critical_device),
        T(windows_10_gets_a_driver_package),
        T(an_image_does_as_well_as_a_directory),
        T(doing_it_twice_changes_nothing_more),
        T(a_release_without_drivers_is_an_error),
        T(drivers_without_one_for_disks_are_told),
        T(a_hive_that_windows_has_not_finished_stops_it),
        T(faults_of_the_guest_are_passed_on),
        T(the_first_boot_runs_batch_files),
        T(scripts_are_text),
        T(without_a_wrapper_there_is_no_first_boot),
        T(programs_are_installed_by_the_first_boot),
        T(methods_that_are_none),
        T(accounts_and_names_are_not_for_windows),
    };
    return cmocka_run_group_tests_name("customize/windows", tests, NULL, NULL);
}
