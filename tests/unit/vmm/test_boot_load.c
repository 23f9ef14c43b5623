/* Kernels, initrds and command lines on their way into a machine's memory: good ones and those that
 * lie about themselves. */

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/endian.h"
#include "base/fdio.h"
#include "tests/unit/unit.h"
#include "vmm/pc/boot_load.h"
#include "vmm/pc/machine_layout.h"

enum { memory_size = 64 << 20, setup_sectors = 3, body_offset = 4 * 512, body_size = 8192 };

static const uint64_t kernel_address = 16 << 20;
static struct guest_memory memory;

static int map_memory(void **state)
{
    (void)state;
    return guest_memory_map(memory_size, false, &memory, NULL);
}

static int unmap_memory(void **state)
{
    (void)state;
    guest_memory_unmap(&memory);
    return 0;
}

static int clear_memory(void **state)
{
    (void)state;
    guest_memory_clear(&memory);
    return 0;
}

static int make_file(const void *bytes, size_t size)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fd_pwrite_full(fd, bytes, size, 0, "test", NULL), 0);
    return fd;
}

struct bytes {
    uint8_t data[body_offset + body_size];
};

static void put16(struct bytes *file, size_t offset, uint16_t value)
{
    le16_t field = le16_put(value);
    memcpy(file->data + offset, &field, sizeof(field));
}

static void put32(struct bytes *file, size_t offset, uint32_t value)
{
    le32_t field = le32_put(value);
    memcpy(file->data + offset, &field, sizeof(field));
}

/* boot.rst, the real-mode header. */
enum {
    SETUP_SECTORS = 0x1f1,
    SYSTEM_SIZE = 0x1f4,
    BOOT_FLAG = 0x1fe,
    JUMP = 0x200,
    MAGIC = 0x202,
    VERSION = 0x206,
    LOADER = 0x210,
    LOAD_FLAGS = 0x211,
    INITRD = 0x218,
    INITRD_SIZE = 0x21c,
    COMMAND_LINE = 0x228,
    INITRD_MAX = 0x22c,
    ALIGNMENT = 0x230,
    EXTENDED_FLAGS = 0x236,
    COMMAND_LINE_MAX = 0x238,
    SETUP_DATA = 0x250,
    PREFERRED = 0x258,
    INIT_SIZE = 0x260,
};

static struct bytes good_kernel(void)
{
    struct bytes file = {0};
    file.data[SETUP_SECTORS] = setup_sectors;
    put32(&file, SYSTEM_SIZE, body_size / 16);
    put16(&file, BOOT_FLAG, 0xaa55);
    file.data[JUMP] = 0xeb;
    file.data[JUMP + 1] = 0x6a;
    memcpy(file.data + MAGIC, "HdrS", 4);
    put16(&file, VERSION, 0x020f);
    file.data[LOAD_FLAGS] = 1;
    put32(&file, INITRD_MAX, 0x7fffffff);
    put32(&file, ALIGNMENT, 2 << 20);
    put16(&file, EXTENDED_FLAGS, 1);
    put32(&file, COMMAND_LINE_MAX, 2047);
    put32(&file, PREFERRED, (uint32_t)kernel_address);
    put32(&file, INIT_SIZE, 8 << 20);
    memset(file.data + body_offset, 0x90, body_size);
    return file;
}

static int load(const struct bytes *file, size_t size, int initrd, const char *command_line,
                struct boot_entry *entry, struct error **err)
{
    _cleanup_close_ int kernel = make_file(file->data, size);
    const struct boot_request request = {.kernel_fd = kernel,
                                         .initrd_fd = initrd,
                                         .command_line = command_line,
                                         .rsdp = LAYOUT_ACPI,
                                         .pci_configuration = LAYOUT_ECAM};
    return boot_load(&memory, &request, entry, err);
}

static uint32_t zero_page32(size_t offset)
{
    le32_t value;
    memcpy(&value, guest_memory_at(&memory, LAYOUT_ZERO_PAGE + offset, 4), 4);
    return le32_get(value);
}

static uint64_t zero_page64(size_t offset)
{
    return zero_page32(offset) | (uint64_t)zero_page32(offset + 4) << 32;
}

