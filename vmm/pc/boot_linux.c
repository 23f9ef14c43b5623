#include "vmm/pc/boot_linux.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "base/fdio.h"
#include "base/str.h"
#include "vmm/pc/machine_layout.h"

/* Both the first page of the file and the "zero page" that the kernel is given hold this header, at
 * the same offset. */
struct setup_header {
    uint8_t setup_sectors;
    le16_t root_flags;
    le32_t system_size; /* in units of 16 bytes */
    le16_t ram_size, video_mode, root_device, boot_flag;
    uint8_t jump, jump_offset; /* the header ends where this leads */
    char magic[4];
    le16_t version;
    le32_t real_mode_switch;
    le16_t start_system_segment, kernel_version;
    uint8_t loader_type, load_flags;
    le16_t setup_move_size;
    le32_t code32_start, initrd_address, initrd_size, bootsect_kludge;
    le16_t heap_end;
    uint8_t loader_version, loader_type_extended;
    le32_t command_line, initrd_address_max, alignment;
    uint8_t relocatable, min_alignment;
    le16_t extended_load_flags;
    le32_t command_line_max, hardware_subarch;
    le64_t hardware_subarch_data;
    le32_t payload_offset, payload_length;
    le64_t setup_data, preferred_address;
    le32_t init_size, handover_offset, kernel_info_offset;
};

struct e820_entry {
    le64_t address, size;
    le32_t type;
};
_Static_assert(sizeof(struct e820_entry) == 20, "as BIOS has it");

struct zero_page {
    uint8_t unused1[0x70];
    le64_t rsdp;
    uint8_t unused2[0x1e8 - 0x78];
    uint8_t e820_count;
    uint8_t unused3[8];
    struct setup_header header;
    uint8_t unused4[0x2d0 - 0x26c];
    struct e820_entry e820[128];
    uint8_t unused5[0x1000 - 0xcd0];
};
_Static_assert(offsetof(struct zero_page, header) == 0x1f1, "boot.rst, the real-mode header");
_Static_assert(offsetof(struct zero_page, header.command_line_max) == 0x238, "the same");
_Static_assert(offsetof(struct zero_page, e820) == 0x2d0, "zero-page.rst");
_Static_assert(sizeof(struct zero_page) == 4096, "zero-page.rst");

enum {
    header_offset = 0x1f1,
    boot_flag = 0xaa55,
    oldest_version = 0x020c, /* the first with a 64-bit entry: Linux 3.8 */
    loaded_high = 1 << 0,
    entry_64 = 1 << 0, /* of extended_load_flags */
    entry_64_offset = 0x200,
    loader_unknown = 0xff,
    sector = 512,
    default_setup_sectors = 4,
};

/* What of a checked header is needed. */
struct image {
    struct setup_header header;
    uint64_t body_offset, body_size; /* in the file */
    uint64_t address, init_size;     /* in memory; init_size covers the unpacked kernel as well */
};

static int refuse(struct error **err, const char *why)
{
    error_set(err, ENOEXEC, "kernel: %s", why);
    return error_hint(err, "a bzImage of Linux 3.8 or later for x86-64 is needed, or an ELF kernel "
                           "with a PVH entry");
}

/* Fields that the file's header has not got are zero. */
static int read_header(const struct boot_file *kernel, struct setup_header *ret, struct error **err)
{
    struct setup_header header;
    if (kernel->size < header_offset + sizeof(header))
        return refuse(err, "this is no kernel (the file is too short for one)");
    int r = fd_pread_full(kernel->fd, &header, sizeof(header), header_offset, kernel->name, err);
    if (r < 0)
        return r;
    if (le16_get(header.boot_flag) != boot_flag || memcmp(header.magic, "HdrS", 4) != 0)
        return refuse(err, "this is no kernel (it has no header of Linux)");
    size_t end = offsetof(struct setup_header, magic) + header.jump_offset;
    if (end < sizeof(header))
        memset((uint8_t *)&header + end, 0, sizeof(header) - end);
    *ret = header;
    return 0;
}

static int check_header(const struct boot_file *kernel, struct image *image, struct error **err)
{
    const struct setup_header *header = &image->header;
    if (le16_get(header->version) < oldest_version)
        return refuse(err, "its boot protocol is older than 2.12");
    if (!(le16_get(header->extended_load_flags) & entry_64))
        return refuse(err, "it has no 64-bit entry point");
    if (!(header->load_flags & loaded_high))
        return refuse(err, "it is a zImage, for low memory");
    unsigned sectors = header->setup_sectors ? header->setup_sectors : default_setup_sectors;
    image->body_offset = (uint64_t)(sectors + 1) * sector;
    image->body_size = (uint64_t)le32_get(header->system_size) * 16;
    image->address = le64_get(header->preferred_address);
    image->init_size = le32_get(header->init_size);
    uint32_t alignment = le32_get(header->alignment);
    if (image->body_size <= entry_64_offset)
        return refuse(err, "its header says that it has no code");
    /* The size is rounded up to its unit. */
    if (kernel->size <= image->body_offset ||
        image->body_size - 15 > kernel->size - image->body_offset)
        return error_set(err, ENOEXEC, "kernel: truncated: %llu bytes, %llu wanted",
                         (unsigned long long)kernel->size,
                         (unsigned long long)(image->body_offset + image->body_size));
    image->body_size = min_u64(image->body_size, kernel->size - image->body_offset);
    if (alignment == 0 || (alignment & (alignment - 1)) != 0 ||
        (image->address & (alignment - 1)) != 0)
        return refuse(err, "the alignment in its header is impossible");
    if (image->address < LAYOUT_HIGH || image->init_size < image->body_size)
        return refuse(err, "the addresses in its header are impossible");
    return 0;
}

