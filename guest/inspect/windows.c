/*
 * Facts: libguestfs's inspection of Windows (its documentation, guestfs(3)); Microsoft's
 * documentation of the keys.
 */
#include "guest/inspect/windows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/endian.h"
#include "guest/inspect/inspect.h"
#include "guest/inspect/nocase.h"
#include "guest/inspect/registry.h"

#define PROGRAM_MAX ((size_t)16 << 20)

static const char version_key[] = "Microsoft\\Windows NT\\CurrentVersion";

void guest_windows_free(struct guest_windows *windows)
{
    if (!windows)
        return;
    free(windows->systemroot);
    free(windows->software_hive);
    free(windows->system_hive);
    free(windows->control_set);
    free(windows->variant);
    free(windows->trouble);
    free(windows);
}

/* Where Windows lies. */

static bool file_system_fits(const char *type)
{
    static const char *const types[] = {"ntfs", "ntfs3", "vfat", "msdos"};
    for (size_t i = 0; type && i < ARRAY_SIZE(types); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

/* A directory that only has the name of Windows' own does not count. */
static int find_hives(struct guest *guest, const char *systemroot, struct guest_windows *windows,
                      struct error **err)
{
    static const char *const names[] = {"System32/config/SOFTWARE", "System32/config/SYSTEM"};
    char **const slots[] = {&windows->software_hive, &windows->system_hive};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        free(TAKE_PTR(*slots[i]));
        int r = guest_nocase(guest, systemroot, names[i], slots[i], err);
        if (r < 0)
            return r;
        if (!guest_exists(guest, *slots[i]))
            return 0;
    }
    return str_replace(&windows->systemroot, systemroot, err);
}

static int find_systemroot(struct guest *guest, struct guest_windows *windows, struct error **err)
{
    static const char *const names[] = {"Windows", "WINNT", "WIN32", "WIN"};
    int r = 0;
    for (size_t i = 0; r == 0 && !windows->systemroot && i < ARRAY_SIZE(names); i++) {
        _cleanup_free_ char *path = NULL;
        r = guest_nocase(guest, "/", names[i], &path, err);
        if (r == 0 && guest_is_dir(guest, path))
            r = find_hives(guest, path, windows, err);
    }
    return r;
}

int guest_has_windows(struct guest *guest, bool *ret, struct error **err)
{
    struct guest_windows *windows = calloc(1, sizeof(*windows));
    if (!windows)
        return error_oom(err);
    int r = find_systemroot(guest, windows, err);
    *ret = windows->systemroot;
    guest_windows_free(windows);
    return r;
}

/* What the registry says. */

/* Empty where there is none. */
static int read_text(struct registry *hive, const char *key, const char *name, char **slot,
                     struct error **err)
{
    struct error *error = NULL;
    free(TAKE_PTR(*slot));
    int r = registry_get_text(hive, key, name, slot, &error);
    if (r == 0)
        return 0;
    if (r == -ENOMEM)
        return error_move(err, error);
    error_free(error);
    return str_replace(slot, "", err);
}

/* The numbers in "6.1". */
static void parse_version(const char *text, struct guest_windows *windows)
{
    char *end;
    unsigned long major = strtoul(text, &end, 10);
    unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
    windows->major = major < 1000 ? (unsigned)major : 0;
    windows->minor = minor < 1000 ? (unsigned)minor : 0;
}

/* Windows 10 and later have 6.3 in the value that old programs read. */
static int read_version(struct registry *software, struct guest_windows *windows,
                        struct error **err)
{
    uint32_t major, minor;
    _cleanup_free_ char *text = NULL;
    if (registry_get_number(software, version_key, "CurrentMajorVersionNumber", &major, NULL) ==
            0 &&
        registry_get_number(software, version_key, "CurrentMinorVersionNumber", &minor, NULL) ==
            0) {
        windows->major = major;
        windows->minor = minor;
    } else {
        int r = read_text(software, version_key, "CurrentVersion", &text, err);
        if (r < 0)
            return r;
        parse_version(text, windows);
    }
    _cleanup_free_ char *build = NULL;
    int r = read_text(software, version_key, "CurrentBuildNumber", &build, err);
    if (r < 0)
        return r;
    unsigned long number = strtoul(build, NULL, 10);
    windows->build = number < 1000000 ? (unsigned)number : 0;
    return 0;
}

static int read_software(struct guest *guest, struct guest_windows *windows,
                         struct guest_info *info, struct error **err)
{
    _cleanup_registry_ struct registry *software = NULL;
    int r = registry_open(guest, windows->software_hive, false, &software, err);
    if (r == 0)
        r = read_version(software, windows, err);
    if (r == 0)
        r = read_text(software, version_key, "InstallationType", &windows->variant, err);
    if (r == 0)
        r = read_text(software, version_key, "ProductName", &info->product_name, err);
    return r;
}

static int read_arch(struct registry *system, const struct guest_windows *windows,
                     struct guest_info *info, struct error **err)
{
    static const struct {
        const char *theirs, *ours;
    } names[] = {{"AMD64", "x86_64"}, {"x86", "i386"}, {"ARM64", "aarch64"}, {"IA64", "ia64"}};
    _cleanup_free_ char *text = NULL;
    _cleanup_free_ char *key =
        str_printf(err, "%s\\Control\\Session Manager\\Environment", windows->control_set);
    int r = key ? read_text(system, key, "PROCESSOR_ARCHITECTURE", &text, err) : -ENOMEM;
    for (size_t i = 0; r == 0 && !info->arch && i < ARRAY_SIZE(names); i++)
        if (strcasecmp(text, names[i].theirs) == 0)
            r = str_replace(&info->arch, names[i].ours, err);
    return r;
}

static int read_system(struct guest *guest, struct guest_windows *windows, struct guest_info *info,
                       struct error **err)
{
    uint32_t current;
    _cleanup_registry_ struct registry *system = NULL;
    int r = registry_open(guest, windows->system_hive, false, &system, err);
    if (r == 0)
        r = registry_get_number(system, "Select", "Current", &current, err);
    if (r < 0)
        return r;
    windows->control_set = str_printf(err, "ControlSet%03u", current);
    if (!windows->control_set)
        return -ENOMEM;
    if (!registry_has_key(system, windows->control_set))
        return error_set(err, EINVAL, "%s in the guest: selects %s, which does not exist",
                         windows->system_hive, windows->control_set);
    r = read_arch(system, windows, info, err);
    _cleanup_free_ char *key =
        str_printf(err, "%s\\Services\\Tcpip\\Parameters", windows->control_set);
    if (r < 0 || !key)
        return r < 0 ? r : -ENOMEM;
    return read_text(system, key, "Hostname", &info->hostname, err);
}

/* The machine that a PE file is for; NULL: unknown. Microsoft's "PE Format", MS-DOS stub and COFF
 * file header. */
static const char *pe_machine(const char *data, size_t size)
{
    static const struct {
        uint16_t machine;
        const char *name;
    } machines[] = {{0x14c, "i386"}, {0x8664, "x86_64"}, {0xaa64, "aarch64"}, {0x200, "ia64"}};
    le32_t offset;
    le16_t machine;
    if (size < 64 || memcmp(data, "MZ", 2) != 0)
        return NULL;
    memcpy(&offset, data + 60, sizeof(offset));
    size_t at = le32_get(offset);
    if (at > size || size - at < 6 || memcmp(data + at, "PE\0\0", 4) != 0)
        return NULL;
    memcpy(&machine, data + at + 4, sizeof(machine));
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
        if (machines[i].machine == le16_get(machine))
            return machines[i].name;
    return NULL;
}

/* Where the registry has no value. */
static int arch_of_program(struct guest *guest, const struct guest_windows *windows,
                           struct guest_info *info, struct error **err)
{
    size_t size = 0;
    struct error *error = NULL;
    _cleanup_free_ char *data = NULL;
    _cleanup_free_ char *path = NULL;
    int r = guest_nocase(guest, windows->systemroot, "System32/cmd.exe", &path, err);
    if (r < 0)
        return r;
    if (guest_read(guest, path, PROGRAM_MAX, &data, &size, &error) == -ENOMEM)
        return error_move(err, error);
    error_free(error);
    const char *machine = data ? pe_machine(data, size) : NULL;
    return str_replace(&info->arch, machine ? machine : "unknown", err);
}

static int read_registry(struct guest *guest, struct guest_info *info, struct error **err)
{
    struct error *error = NULL;
    struct guest_windows *windows = info->windows;
    int r = read_software(guest, windows, info, &error);
    if (r == 0)
        r = read_system(guest, windows, info, &error);
    if (r == -ENOMEM)
        return error_move(err, error);
    if (r < 0)
        r = str_replace(&windows->trouble, error_message(error), err);
    error_free(error);
    return r;
}

static int fill_rest(struct guest_info *info, struct error **err)
{
    struct guest_windows *windows = info->windows;
    char **const optional[] = {&windows->variant, &info->product_name, &info->hostname};
    for (size_t i = 0; i < ARRAY_SIZE(optional); i++)
        if (!*optional[i] && str_replace(optional[i], "", err) < 0)
            return -ENOMEM;
    info->version = str_printf(err, "%u.%u", windows->major, windows->minor);
    if (!info->version)
        return -ENOMEM;
    char **const slots[] = {&info->type,           &info->distro,          &info->codename,
                            &info->package_format, &info->package_manager, &info->init};
    static const char *const texts[] = {"windows", "windows", "", "unknown", "unknown", "unknown"};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(slots); i++)
        r = str_replace(slots[i], texts[i], err);
    return r;
}

int guest_inspect_windows(struct guest *guest, struct guest_info *info, struct error **err)
{
    if (!file_system_fits(info->root_fs))
        return 0;
    struct guest_windows *windows = calloc(1, sizeof(*windows));
    if (!windows)
        return error_oom(err);
    int r = find_systemroot(guest, windows, err);
    if (r < 0 || !windows->systemroot) {
        guest_windows_free(windows);
        return r;
    }
    info->windows = windows;
    r = read_registry(guest, info, err);
    if (r == 0 && !info->arch)
        r = arch_of_program(guest, windows, info, err);
    return r < 0 ? r : fill_rest(info, err);
}
