#include "vmm/pc/boot_load.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "base/str.h"
#include "vmm/pc/boot_linux.h"
#include "vmm/pc/boot_pvh.h"
#include "vmm/pc/machine_layout.h"

static const uint64_t page_size = 4096;
static const char more_memory[] = "give the machine more --memory";

int boot_file_open(int fd, const char *name, struct boot_file *ret, struct error **err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot tell its size", name);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ENOEXEC, "%s: not a regular file", name);
    if (st.st_size == 0)
        return error_set(err, ENOEXEC, "%s: the file is empty", name);
    *ret = (struct boot_file){.fd = fd, .name = name, .size = (uint64_t)st.st_size};
    return 0;
}

int boot_file_load(const struct boot_file *file, uint64_t offset, uint64_t length,
                   const struct guest_memory *memory, uint64_t address, struct error **err)
{
    if (length == 0)
        return 0;
    if (!range_within(offset, length, file->size))
        return error_set(err, ENOEXEC, "%s: truncated: %llu bytes, %llu wanted", file->name,
                         (unsigned long long)file->size, (unsigned long long)offset + length);
    void *place = guest_memory_at(memory, address, length);
    if (!place) {
        error_set(err, ENOSPC, "%s: the machine has no memory for its %llu bytes at 0x%llx",
                  file->name, (unsigned long long)length, (unsigned long long)address);
        return error_hint(err, more_memory);
    }
    return fd_pread_full(file->fd, place, length, offset, file->name, err);
}

/* What Linux unpacks as an initramfs: cpio, or what it can decompress. */
static const struct {
    const char *bytes;
    size_t count;
} initrd_magics[] = {
    {"070701", 6},           /* cpio, newc */
    {"070702", 6},           /* the same with checksums */
    {"\x1f\x8b", 2},         /* gzip */
    {"BZh", 3},              /* bzip2 */
    {"\xfd\x37zXZ", 5},      /* xz */
    {"\x5d\x00\x00", 3},     /* lzma */
    {"\x89LZO", 4},          /* lzo */
    {"\x02\x21\x4c\x18", 4}, /* lz4 */
    {"\x28\xb5\x2f\xfd", 4}, /* zstd */
};

static int check_initrd(const struct boot_file *initrd, struct error **err)
{
    char head[8] = {0};
    int r =
        fd_pread_full(initrd->fd, head, min_u64(sizeof(head), initrd->size), 0, initrd->name, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(initrd_magics); i++)
        if (memcmp(head, initrd_magics[i].bytes, initrd_magics[i].count) == 0)
            return 0;
    return error_set(err, ENOEXEC, "%s: is not an initramfs (a cpio archive, compressed or not)",
                     initrd->name);
}

int boot_load_initrd(const struct guest_memory *memory, const struct boot_request *request,
                     uint64_t floor, uint64_t ceiling, uint64_t *ret_address, uint64_t *ret_size,
                     struct error **err)
{
    *ret_address = *ret_size = 0;
    if (request->initrd_fd < 0)
        return 0;
    struct boot_file initrd;
    int r = boot_file_open(request->initrd_fd, "initrd", &initrd, err);
    if (r == 0)
        r = check_initrd(&initrd, err);
    if (r < 0)
        return r;
    ceiling = round_down(min_u64(ceiling, memory->regions[0].size), page_size);
    uint64_t needed;
    if (!checked_add(floor, initrd.size, &needed) || needed > UINT64_MAX - page_size ||
        round_up(floor, page_size) + round_up(initrd.size, page_size) > ceiling) {
        char text[16];
        error_set(err, ENOSPC, "initrd: %s do not fit into the machine's memory beside the kernel",
                  format_size(initrd.size, text));
        return error_hint(err, more_memory);
    }
    uint64_t address = round_down(ceiling - initrd.size, page_size);
    r = boot_file_load(&initrd, 0, initrd.size, memory, address, err);
    if (r < 0)
        return r;
    *ret_address = address;
    *ret_size = initrd.size;
    return 0;
}

int boot_load_command_line(const struct guest_memory *memory, const char *text, uint64_t max,
                           struct error **err)
{
    size_t length = strlen(text ? text : "");
    if (length > min_u64(max, LAYOUT_COMMAND_LINE_MAX - 1))
        return error_set(err, E2BIG, "the kernel's command line is too long: %zu bytes of %llu",
                         length, (unsigned long long)min_u64(max, LAYOUT_COMMAND_LINE_MAX - 1));
    char *place = guest_memory_at(memory, LAYOUT_COMMAND_LINE, length + 1);
    if (!place)
        return error_set(err, ENOSPC, "the machine has no memory for a command line");
    memcpy(place, text ? text : "", length + 1);
    return 0;
}

size_t boot_memory_map(const struct guest_memory *memory, const struct boot_request *request,
                       struct boot_range ranges[static BOOT_RANGES_MAX])
{
    size_t count = 0;
    ranges[count++] = (struct boot_range){0, LAYOUT_LOW_END, BOOT_MEMORY_RAM};
    ranges[count++] =
        (struct boot_range){LAYOUT_ACPI, LAYOUT_HIGH - LAYOUT_ACPI, BOOT_MEMORY_RESERVED};
    ranges[count++] =
        (struct boot_range){LAYOUT_HIGH, memory->regions[0].size - LAYOUT_HIGH, BOOT_MEMORY_RAM};
    if (request->pci_configuration)
        ranges[count++] =
            (struct boot_range){request->pci_configuration, LAYOUT_ECAM_SIZE, BOOT_MEMORY_RESERVED};
    if (memory->count > 1)
        ranges[count++] = (struct boot_range){memory->regions[1].address, memory->regions[1].size,
                                              BOOT_MEMORY_RAM};
    return count;
}

int boot_load(const struct guest_memory *memory, const struct boot_request *request,
              struct boot_entry *ret, struct error **err)
{
    struct boot_file kernel;
    uint8_t magic[4] = {0};
    if (memory->regions[0].size <= LAYOUT_HIGH) {
        error_set(err, ENOSPC, "the machine's memory is too small for a kernel");
        return error_hint(err, more_memory);
    }
    int r = boot_file_open(request->kernel_fd, "kernel", &kernel, err);
    if (r == 0)
        r = fd_pread_full(kernel.fd, magic, min_u64(sizeof(magic), kernel.size), 0, kernel.name,
                          err);
    if (r < 0)
        return r;
    return memcmp(magic, "\177ELF", sizeof(magic)) == 0
               ? boot_pvh_load(&kernel, memory, request, ret, err)
               : boot_linux_load(&kernel, memory, request, ret, err);
}
