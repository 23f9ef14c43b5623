/* The tables that tell a guest what it runs on: ACPI and SMBIOS. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "base/proc.h"
#include "tests/unit/unit.h"
#include "vmm/pc/acpi.h"
#include "vmm/pc/aml.h"
#include "vmm/pc/machine_layout.h"
#include "vmm/pc/smbios.h"

static struct guest_memory memory;

static int map_memory(void **state)
{
    (void)state;
    return guest_memory_map(4 << 20, false, &memory, NULL);
}

static int unmap_memory(void **state)
{
    (void)state;
    guest_memory_unmap(&memory);
    return 0;
}

static uint8_t sum(const uint8_t *bytes, size_t count)
{
    uint8_t total = 0;
    while (count--)
        total = (uint8_t)(total + *bytes++);
    return total;
}

static uint32_t get32(const uint8_t *bytes)
{
    le32_t value;
    memcpy(&value, bytes, sizeof(value));
    return le32_get(value);
}

static uint64_t get64(const uint8_t *bytes)
{
    return get32(bytes) | (uint64_t)get32(bytes + 4) << 32;
}

/* A table at this address, whole and with a right checksum. */
static const uint8_t *table_at(uint64_t address, uint32_t *ret_size)
{
    assert_int_equal(address % 16, 0);
    const uint8_t *table = guest_memory_at(&memory, address, 36);
    assert_non_null(table);
    *ret_size = get32(table + 4);
    assert_in_range(address, LAYOUT_ACPI, LAYOUT_ACPI + LAYOUT_ACPI_MAX);
    assert_in_range(*ret_size, 36, LAYOUT_ACPI + LAYOUT_ACPI_MAX - address);
    assert_int_equal(sum(table, *ret_size), 0);
    return table;
}

/* By way of the root pointer, as a guest finds it. NULL: there is none. */
static const uint8_t *find_table(const char *signature, uint32_t *ret_size)
{
    const uint8_t *root = guest_memory_at(&memory, LAYOUT_ACPI, 36);
    assert_memory_equal(root, "RSD PTR ", 8);
    assert_int_equal(sum(root, 20), 0);
    assert_int_equal(sum(root, 36), 0);
    uint32_t size;
    const uint8_t *xsdt = table_at(get64(root + 24), &size);
    assert_memory_equal(xsdt, "XSDT", 4);
    for (uint32_t i = 36; i < size; i += 8) {
        const uint8_t *table = table_at(get64(xsdt + i), ret_size);
        if (memcmp(table, signature, 4) == 0)
            return table;
    }
    return NULL;
}

static const struct acpi_config with_pci = {
    .cpus = 2, .pci = true, .pci_window = UINT64_C(1) << 39, .pci_window_size = UINT64_C(1) << 36};

static void test_acpi_processors(void **state)
{
    (void)state;
    struct acpi_config config = {.cpus = 255};
    assert_int_equal(acpi_write(&memory, &config, NULL), 0);
    uint32_t size;
    const uint8_t *madt = find_table("APIC", &size);
    assert_non_null(madt);
    assert_int_equal(get32(madt + 36), 0xfee00000);
    unsigned cpus = 0, io_apics = 0;
    for (uint32_t i = 44; i < size; i += madt[i + 1]) {
        assert_in_range(madt[i + 1], 2, size - i);
        if (madt[i] == 0) {
            assert_int_equal(madt[i + 3], cpus++);
            assert_int_equal(get32(madt + i + 4), 1);
        }
        io_apics += madt[i] == 1;
    }
    assert_int_equal(cpus, 255);
    assert_int_equal(io_apics, 1);
}

static void test_acpi_power(void **state)
{
    (void)state;
    assert_int_equal(acpi_write(&memory, &with_pci, NULL), 0);
    uint32_t size;
    const uint8_t *fadt = find_table("FACP", &size);
    assert_non_null(fadt);
    assert_int_equal(size, 276);
    assert_int_equal(get32(fadt + 112) & (1 << 20 | 1 << 10), 1 << 20 | 1 << 10);
    /* No keyboard controller, no VGA to look for. */
    assert_int_equal(fadt[109] & 2, 0);
    assert_int_equal(fadt[109] & 4, 4);
    assert_int_equal(fadt[116], 1);
    assert_int_equal(get64(fadt + 120), 0x602);
    assert_int_equal(fadt[128], 1);
    assert_int_equal(get64(fadt + 248), 0x600);
    assert_int_equal(get64(fadt + 260), 0x601);
    assert_int_equal(get64(fadt + 140), get32(fadt + 40));
    const uint8_t *dsdt = table_at(get32(fadt + 40), &size);
    assert_memory_equal(dsdt, "DSDT", 4);
}