static void test_bzimage(void **state)
{
    (void)state;
    struct bytes file = good_kernel();
    static char initrd_bytes[5000] = "070701";
    _cleanup_close_ int initrd = make_file(initrd_bytes, sizeof(initrd_bytes));
    struct boot_entry entry;
    assert_int_equal(load(&file, sizeof(file), initrd, "console=ttyS0", &entry, NULL), 0);
    assert_true(entry.long_mode);
    assert_int_equal(entry.address, kernel_address + 0x200);
    assert_int_equal(entry.argument, LAYOUT_ZERO_PAGE);
    assert_memory_equal(guest_memory_at(&memory, kernel_address, body_size),
                        file.data + body_offset, body_size);
    assert_int_equal(*(uint8_t *)guest_memory_at(&memory, LAYOUT_ZERO_PAGE + LOADER, 1), 0xff);
    assert_int_equal(zero_page64(0x70), LAYOUT_ACPI);
    assert_string_equal(guest_memory_at(&memory, zero_page32(COMMAND_LINE), 14), "console=ttyS0");
    assert_int_equal(zero_page32(INITRD_SIZE), sizeof(initrd_bytes));
    assert_int_equal(zero_page32(INITRD) % 4096, 0);
    assert_memory_equal(guest_memory_at(&memory, zero_page32(INITRD), sizeof(initrd_bytes)),
                        initrd_bytes, sizeof(initrd_bytes));
}

static void test_memory_map(void **state)
{
    (void)state;
    struct bytes file = good_kernel();
    struct boot_entry entry;
    assert_int_equal(load(&file, sizeof(file), -1, "", &entry, NULL), 0);
    uint8_t count = *(uint8_t *)guest_memory_at(&memory, LAYOUT_ZERO_PAGE + 0x1e8, 1);
    assert_int_equal(count, 4);
    uint64_t usable = 0, end = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t address = zero_page64(0x2d0 + 20 * i), size = zero_page64(0x2d0 + 20 * i + 8);
        uint32_t type = zero_page32(0x2d0 + 20 * i + 16);
        assert_true(address >= end);
        end = address + size;
        usable += type == 1 ? size : 0;
        if (type == 1)
            assert_non_null(guest_memory_at(&memory, address, size));
    }
    assert_int_equal(usable, memory_size - 0x100000 + LAYOUT_LOW_END);
}

/* The first 4 GiB are where they are. */
static void test_page_tables(void **state)
{
    (void)state;
    struct bytes file = good_kernel();
    struct boot_entry entry;
    assert_int_equal(load(&file, sizeof(file), -1, "", &entry, NULL), 0);
    static const uint64_t addresses[] = {0, 0x200000, 0x12345678, 0xfee00000, 0xffffffff};
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        uint64_t table = LAYOUT_PAGE_TABLES;
        for (int shift = 39; shift > 21; shift -= 9) {
            uint64_t index = addresses[i] >> shift & 511;
            le64_t *entries = guest_memory_at(&memory, table, 4096);
            assert_int_equal(le64_get(entries[index]) & 0x83, 3);
            table = le64_get(entries[index]) & ~UINT64_C(0xfff);
        }
        le64_t *last = guest_memory_at(&memory, table, 4096);
        uint64_t page = le64_get(last[addresses[i] >> 21 & 511]);
        assert_int_equal(page, (addresses[i] & ~UINT64_C(0x1fffff)) | 0x83);
    }
}

static void test_headers_that_lie(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        uint32_t value;
        int errnum;
        const char *words;
    } rows[] = {
        {MAGIC, 0, ENOEXEC, "no kernel"},
        {BOOT_FLAG, 0x6a0000eb, ENOEXEC, "no kernel"},
        {VERSION, 0x020b, ENOEXEC, "older than 2.12"},
        {EXTENDED_FLAGS - 2, 0, ENOEXEC, "64-bit"},
        {LOADER, 0, ENOEXEC, "zImage"},
        {SYSTEM_SIZE, 0, ENOEXEC, "no code"},
        {SYSTEM_SIZE, UINT32_MAX, ENOEXEC, "truncated"},
        {SYSTEM_SIZE, body_size / 16 + 1, ENOEXEC, "truncated"},
        {ALIGNMENT, 0, ENOEXEC, "alignment"},
        {ALIGNMENT, 3, ENOEXEC, "alignment"},
        {PREFERRED, 0, ENOEXEC, "addresses"},
        {PREFERRED, 0x1000001, ENOEXEC, "alignment"},
        {PREFERRED + 4, UINT32_MAX, ENOSPC, "too small"},
        {PREFERRED, 0xffe00000, ENOSPC, "too small"},
        {INIT_SIZE, 0, ENOEXEC, "addresses"},
        {INIT_SIZE, UINT32_MAX, ENOSPC, "too small"},
        {INIT_SIZE, 48 << 20 | 1, ENOSPC, "too small"},
        {COMMAND_LINE_MAX, 3, E2BIG, "command line is too long"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct bytes file = good_kernel();
        struct boot_entry entry;
        struct error *err = NULL;
        put32(&file, rows[i].offset, rows[i].value);
        assert_int_equal(load(&file, sizeof(file), -1, "root", &entry, &err), -rows[i].errnum);
        if (!strstr(error_message(err), rows[i].words))
            fail_msg("'%s' lacks '%s'", error_message(err), rows[i].words);
        error_free(err);
    }
}

