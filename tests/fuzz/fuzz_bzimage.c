/* Kernels as they come: bzImage and ELF, into the memory of a small machine. The first byte chooses
 * whether the rest is the initrd as well. */

#include <sys/mman.h>
#include <unistd.h>

#include "vmm/pc/boot_load.h"
#include "vmm/pc/machine_layout.h"

enum { memory_size = 32 << 20, largest = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_guest_memory_ struct guest_memory memory = {0};
    if (size < 2 || size > largest || guest_memory_map(memory_size, false, &memory, NULL) < 0)
        return 0;
    _cleanup_close_ int fd = memfd_create("kernel", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1))
        return 0;
    const struct boot_request request = {
        .kernel_fd = fd,
        .initrd_fd = data[0] & 1 ? fd : -1,
        .command_line = "console=ttyS0",
        .rsdp = LAYOUT_ACPI,
        .pci_configuration = data[0] & 2 ? LAYOUT_ECAM : 0,
    };
    struct boot_entry entry;
    struct error *err = NULL;
    if (boot_load(&memory, &request, &entry, &err) < 0 && !err)
        __builtin_trap();
    error_free(err);
    return 0;
}