static bool contains(const uint8_t *bytes, size_t size, const void *wanted, size_t length)
{
    return memmem(bytes, size, wanted, length) != NULL;
}

static void test_acpi_bus_only_where_there_is_one(void **state)
{
    (void)state;
    uint32_t size;
    struct acpi_config config = with_pci;
    assert_int_equal(acpi_write(&memory, &config, NULL), 0);
    const uint8_t *mcfg = find_table("MCFG", &size);
    assert_non_null(mcfg);
    assert_int_equal(get64(mcfg + 44), 0xe0000000);
    assert_int_equal(mcfg[54], 0);
    assert_int_equal(mcfg[55], 0);
    const uint8_t *fadt = find_table("FACP", &size);
    const uint8_t *dsdt = table_at(get32(fadt + 40), &size);
    assert_true(contains(dsdt, size, "PCI0", 4));
    le64_t window = le64_put(with_pci.pci_window);
    assert_true(contains(dsdt, size, &window, sizeof(window)));

    config.pci_window_size = 0;
    assert_int_equal(acpi_write(&memory, &config, NULL), 0);
    fadt = find_table("FACP", &size);
    dsdt = table_at(get32(fadt + 40), &size);
    assert_false(contains(dsdt, size, &window, sizeof(window)));

    config.pci = false;
    assert_int_equal(acpi_write(&memory, &config, NULL), 0);
    assert_null(find_table("MCFG", &size));
    fadt = find_table("FACP", &size);
    dsdt = table_at(get32(fadt + 40), &size);
    assert_false(contains(dsdt, size, "PCI0", 4));
    assert_true(contains(dsdt, size, "COM1", 4));
    assert_true(contains(dsdt, size, "_S5_", 4));
}

/* ACPICA's disassembler and compiler take the code for what it is meant to be. */
static void test_acpi_code_is_right(void **state)
{
    (void)state;
    if (!proc_found("iasl"))
        skip_because("iasl is not installed");
    assert_int_equal(acpi_write(&memory, &with_pci, NULL), 0);
    char directory[] = "/tmp/kiln-unit.XXXXXX", path[64];
    assert_non_null(mkdtemp(directory));
    uint32_t size;
    const uint8_t *fadt = find_table("FACP", &size);
    const uint8_t *dsdt = table_at(get32(fadt + 40), &size);
    snprintf(path, sizeof(path), "%s/dsdt.dat", directory);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(dsdt, 1, size, file), size);
    fclose(file);

    static const char *const runs[][4] = {{"iasl", "-d", "dsdt.dat"}, {"iasl", "dsdt.dsl"}};
    for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
        const struct proc_options options = {PROC_OPTIONS_INIT, .argv = runs[i], .cwd = directory};
        _cleanup_proc_output_ struct proc_output output = {0};
        struct error *err = NULL;
        assert_int_equal(proc_run(&options, NULL, 0, 1 << 20, 300000, &output, &err), 0);
        assert_int_equal(output.status, 0);
        assert_true(i == 0 || strstr(output.out, "0 Errors, 0 Warnings"));
    }
    static const char *const left[] = {"dsdt.dat", "dsdt.dsl", "dsdt.aml", "DSDT.aml"};
    for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, left[i]);
        remove(path);
    }
    assert_int_equal(rmdir(directory), 0);
}

static void test_tables_need_memory(void **state)
{
    (void)state;
    _cleanup_guest_memory_ struct guest_memory little = {0};
    struct error *err = NULL;
    assert_int_equal(guest_memory_map(64 << 10, false, &little, NULL), 0);
    assert_int_equal(acpi_write(&little, &with_pci, &err), -ENOSPC);
    error_clear(&err);
    struct vm_identity identity = {0};
    assert_int_equal(smbios_write(&little, &identity, &err), -ENOSPC);
    error_free(err);
}