static int check_room(const struct image *image, const struct guest_memory *memory,
                      struct error **err)
{
    /* The page tables reach to 4 GiB, and so does the first region, the hole excepted. */
    if (range_within(image->address, image->init_size, memory->regions[0].size))
        return 0;
    char text[16];
    error_set(err, ENOSPC, "kernel: the machine's memory is too small, it needs %s at 0x%llx",
              format_size(image->init_size, text), (unsigned long long)image->address);
    return error_hint(err, "give the machine more --memory");
}

/* Four directories of 2 MiB pages: the first 4 GiB, where they are. */
static int write_page_tables(const struct guest_memory *memory, struct error **err)
{
    enum { entries = 512, directories = 4, present_writable = 3, large = 0x80 };
    const uint64_t table_size = entries * sizeof(le64_t);
    le64_t *tables = guest_memory_at(memory, LAYOUT_PAGE_TABLES, (2 + directories) * table_size);
    if (!tables)
        return error_set(err, ENOSPC, "the machine has no memory for page tables");
    le64_t *pointers = tables + entries, *directory = tables + 2 * entries;
    tables[0] = le64_put((LAYOUT_PAGE_TABLES + table_size) | present_writable);
    for (uint64_t i = 0; i < directories; i++)
        pointers[i] = le64_put((LAYOUT_PAGE_TABLES + (2 + i) * table_size) | present_writable);
    for (uint64_t i = 0; i < directories * entries; i++)
        directory[i] = le64_put(i << 21 | present_writable | large);
    return 0;
}

static int write_zero_page(const struct guest_memory *memory, const struct boot_request *request,
                           const struct setup_header *header, struct error **err)
{
    struct zero_page *page = guest_memory_at(memory, LAYOUT_ZERO_PAGE, sizeof(*page));
    struct boot_range ranges[BOOT_RANGES_MAX];
    if (!page)
        return error_set(err, ENOSPC, "the machine has no memory for a kernel's parameters");
    *page = (struct zero_page){.rsdp = le64_put(request->rsdp), .header = *header};
    size_t count = boot_memory_map(memory, request, ranges);
    page->e820_count = (uint8_t)count;
    for (size_t i = 0; i < count; i++)
        page->e820[i] = (struct e820_entry){le64_put(ranges[i].address), le64_put(ranges[i].size),
                                            le32_put(ranges[i].type)};
    return 0;
}

int boot_linux_load(const struct boot_file *kernel, const struct guest_memory *memory,
                    const struct boot_request *request, struct boot_entry *ret, struct error **err)
{
    struct image image = {0};
    struct setup_header *header = &image.header;
    uint64_t initrd = 0, initrd_size = 0;
    int r = read_header(kernel, header, err);
    if (r == 0)
        r = check_header(kernel, &image, err);
    if (r == 0)
        r = check_room(&image, memory, err);
    if (r == 0)
        r = boot_file_load(kernel, image.body_offset, image.body_size, memory, image.address, err);
    if (r == 0)
        r = boot_load_initrd(memory, request, image.address + image.init_size,
                             (uint64_t)le32_get(header->initrd_address_max) + 1, &initrd,
                             &initrd_size, err);
    if (r == 0)
        r = boot_load_command_line(memory, request->command_line,
                                   le32_get(header->command_line_max), err);
    if (r == 0)
        r = write_page_tables(memory, err);
    if (r < 0)
        return r;
    header->loader_type = loader_unknown;
    header->initrd_address = le32_put((uint32_t)initrd);
    header->initrd_size = le32_put((uint32_t)initrd_size);
    header->command_line = le32_put(LAYOUT_COMMAND_LINE);
    /* Fields that a boot loader has to fill in, and that do not apply here. */
    header->setup_data = le64_put(0);
    header->code32_start = le32_put((uint32_t)image.address);
    r = write_zero_page(memory, request, header, err);
    if (r < 0)
        return r;
    *ret = (struct boot_entry){.long_mode = true,
                               .address = image.address + entry_64_offset,
                               .argument = LAYOUT_ZERO_PAGE};
    return 0;
}
