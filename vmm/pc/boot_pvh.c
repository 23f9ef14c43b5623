#include "vmm/pc/boot_pvh.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "base/fdio.h"
#include "vmm/pc/machine_layout.h"

enum {
    note_phys32_entry = 18, /* XEN_ELFNOTE_PHYS32_ENTRY, xen/include/public/elfnote.h */
    max_segments = 64,
    max_notes = 1 << 20, /* bytes */
    note_align = 4,
};

struct start_info {
    le32_t magic, version, flags, module_count;
    le64_t modules, command_line, rsdp, memory_map;
    le32_t memory_map_count, reserved;
};
struct module {
    le64_t address, size, command_line, reserved;
};
struct map_entry {
    le64_t address, size;
    le32_t type, reserved;
};
_Static_assert(sizeof(struct start_info) == 56 && sizeof(struct module) == 32 &&
                   sizeof(struct map_entry) == 24,
               "start_info.h");

/* How it lies in the machine's memory. */
struct start_page {
    struct start_info info;
    uint8_t padding[8];
    struct module initrd;
    struct map_entry map[BOOT_RANGES_MAX];
};

static int refuse(struct error **err, const char *why)
{
    return error_set(err, ENOEXEC, "kernel: %s", why);
}

/* ELF files for this machine have its own byte order: structures are read as they are. */
static int read_program_headers(const struct boot_file *kernel, Elf64_Phdr *headers,
                                size_t *ret_count, struct error **err)
{
    Elf64_Ehdr elf;
    if (kernel->size < sizeof(elf))
        return refuse(err, "truncated: an ELF file without a whole header");
    int r = fd_pread_full(kernel->fd, &elf, sizeof(elf), 0, kernel->name, err);
    if (r < 0)
        return r;
    if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_ident[EI_DATA] != ELFDATA2LSB ||
        elf.e_machine != EM_X86_64)
        return refuse(err, "an ELF file, but not for x86-64");
    if (elf.e_phentsize != sizeof(*headers) || elf.e_phnum == 0 || elf.e_phnum > max_segments)
        return refuse(err, "an ELF file with impossible program headers");
    size_t size = elf.e_phnum * sizeof(*headers);
    if (!range_within(elf.e_phoff, size, kernel->size))
        return refuse(err, "truncated: its program headers lie behind the file's end");
    r = fd_pread_full(kernel->fd, headers, size, elf.e_phoff, kernel->name, err);
    if (r == 0)
        *ret_count = elf.e_phnum;
    return r;
}

/* Finds the entry among the notes; leaves *entry alone when it is not there. */
static void search_notes(const uint8_t *notes, size_t size, uint64_t *entry)
{
    size_t offset = 0;
    Elf64_Nhdr note;
    while (range_within(offset, sizeof(note), size)) {
        memcpy(&note, notes + offset, sizeof(note));
        offset += sizeof(note);
        uint64_t name_size = round_up(note.n_namesz, note_align);
        uint64_t desc_size = round_up(note.n_descsz, note_align);
        if (!range_within(offset, name_size + desc_size, size))
            return;
        const uint8_t *name = notes + offset, *desc = name + name_size;
        if (note.n_type == note_phys32_entry && note.n_namesz == 4 && memcmp(name, "Xen", 4) == 0 &&
            (note.n_descsz == 4 || note.n_descsz == 8)) {
            *entry = 0;
            memcpy(entry, desc, note.n_descsz);
            return;
        }
        offset += name_size + desc_size;
    }
}

static int find_entry(const struct boot_file *kernel, const Elf64_Phdr *headers, size_t count,
                      uint64_t *ret, struct error **err)
{
    uint64_t entry = UINT64_MAX;
    for (size_t i = 0; i < count && entry == UINT64_MAX; i++) {
        const Elf64_Phdr *header = &headers[i];
        if (header->p_type != PT_NOTE || header->p_filesz == 0)
            continue;
        if (header->p_filesz > max_notes ||
            !range_within(header->p_offset, header->p_filesz, kernel->size))
            return refuse(err, "an ELF file with impossible notes");
        _cleanup_free_ uint8_t *notes = malloc(header->p_filesz);
        if (!notes)
            return error_oom(err);
        int r =
            fd_pread_full(kernel->fd, notes, header->p_filesz, header->p_offset, kernel->name, err);
        if (r < 0)
            return r;
        search_notes(notes, header->p_filesz, &entry);
    }
    if (entry > UINT32_MAX) {
        refuse(err, "an ELF file without a PVH entry");
        return error_hint(err, "build it with CONFIG_PVH=y, or boot its bzImage");
    }
    *ret = entry;
    return 0;
}

