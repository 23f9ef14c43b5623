#include "vmm/pc/acpi.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "base/str.h"
#include "vmm/pc/aml.h"
#include "vmm/pc/machine_layout.h"
#include "vmm/pc/pm.h"
#include "vmm/pc/rtc.h"
#include "vmm/pc/serial.h"

struct header {
    char signature[4];
    le32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    le32_t oem_revision;
    char creator_id[4];
    le32_t creator_revision;
};
_Static_assert(sizeof(struct header) == 36, "§5.2.6");

struct rsdp {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes */
    char oem_id[6];
    uint8_t revision;
    le32_t rsdt;
    le32_t length;
    le64_t xsdt;
    uint8_t extended_checksum; /* of all */
    uint8_t reserved[3];
};
_Static_assert(sizeof(struct rsdp) == 36, "§5.2.5.3");

/* A register: §5.2.3.2. */
struct address {
    uint8_t space; /* 1: I/O ports */
    uint8_t bit_width;
    uint8_t bit_offset;
    uint8_t access_size; /* 1: a byte */
    le64_t address;
};

struct fadt {
    struct header header;
    le32_t facs, dsdt;
    uint8_t reserved, profile;
    uint8_t legacy[62]; /* SCI, SMI, power management blocks, P and C states: none of it */
    uint8_t century;    /* byte of the clock's memory */
    le16_t boot_flags;
    uint8_t reserved2;
    le32_t flags;
    struct address reset;
    uint8_t reset_value;
    le16_t arm_flags;
    uint8_t minor_version;
    le64_t x_facs, x_dsdt;
    struct address x_legacy[8];
    struct address sleep_control, sleep_status;
    le64_t hypervisor;
};
_Static_assert(offsetof(struct fadt, century) == 108, "§5.2.9");
_Static_assert(offsetof(struct fadt, reset) == 116, "§5.2.9");
_Static_assert(sizeof(struct fadt) == 276, "§5.2.9");

enum {
    /* §5.2.9.3 */
    boot_no_vga = 1 << 2,
    boot_no_aspm = 1 << 4,
    /* §5.2.9: the caches can be flushed; no fixed power and sleep buttons */
    fadt_wbinvd = 1 << 0,
    fadt_no_power_button = 1 << 4,
    fadt_no_sleep_button = 1 << 5,
    fadt_reset_register = 1 << 10,
    fadt_hardware_reduced = 1 << 20,
};

struct madt {
    struct header header;
    le32_t local_apic;
    le32_t flags;
};
struct madt_local_apic {
    uint8_t type, length, processor, apic;
    le32_t flags; /* 1: enabled */
};
struct madt_io_apic {
    uint8_t type, length, id, reserved;
    le32_t address, first_gsi;
};
_Static_assert(sizeof(struct madt) == 44 && sizeof(struct madt_local_apic) == 8 &&
                   sizeof(struct madt_io_apic) == 12,
               "§5.2.12");

struct mcfg {
    struct header header;
    uint8_t reserved[8];
    le64_t address;
    le16_t segment;
    uint8_t first_bus, last_bus;
    uint8_t reserved2[4];
};
_Static_assert(sizeof(struct mcfg) == 60, "PCI Firmware 3.2 §4.1.2");

static uint8_t checksum(const void *bytes, size_t count)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)bytes)[i]);
    return (uint8_t)-sum;
}

static void init_header(struct header *header, const char *signature, uint8_t revision)
{
    memcpy(header->signature, signature, 4);
    header->revision = revision;
    memcpy(header->oem_id, "KILN  ", 6);
    memcpy(header->oem_table_id, "KILNVM  ", 8);
    header->oem_revision = le32_put(1);
    memcpy(header->creator_id, "KILN", 4);
    header->creator_revision = le32_put(1);
}

/* Appends a table, its length and checksum filled in. Returns the address that it will have. */
static uint32_t add_table(struct str *out, void *table, size_t size)
{
    static const char padding[16];
    str_append_n(out, padding, round_up(out->length, sizeof(padding)) - out->length);
    uint32_t address = LAYOUT_ACPI + (uint32_t)out->length;
    struct header *header = table;
    header->length = le32_put((uint32_t)size);
    header->checksum = 0;
    header->checksum = checksum(table, size);
    str_append_n(out, table, size);
    return address;
}