static void test_files_that_end_early(void **state)
{
    (void)state;
    struct bytes file = good_kernel();
    struct boot_entry entry;
    for (size_t size = 0; size < sizeof(file) - 16; size += size < 1024 ? 1 : 509) {
        struct error *err = NULL;
        assert_int_equal(load(&file, size, -1, "", &entry, &err), -ENOEXEC);
        assert_non_null(error_message(err));
        error_free(err);
    }
}

static void test_no_kernel_at_all(void **state)
{
    (void)state;
    struct bytes file;
    struct boot_entry entry;
    struct error *err = NULL;
    memset(&file, '#', sizeof(file));
    assert_int_equal(load(&file, sizeof(file), -1, "", &entry, &err), -ENOEXEC);
    assert_non_null(strstr(error_message(err), "no kernel"));
    assert_non_null(error_remedy(err));
    error_clear(&err);
    _cleanup_close_ int directory = open("/", O_RDONLY | O_CLOEXEC);
    const struct boot_request request = {.kernel_fd = directory, .initrd_fd = -1};
    assert_int_equal(boot_load(&memory, &request, &entry, &err), -ENOEXEC);
    error_free(err);
}

static void test_bad_initrds(void **state)
{
    (void)state;
    struct bytes file = good_kernel();
    struct boot_entry entry;
    struct error *err = NULL;
    _cleanup_close_ int empty = make_file("", 0);
    assert_int_equal(load(&file, sizeof(file), empty, "", &entry, &err), -ENOEXEC);
    assert_non_null(strstr(error_message(err), "initrd"));
    error_clear(&err);
    _cleanup_close_ int text = make_file("#!/bin/sh", 9);
    assert_int_equal(load(&file, sizeof(file), text, "", &entry, &err), -ENOEXEC);
    assert_non_null(strstr(error_message(err), "is not an initramfs"));
    error_clear(&err);
    /* 40 MiB are left above the kernel. */
    _cleanup_close_ int large = make_file("070701", 6);
    assert_int_equal(ftruncate(large, 40 << 20), 0);
    assert_int_equal(load(&file, sizeof(file), large, "", &entry, &err), 0);
    assert_int_equal(ftruncate(large, (40 << 20) + 1), 0);
    assert_int_equal(load(&file, sizeof(file), large, "", &entry, &err), -ENOSPC);
    assert_non_null(strstr(error_remedy(err), "--memory"));
    error_clear(&err);
    assert_int_equal(ftruncate(large, INT64_MAX / 2), 0);
    assert_int_equal(load(&file, sizeof(file), large, "", &entry, &err), -ENOSPC);
    error_free(err);
}

static void test_initrd_stays_below_the_kernels_limit(void **state)
{
    (void)state;
    struct bytes file = good_kernel();
    struct boot_entry entry;
    put32(&file, INITRD_MAX, (32 << 20) - 1);
    _cleanup_close_ int initrd = make_file("\x1f\x8b", 2);
    assert_int_equal(load(&file, sizeof(file), initrd, "", &entry, NULL), 0);
    assert_int_equal(zero_page32(INITRD), (32 << 20) - 4096);
}

/* An ELF kernel: header, two program headers, a note, and code. */
struct elf_kernel {
    Elf64_Ehdr head;
    Elf64_Phdr program[2];
    Elf64_Nhdr note;
    char name[4];
    uint32_t entry;
    uint8_t code[64];
};

static struct elf_kernel good_elf(void)
{
    struct elf_kernel elf = {
        .head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                 .e_type = ET_EXEC,
                 .e_machine = EM_X86_64,
                 .e_version = EV_CURRENT,
                 .e_phoff = offsetof(struct elf_kernel, program),
                 .e_ehsize = sizeof(Elf64_Ehdr),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 2},
        .program = {{.p_type = PT_LOAD,
                     .p_offset = offsetof(struct elf_kernel, code),
                     .p_paddr = 16 << 20,
                     .p_filesz = sizeof(elf.code),
                     .p_memsz = 1 << 20},
                    {.p_type = PT_NOTE,
                     .p_offset = offsetof(struct elf_kernel, note),
                     .p_filesz = sizeof(Elf64_Nhdr) + 8,
                     .p_memsz = sizeof(Elf64_Nhdr) + 8}},
        .note = {.n_namesz = 4, .n_descsz = 4, .n_type = 18},
        .name = "Xen",
        .entry = (16 << 20) + 8,
    };
    memset(elf.code, 0xcc, sizeof(elf.code));
    return elf;
}