static void test_aml_integers(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *bytes;
        size_t count;
    } rows[] = {
        {0, "\x00", 1},
        {1, "\x01", 1},
        {2, "\x0a\x02", 2},
        {255, "\x0a\xff", 2},
        {256, "\x0b\x00\x01", 3},
        {65536, "\x0c\x00\x00\x01\x00", 5},
        {UINT64_C(1) << 32, "\x0e\x00\x00\x00\x00\x01\x00\x00\x00", 9},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_str_ struct str out = {0};
        aml_integer(&out, rows[i].value);
        assert_int_equal(out.length, rows[i].count);
        assert_memory_equal(out.data, rows[i].bytes, rows[i].count);
    }
}

static void test_aml_eisa_id(void **state)
{
    (void)state;
    _cleanup_str_ struct str out = {0};
    aml_eisa_id(&out, "PNP0A03");
    assert_int_equal(out.length, 5);
    assert_memory_equal(out.data, "\x0c\x41\xd0\x0a\x03", 5);
}

/* Finds a structure; *ret_strings: the first string behind it. */
static const uint8_t *find_structure(uint8_t type, const char **ret_strings)
{
    const uint8_t *entry = guest_memory_at(&memory, 0xf0000, 24);
    assert_memory_equal(entry, "_SM3_", 5);
    assert_int_equal(entry[6], 24);
    assert_int_equal(sum(entry, 24), 0);
    uint32_t size = get32(entry + 12);
    const uint8_t *at = guest_memory_at(&memory, get64(entry + 16), size);
    assert_non_null(at);
    const uint8_t *end = at + size;
    while (at < end) {
        *ret_strings = (const char *)at + at[1];
        if (at[0] == type)
            return at;
        assert_int_not_equal(at[0], 127);
        at += at[1];
        while (at[0] || at[1])
            at++;
        at += 2;
    }
    return NULL;
}

static const char *string_of(const char *strings, unsigned number)
{
    while (--number)
        strings += strlen(strings) + 1;
    return strings;
}

static void test_smbios_says_what_it_was_told(void **state)
{
    (void)state;
    static const char *const texts[] = {"io.systemd.credential:a=b", "second"};
    const struct vm_identity identity = {
        .serial = "ds=nocloud;i=abc",
        .strings = texts,
        .string_count = 2,
    };
    assert_int_equal(smbios_write(&memory, &identity, NULL), 0);
    const char *strings;
    const uint8_t *system = find_structure(1, &strings);
    assert_string_equal(string_of(strings, system[7]), "ds=nocloud;i=abc");
    assert_string_equal(string_of(strings, system[4]), "kiln");
    const uint8_t *oem = find_structure(11, &strings);
    assert_int_equal(oem[4], 2);
    assert_string_equal(string_of(strings, 1), texts[0]);
    assert_string_equal(string_of(strings, 2), texts[1]);
    assert_non_null(find_structure(0, &strings));
    assert_non_null(find_structure(3, &strings));
    assert_non_null(find_structure(127, &strings));
}

static void test_smbios_without_anything(void **state)
{
    (void)state;
    const struct vm_identity identity = {0};
    assert_int_equal(smbios_write(&memory, &identity, NULL), 0);
    const char *strings;
    assert_int_equal(find_structure(1, &strings)[7], 0);
    assert_non_null(find_structure(127, &strings));
}

static void test_smbios_refuses(void **state)
{
    (void)state;
    struct error *err = NULL;
    struct vm_identity identity = {.serial = "two\nlines"};
    assert_int_equal(smbios_write(&memory, &identity, &err), -EINVAL);
    error_clear(&err);
    static char large[70000];
    memset(large, 'x', sizeof(large) - 1);
    identity.serial = large;
    assert_int_equal(smbios_write(&memory, &identity, &err), -EINVAL);
    assert_non_null(strstr(error_message(err), "too long"));
    error_free(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acpi_processors),
        cmocka_unit_test(test_acpi_power),
        cmocka_unit_test(test_acpi_bus_only_where_there_is_one),
        cmocka_unit_test(test_acpi_code_is_right),
        cmocka_unit_test(test_tables_need_memory),
        cmocka_unit_test(test_aml_integers),
        cmocka_unit_test(test_aml_eisa_id),
        cmocka_unit_test(test_smbios_says_what_it_was_told),
        cmocka_unit_test(test_smbios_without_anything),
        cmocka_unit_test(test_smbios_refuses),
    };
    return cmocka_run_group_tests(tests, map_memory, unmap_memory);
}