static void add_pci_root(struct str *out, const struct acpi_config *config)
{
    struct aml_mark device = aml_begin_device(out, "PCI0");
    aml_name(out, "_HID");
    aml_eisa_id(out, "PNP0A03");
    static const char *const zeroes[] = {"_UID", "_SEG", "_BBN"};
    for (size_t i = 0; i < ARRAY_SIZE(zeroes); i++) {
        aml_name(out, zeroes[i]);
        aml_integer(out, 0);
    }
    aml_name(out, "_CRS");
    struct aml_mark resources = aml_begin_resources(out);
    aml_bus_window(out, 0, 0);
    aml_memory32_window(out, LAYOUT_MEMORY32, LAYOUT_MEMORY32_SIZE);
    if (config->pci_window_size > 0)
        aml_memory64_window(out, config->pci_window, config->pci_window_size);
    aml_end_resources(out, resources);
    /* Interrupts of devices are messages: nothing is wired to the I/O APIC. */
    aml_name(out, "_PRT");
    aml_end(out, aml_begin_package(out, 0));
    aml_end(out, device);

    /* Linux accepts MCFG only where the configuration space is reserved. */
    struct aml_mark board = aml_begin_device(out, "MB00");
    aml_name(out, "_HID");
    aml_eisa_id(out, "PNP0C02");
    aml_name(out, "_CRS");
    resources = aml_begin_resources(out);
    aml_memory32(out, LAYOUT_ECAM, LAYOUT_ECAM_SIZE);
    aml_end_resources(out, resources);
    aml_end(out, board);
}

static void add_serial(struct str *out)
{
    struct aml_mark device = aml_begin_device(out, "COM1");
    aml_name(out, "_HID");
    aml_eisa_id(out, "PNP0501");
    aml_name(out, "_UID");
    aml_integer(out, 1);
    aml_name(out, "_CRS");
    struct aml_mark resources = aml_begin_resources(out);
    aml_io(out, LAYOUT_SERIAL_PORT, SERIAL_PORTS);
    aml_irq(out, LAYOUT_SERIAL_IRQ);
    aml_end_resources(out, resources);
    aml_end(out, device);
}

static void add_clock(struct str *out)
{
    struct aml_mark device = aml_begin_device(out, "RTC0");
    aml_name(out, "_HID");
    aml_eisa_id(out, "PNP0B00");
    aml_name(out, "_CRS");
    struct aml_mark resources = aml_begin_resources(out);
    aml_io(out, RTC_PORT, RTC_PORTS);
    aml_end_resources(out, resources);
    aml_end(out, device);
}

/* A hardware-reduced machine has its button as a device (§4.8.2.2.1.2), and an event device
 * (§5.6.9) whose interrupt says that it was pressed. */
static void add_power_button(struct str *out)
{
    enum { pressed = 0x80 };
    struct aml_mark button = aml_begin_device(out, "PWRB");
    aml_name(out, "_HID");
    aml_eisa_id(out, "PNP0C0C");
    aml_end(out, button);

    struct aml_mark events = aml_begin_device(out, "GED0");
    aml_name(out, "_HID");
    aml_string(out, "ACPI0013");
    aml_name(out, "_CRS");
    struct aml_mark resources = aml_begin_resources(out);
    aml_irq(out, LAYOUT_POWER_IRQ);
    aml_end_resources(out, resources);
    struct aml_mark method = aml_begin_method(out, "_EVT", 1);
    aml_notify(out, "PWRB", pressed);
    aml_end(out, method);
    aml_end(out, events);
}

/* \_S5: both power management blocks take the same sleep type. */
static void add_sleep(struct str *out)
{
    aml_name(out, "_S5_");
    struct aml_mark package = aml_begin_package(out, 2);
    aml_integer(out, PM_SLEEP_TYPE_OFF);
    aml_integer(out, PM_SLEEP_TYPE_OFF);
    aml_end(out, package);
}

static char *make_dsdt(const struct acpi_config *config, size_t *ret_size, struct error **err)
{
    _cleanup_str_ struct str aml = {0};
    struct header header = {0};
    init_header(&header, "DSDT", 2);
    str_append_n(&aml, &header, sizeof(header));
    struct aml_mark scope = aml_begin_scope(&aml, "\\_SB_");
    if (config->pci)
        add_pci_root(&aml, config);
    add_serial(&aml);
    add_clock(&aml);
    add_power_button(&aml);
    aml_end(&aml, scope);
    add_sleep(&aml);
    *ret_size = aml.length;
    return str_take(&aml, err);
}

static struct address port_register(uint16_t port)
{
    return (struct address){
        .space = 1, .bit_width = 8, .access_size = 1, .address = le64_put(port)};
}