static int load_elf(const struct elf_kernel *elf, size_t size, struct boot_entry *entry,
                    struct error **err)
{
    _cleanup_close_ int kernel = make_file(elf, size);
    _cleanup_close_ int initrd = make_file("070701", 6);
    const struct boot_request request = {
        .kernel_fd = kernel, .initrd_fd = initrd, .command_line = "quiet", .rsdp = LAYOUT_ACPI};
    return boot_load(&memory, &request, entry, err);
}

static void test_pvh(void **state)
{
    (void)state;
    struct elf_kernel elf = good_elf();
    struct boot_entry entry;
    assert_int_equal(load_elf(&elf, sizeof(elf), &entry, NULL), 0);
    assert_false(entry.long_mode);
    assert_int_equal(entry.address, (16 << 20) + 8);
    assert_memory_equal(guest_memory_at(&memory, 16 << 20, sizeof(elf.code)), elf.code,
                        sizeof(elf.code));
    const uint8_t *info = guest_memory_at(&memory, entry.argument, 56);
    static const uint8_t magic[] = {0x78, 0xc5, 0x6e, 0x33};
    assert_memory_equal(info, magic, sizeof(magic));
    le64_t where;
    memcpy(&where, info + 24, sizeof(where));
    assert_string_equal(guest_memory_at(&memory, le64_get(where), 6), "quiet");
    memcpy(&where, info + 16, sizeof(where));
    memcpy(&where, guest_memory_at(&memory, le64_get(where), 8), sizeof(where));
    assert_memory_equal(guest_memory_at(&memory, le64_get(where), 6), "070701", 6);
}

static void test_elf_files_that_lie(void **state)
{
    (void)state;
    struct boot_entry entry;
    for (int i = 0; i < 14; i++) {
        struct elf_kernel elf = good_elf();
        struct error *err = NULL;
        int wanted = -ENOEXEC;
        switch (i) {
        case 0:
            elf.head.e_machine = EM_386;
            break;
        case 1:
            elf.head.e_ident[EI_CLASS] = ELFCLASS32;
            break;
        case 2:
            elf.head.e_phoff = UINT64_MAX;
            break;
        case 3:
            elf.head.e_phnum = 0xffff;
            break;
        case 4:
            elf.head.e_phentsize = 1;
            break;
        case 5:
            elf.program[0].p_offset = UINT64_MAX - 10;
            break;
        case 6:
            elf.program[0].p_filesz = elf.program[0].p_memsz = 2048;
            break;
        case 7:
            elf.program[0].p_filesz = elf.program[0].p_memsz + 1;
            break;
        case 8:
            elf.program[0].p_paddr = 0x1000;
            break;
        case 9:
            elf.program[0].p_paddr = UINT64_MAX;
            wanted = -ENOSPC;
            break;
        case 10:
            elf.program[0].p_memsz = UINT64_MAX;
            wanted = -ENOSPC;
            break;
        case 11:
            elf.program[1].p_filesz = UINT64_MAX;
            break;
        case 12:
            elf.note.n_namesz = UINT32_MAX;
            break;
        case 13:
            elf.note.n_type = 17;
            break;
        }
        assert_int_equal(load_elf(&elf, sizeof(elf), &entry, &err), wanted);
        error_free(err);
    }
    struct elf_kernel elf = good_elf();
    for (size_t size = 4; size < offsetof(struct elf_kernel, code) + sizeof(elf.code); size += 7)
        assert_int_equal(load_elf(&elf, size, &entry, NULL), -ENOEXEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_bzimage, clear_memory),
        cmocka_unit_test_setup(test_memory_map, clear_memory),
        cmocka_unit_test_setup(test_page_tables, clear_memory),
        cmocka_unit_test_setup(test_headers_that_lie, clear_memory),
        cmocka_unit_test_setup(test_files_that_end_early, clear_memory),
        cmocka_unit_test_setup(test_no_kernel_at_all, clear_memory),
        cmocka_unit_test_setup(test_bad_initrds, clear_memory),
        cmocka_unit_test_setup(test_initrd_stays_below_the_kernels_limit, clear_memory),
        cmocka_unit_test_setup(test_pvh, clear_memory),
        cmocka_unit_test_setup(test_elf_files_that_lie, clear_memory),
    };
    return cmocka_run_group_tests(tests, map_memory, unmap_memory);
}
