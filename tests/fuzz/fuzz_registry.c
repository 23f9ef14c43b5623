/* Registry hives: reading, editing, storing and reading again what a guest may have for one. The
 * edits are those that kiln makes. */
#include <sys/mman.h>

#include "customize/windows/drivers.h"
#include "guest/inspect/registry.h"
#include "tests/unit/customize/hive.h"

static void read_some(struct registry *registry)
{
    static const char *const keys[] = {"Microsoft\\Windows NT\\CurrentVersion",
                                       "Microsoft\\Windows\\CurrentVersion", "Select", "A\\B", ""};
    static const char *const names[] = {"CurrentVersion", "ProductName", "DevicePath", "Current",
                                        ""};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
            char *text = NULL;
            uint32_t number;
            if (registry_get_text(registry, keys[i], names[j], &text, NULL) == 0)
                free(text);
            registry_get_number(registry, keys[i], names[j], &number, NULL);
        }
}

static void edit(int fd)
{
    _cleanup_registry_ struct registry *registry = NULL;
    if (registry_open_fd(fd, "fuzz", true, &registry, NULL) < 0)
        return;
    if (windows_drivers_register(registry, "ControlSet001", "viostor", NULL) == 0 &&
        windows_drivers_add_path(registry, NULL) == 0)
        registry_save(registry, fd, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_registry_ struct registry *registry = NULL;
    if (size < hive_size || size > (1 << 20))
        return 0;
    uint8_t *hive = malloc(size);
    if (!hive)
        return 0;
    memcpy(hive, data, size);
    hive_checksum(hive); /* else next to nothing gets past the first check */
    _cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
    bool written = fd >= 0 && write(fd, hive, size) == (ssize_t)size;
    free(hive);
    if (!written)
        return 0;
    if (registry_open_fd(fd, "fuzz", false, &registry, NULL) == 0)
        read_some(registry);
    registry_close(TAKE_PTR(registry));
    edit(fd);
    if (registry_open_fd(fd, "fuzz", false, &registry, NULL) == 0)
        read_some(registry);
    return 0;
}