static uint32_t add_fadt(struct str *out, uint32_t dsdt)
{
    struct fadt fadt = {
        .dsdt = le32_put(dsdt),
        .x_dsdt = le64_put(dsdt),
        .century = 50,
        /* No flag for a keyboard controller: there is none to probe. */
        .boot_flags = le16_put(boot_no_vga | boot_no_aspm),
        .flags = le32_put(fadt_wbinvd | fadt_no_power_button | fadt_no_sleep_button |
                          fadt_reset_register | fadt_hardware_reduced),
        .reset = port_register(LAYOUT_PM_PORT + PM_RESET),
        .reset_value = PM_RESET_VALUE,
        .minor_version = 4,
        .sleep_control = port_register(LAYOUT_PM_PORT + PM_SLEEP_CONTROL),
        .sleep_status = port_register(LAYOUT_PM_PORT + PM_SLEEP_STATUS),
    };
    init_header(&fadt.header, "FACP", 6);
    return add_table(out, &fadt, sizeof(fadt));
}

static uint32_t add_madt(struct str *out, unsigned cpus, struct error **err)
{
    _cleanup_str_ struct str table = {0};
    struct madt madt = {.local_apic = le32_put(LAYOUT_LOCAL_APIC)};
    init_header(&madt.header, "APIC", 5);
    str_append_n(&table, &madt, sizeof(madt));
    for (unsigned i = 0; i < cpus; i++) {
        struct madt_local_apic apic = {.length = sizeof(apic),
                                       .processor = (uint8_t)i,
                                       .apic = (uint8_t)i,
                                       .flags = le32_put(1)};
        str_append_n(&table, &apic, sizeof(apic));
    }
    struct madt_io_apic io_apic = {
        .type = 1, .length = sizeof(io_apic), .address = le32_put(LAYOUT_IO_APIC)};
    str_append_n(&table, &io_apic, sizeof(io_apic));
    size_t size = table.length;
    _cleanup_free_ char *bytes = str_take(&table, err);
    return bytes ? add_table(out, bytes, size) : 0;
}

static uint32_t add_mcfg(struct str *out)
{
    struct mcfg mcfg = {.address = le64_put(LAYOUT_ECAM)};
    init_header(&mcfg.header, "MCFG", 1);
    return add_table(out, &mcfg, sizeof(mcfg));
}

static uint32_t add_xsdt(struct str *out, const uint32_t *tables, size_t count)
{
    struct {
        struct header header;
        le64_t entries[4];
    } xsdt = {0};
    init_header(&xsdt.header, "XSDT", 1);
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (tables[i])
            xsdt.entries[used++] = le64_put(tables[i]);
    return add_table(out, &xsdt, sizeof(xsdt.header) + used * sizeof(xsdt.entries[0]));
}

static void fill_rsdp(struct rsdp *rsdp, uint32_t xsdt)
{
    memcpy(rsdp->signature, "RSD PTR ", 8);
    memcpy(rsdp->oem_id, "KILN  ", 6);
    rsdp->revision = 2;
    rsdp->length = le32_put(sizeof(*rsdp));
    rsdp->xsdt = le64_put(xsdt);
    rsdp->checksum = checksum(rsdp, 20);
    rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
}

int acpi_write(const struct guest_memory *memory, const struct acpi_config *config,
               struct error **err)
{
    _cleanup_str_ struct str out = {0};
    struct rsdp rsdp = {0};
    size_t dsdt_size = 0;
    _cleanup_free_ char *dsdt = make_dsdt(config, &dsdt_size, err);
    if (!dsdt)
        return -ENOMEM;
    str_append_n(&out, &rsdp, sizeof(rsdp));
    uint32_t dsdt_address = add_table(&out, dsdt, dsdt_size);
    const uint32_t tables[] = {
        add_fadt(&out, dsdt_address),
        add_madt(&out, config->cpus, err),
        config->pci ? add_mcfg(&out) : 0,
    };
    if (!tables[1])
        return -ENOMEM;
    fill_rsdp(&rsdp, add_xsdt(&out, tables, ARRAY_SIZE(tables)));
    size_t size = out.length;
    _cleanup_free_ char *bytes = str_take(&out, err);
    if (!bytes)
        return -ENOMEM;
    void *place = size <= LAYOUT_ACPI_MAX ? guest_memory_at(memory, LAYOUT_ACPI, size) : NULL;
    if (!place)
        return error_set(err, ENOSPC, "the machine's ACPI tables do not fit into its memory");
    memcpy(bytes, &rsdp, sizeof(rsdp));
    memcpy(place, bytes, size);
    return 0;
}
