/*
 * Drivers in the registry. Facts: virt-v2v's documentation and source (what it writes has been seen
 * to work from Windows XP to Server 2022); Microsoft's documentation of
 * HKLM\SYSTEM\CurrentControlSet\Services and of DevicePath.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "customize/windows/drivers.h"
#include "guest/inspect/registry.h"

/* The class of SCSI and RAID controllers. */
#define SCSI_CLASS "{4D36E97B-E325-11CE-BFC1-08002BE10318}"

/* The same names as virt-v2v's, so that what either tool writes does not stand there twice. Windows
 * replaces them when it installs the driver from its own INF file. */
#define INF           "guestor.inf"
#define PACKAGE       "guestor.inf_tmp"
#define CONFIGURATION "guestor_conf"

/* virtio-blk, as a transitional and as a modern device (Virtual I/O Device specification 1.2, PCI
 * Device Discovery). */
static const char *const pci_ids[] = {"VEN_1AF4&DEV_1001&REV_00", "VEN_1AF4&DEV_1042&REV_01"};

/* A DRIVER's service, started by the boot loader. */
static int add_service(struct registry *system, const char *control_set, const char *driver,
                       struct error **err)
{
    enum { kernel_driver = 1, boot_start = 0, error_normal = 1 };
    _cleanup_free_ char *key = str_printf(err, "%s\\Services\\%s", control_set, driver);
    _cleanup_free_ char *path = str_printf(err, "system32\\drivers\\%s.sys", driver);
    if (!key || !path)
        return -ENOMEM;
    const struct registry_value values[] = {
        {.name = "Type", .type = REGISTRY_DWORD, .number = kernel_driver},
        {.name = "Start", .type = REGISTRY_DWORD, .number = boot_start},
        {.name = "Group", .type = REGISTRY_SZ, .text = "SCSI miniport"},
        {.name = "ErrorControl", .type = REGISTRY_DWORD, .number = error_normal},
        {.name = "ImagePath", .type = REGISTRY_EXPAND_SZ, .text = path},
    };
    return registry_set(system, key, values, ARRAY_SIZE(values), err);
}

/* Up to Windows 7: which service a device needs that is there before drivers can be looked for. */
static int add_critical_device(struct registry *system, const char *control_set, const char *id,
                               const char *driver, struct error **err)
{
    _cleanup_free_ char *key =
        str_printf(err, "%s\\Control\\CriticalDeviceDatabase\\PCI#%s", control_set, id);
    const struct registry_value values[] = {
        {.name = "Service", .type = REGISTRY_SZ, .text = driver},
        {.name = "ClassGUID", .type = REGISTRY_SZ, .text = SCSI_CLASS},
    };
    return key ? registry_set(system, key, values, ARRAY_SIZE(values), err) : -ENOMEM;
}

/* Since Windows 8: the same keys as after an installation of the driver from its INF file. */
static int add_package(struct registry *system, const char *driver, struct error **err)
{
    /* Flags and the class; required by Windows 10. */
    static const uint8_t version[48] = {0x00, 0xff, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00,
                                        0x7b, 0xe9, 0x36, 0x4d, 0x25, 0xe3, 0xce, 0x11,
                                        0xbf, 0xc1, 0x08, 0x00, 0x2b, 0xe1, 0x03, 0x18};
    static const struct registry_value inf[] = {
        {.name = "", .type = REGISTRY_MULTI_SZ, .text = PACKAGE},
        {.name = "Active", .type = REGISTRY_SZ, .text = PACKAGE},
        {.name = "Configurations", .type = REGISTRY_MULTI_SZ, .text = CONFIGURATION},
    };
    static const struct registry_value package[] = {
        {.name = "Version", .type = REGISTRY_BINARY, .data = version, .size = sizeof(version)},
    };
    const struct registry_value configuration[] = {
        {.name = "ConfigFlags", .type = REGISTRY_DWORD, .number = 0},
        {.name = "Service", .type = REGISTRY_SZ, .text = driver},
    };
    int r = registry_set(system, "DriverDatabase\\DriverInfFiles\\" INF, inf, ARRAY_SIZE(inf), err);
    if (r == 0)
        r = registry_set(system, "DriverDatabase\\DriverPackages\\" PACKAGE, package, 1, err);
    if (r == 0)
        r = registry_set(
            system, "DriverDatabase\\DriverPackages\\" PACKAGE "\\Configurations\\" CONFIGURATION,
            configuration, ARRAY_SIZE(configuration), err);
    return r;
}

static int add_packaged_device(struct registry *system, const char *id, struct error **err)
{
    static const uint8_t rank[] = {0x01, 0xff, 0x00, 0x00};
    static const struct registry_value device = {
        .name = INF, .type = REGISTRY_BINARY, .data = rank, .size = sizeof(rank)};
    static const struct registry_value descriptor = {
        .name = "Configuration", .type = REGISTRY_SZ, .text = CONFIGURATION};
    _cleanup_free_ char *key = str_printf(err, "DriverDatabase\\DeviceIds\\PCI\\%s", id);
    _cleanup_free_ char *below =
        str_printf(err, "DriverDatabase\\DriverPackages\\" PACKAGE "\\Descriptors\\PCI\\%s", id);
    if (!key || !below)
        return -ENOMEM;
    int r = registry_set(system, key, &device, 1, err);
    return r < 0 ? r : registry_set(system, below, &descriptor, 1, err);
}

int windows_drivers_register(struct registry *system, const char *control_set, const char *driver,
                             struct error **err)
{
    bool packages = registry_has_key(system, "DriverDatabase");
    int r = add_service(system, control_set, driver, err);
    if (r == 0 && packages)
        r = add_package(system, driver, err);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(pci_ids); i++)
        r = packages ? add_packaged_device(system, pci_ids[i], err)
                     : add_critical_device(system, control_set, pci_ids[i], driver, err);
    return r;
}

/* Whether one part of the list is the directory. */
static bool has_path(const char *list, const char *directory)
{
    size_t wanted = strlen(directory);
    for (const char *part = list; *part;) {
        size_t length = strcspn(part, ";");
        if (length == wanted && strncasecmp(part, directory, length) == 0)
            return true;
        part += length + (part[length] == ';');
    }
    return false;
}

int windows_drivers_add_path(struct registry *software, struct error **err)
{
    static const char key[] = "Microsoft\\Windows\\CurrentVersion";
    static const char directory[] = "%SystemRoot%\\Drivers\\VirtIO";
    static const char usual[] = "%SystemRoot%\\inf";
    struct error *error = NULL;
    _cleanup_free_ char *before = NULL;
    int r = registry_get_text(software, key, "DevicePath", &before, &error);
    if (r < 0 && r != -ENOENT)
        return error_move(err, error);
    error_free(error);
    if (before && has_path(before, directory))
        return 0;
    _cleanup_free_ char *after =
        str_printf(err, "%s;%s", str_empty(before) ? usual : before, directory);
    const struct registry_value value = {
        .name = "DevicePath", .type = REGISTRY_EXPAND_SZ, .text = after};
    return after ? registry_set(software, key, &value, 1, err) : -ENOMEM;
}
