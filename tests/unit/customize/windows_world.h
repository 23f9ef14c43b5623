/* What the tests of Windows guests share: a fake guest with a registry, drivers on the host for it,
 * and looks into its hives. */
#pragma once

#include "guest/inspect/registry.h"
#include "tests/unit/customize/hive.h"
#include "tests/unit/customize/world.h"

/* As in no other place: spelt in the way of nobody's. */
#define ROOT     "/WINDOWS"
#define SYSTEM   ROOT "/system32/Config/SYSTEM"
#define SOFTWARE ROOT "/system32/Config/software"
#define CS       "ControlSet002\\"

static inline int ntfs_root(struct guest *guest, struct guest_root *ret, struct error **err)
{
    (void)guest, (void)err;
    *ret = (struct guest_root){strdup("/dev/sda2"), strdup("ntfs"), strdup(""), 0, 0};
    return 0;
}

static inline void set(struct registry *hive, const char *key, const char *name, const char *text)
{
    const struct registry_value value = {name, REGISTRY_SZ, .text = text};
    assert_int_equal(registry_set(hive, key, &value, 1, NULL), 0);
}

static inline void set_number(struct registry *hive, const char *key, const char *name,
                              uint32_t number)
{
    const struct registry_value value = {name, REGISTRY_DWORD, .number = number};
    assert_int_equal(registry_set(hive, key, &value, 1, NULL), 0);
}

/* An empty hive to fill; goes into the guest and is closed by put_hive(). */
static inline struct registry *new_hive(void)
{
    struct registry *hive = NULL;
    _cleanup_close_ int fd = hive_open_new();
    assert_int_equal(registry_open_fd(fd, "new", true, &hive, NULL), 0);
    return hive;
}

static inline void put_hive(struct world *w, struct registry *hive, const char *path)
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

static inline void put_software(struct world *w, const struct windows *windows)
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

static inline void put_system(struct world *w, const struct windows *windows)
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

static inline void inspect(struct world *w)
{
    struct guest_info info;
    if (guest_inspect(&w->fake->guest, &info, &w->error) < 0)
        fail_msg("%s", error_message(w->error));
    if (w->info.windows)
        guest_info_free(&w->info);
    w->info = info;
}

static inline void become(struct world *w, const struct windows *windows)
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

static inline int tear_down(void **state)
{
    struct world *w = *state;
    unsetenv("VIRT_TOOLS_DATA_DIR");
    if (w->info.windows)
        guest_info_free(&w->info);
    return world_tear_down(state);
}

static inline struct registry *open_hive(struct world *w, const char *path)
{
    struct registry *hive = NULL;
    if (registry_open(&w->fake->guest, path, false, &hive, &w->error) < 0)
        fail_msg("%s", error_message(w->error));
    return hive;
}

static inline void expect_text(struct registry *hive, const char *key, const char *name,
                               const char *expected)
{
    _cleanup_free_ char *text = NULL;
    struct error *error = NULL;
    if (registry_get_text(hive, key, name, &text, &error) < 0)
        fail_msg("%s", error_message(error));
    assert_string_equal(text, expected);
}

static inline void expect_number(struct registry *hive, const char *key, const char *name,
                                 uint32_t expected)
{
    uint32_t number;
    struct error *error = NULL;
    if (registry_get_number(hive, key, name, &number, &error) < 0)
        fail_msg("%s", error_message(error));
    assert_int_equal(number, expected);
}

/* A source of drivers: its files. */
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

/* A directory with them. Each holds its own path. */
static inline char *make_source(struct world *w)
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

static inline void remove_source(char *source)
{
    _cleanup_free_ char *command = str_printf(NULL, "rm -rf '%s'", source);
    assert_int_equal(system(command), 0);
    free(source);
}

/* A stand-in for the program that makes a service of a batch file. */
static inline char *make_tools(struct world *w)
{
    char *path = strdup(world_file(w, "rhsrvany.exe", "MZ", 2));
    setenv("VIRT_TOOLS_DATA_DIR", w->directory, 1);
    return path;
}