/* *ret_end: where the highest one ends. Memory is zero already where a segment is longer in memory
 * than in the file. */
static int load_segments(const struct boot_file *kernel, const Elf64_Phdr *headers, size_t count,
                         const struct guest_memory *memory, uint64_t *ret_end, struct error **err)
{
    uint64_t end = 0;
    for (size_t i = 0; i < count; i++) {
        const Elf64_Phdr *header = &headers[i];
        if (header->p_type != PT_LOAD || header->p_memsz == 0)
            continue;
        if (header->p_filesz > header->p_memsz || header->p_paddr < LAYOUT_HIGH)
            return refuse(err, "an ELF file with impossible segments");
        if (!range_within(header->p_paddr, header->p_memsz, memory->regions[0].size)) {
            error_set(err, ENOSPC,
                      "kernel: the machine's memory is too small, it needs %llu bytes "
                      "at 0x%llx",
                      (unsigned long long)header->p_memsz, (unsigned long long)header->p_paddr);
            return error_hint(err, "give the machine more --memory");
        }
        int r = boot_file_load(kernel, header->p_offset, header->p_filesz, memory, header->p_paddr,
                               err);
        if (r < 0)
            return r;
        end = max_u64(end, header->p_paddr + header->p_memsz);
    }
    *ret_end = end;
    return 0;
}

static int write_start_info(const struct guest_memory *memory, const struct boot_request *request,
                            uint64_t initrd, uint64_t initrd_size, struct error **err)
{
    struct start_page *page = guest_memory_at(memory, LAYOUT_START_INFO, sizeof(*page));
    struct boot_range ranges[BOOT_RANGES_MAX];
    if (!page)
        return error_set(err, ENOSPC, "the machine has no memory for a kernel's parameters");
    size_t count = boot_memory_map(memory, request, ranges);
    *page = (struct start_page){
        .info = {.magic = le32_put(0x336ec578),
                 .version = le32_put(1),
                 .module_count = le32_put(initrd_size > 0),
                 .modules = le64_put(LAYOUT_START_INFO + offsetof(struct start_page, initrd)),
                 .command_line = le64_put(LAYOUT_COMMAND_LINE),
                 .rsdp = le64_put(request->rsdp),
                 .memory_map = le64_put(LAYOUT_START_INFO + offsetof(struct start_page, map)),
                 .memory_map_count = le32_put((uint32_t)count)},
        .initrd = {.address = le64_put(initrd), .size = le64_put(initrd_size)},
    };
    for (size_t i = 0; i < count; i++)
        page->map[i] = (struct map_entry){.address = le64_put(ranges[i].address),
                                          .size = le64_put(ranges[i].size),
                                          .type = le32_put(ranges[i].type)};
    return 0;
}

int boot_pvh_load(const struct boot_file *kernel, const struct guest_memory *memory,
                  const struct boot_request *request, struct boot_entry *ret, struct error **err)
{
    Elf64_Phdr headers[max_segments];
    size_t count = 0;
    uint64_t entry = 0, end = 0, initrd = 0, initrd_size = 0;
    int r = read_program_headers(kernel, headers, &count, err);
    if (r == 0)
        r = find_entry(kernel, headers, count, &entry, err);
    if (r == 0)
        r = load_segments(kernel, headers, count, memory, &end, err);
    if (r == 0)
        r = boot_load_initrd(memory, request, end, UINT32_MAX, &initrd, &initrd_size, err);
    if (r == 0)
        r = boot_load_command_line(memory, request->command_line, UINT32_MAX, err);
    if (r == 0)
        r = write_start_info(memory, request, initrd, initrd_size, err);
    if (r < 0)
        return r;
    *ret = (struct boot_entry){.address = entry, .argument = LAYOUT_START_INFO};
    return 0;
}
