#include "vmm/pc/smbios.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "base/str.h"
#include "vmm/pc/machine_layout.h"

struct entry_point {
    char anchor[5];
    uint8_t checksum, length, major, minor, docrev, revision, reserved;
    le32_t max_size;
    le64_t address;
};
_Static_assert(sizeof(struct entry_point) == 24, "§5.2.2");

struct header {
    uint8_t type, length;
    le16_t handle;
};

struct firmware {
    struct header header;
    uint8_t vendor, version;
    le16_t segment;
    uint8_t date, rom_size;
    le64_t characteristics;
    uint8_t extended[2];
    uint8_t major, minor, controller_major, controller_minor;
    le16_t extended_rom_size;
};
_Static_assert(sizeof(struct firmware) == 0x1a, "§7.1");

struct system {
    struct header header;
    uint8_t manufacturer, product, version, serial;
    uint8_t uuid[16];
    uint8_t wake_up, sku, family;
};
_Static_assert(sizeof(struct system) == 0x1b, "§7.2");

struct chassis {
    struct header header;
    uint8_t manufacturer, type, version, serial, asset;
    uint8_t states[4];
    le32_t oem;
    uint8_t height, cords, contained, contained_length, sku;
};
_Static_assert(sizeof(struct chassis) == 0x16, "§7.4");

struct oem_strings {
    struct header header;
    uint8_t count;
};

enum {
    type_firmware = 0,
    type_system = 1,
    type_chassis = 3,
    type_oem_strings = 11,
    type_end = 127,
    characteristics_unsupported = 1 << 3,
    extended_virtual_machine = 1 << 4,
    wake_up_power_switch = 6,
    chassis_other = 1,
    state_unknown = 2,
};

/* The strings of a structure stand behind it, ended by an empty one; fields hold their numbers. */
static uint8_t add_string(struct str *strings, uint8_t *count, const char *text)
{
    if (str_empty(text))
        return 0;
    str_append_n(strings, text, strlen(text) + 1);
    return ++*count;
}

/* Its handle is where it stands in the table: different for all. */
static void add_structure(struct str *table, uint8_t type, void *structure, size_t size,
                          const struct str *strings)
{
    struct header *header = structure;
    *header = (struct header){
        .type = type, .length = (uint8_t)size, .handle = le16_put((uint16_t)table->length)};
    str_append_n(table, structure, size);
    table->failed = table->failed || (strings && strings->failed);
    if (strings && strings->length > 0)
        str_append_n(table, strings->data, strings->length);
    else
        str_append_n(table, "", 1);
    str_append_n(table, "", 1);
}

static void add_firmware(struct str *table)
{
    _cleanup_str_ struct str strings = {0};
    uint8_t count = 0;
    struct firmware firmware = {
        .vendor = add_string(&strings, &count, "kiln"),
        .version = add_string(&strings, &count, KILN_VERSION),
        .date = add_string(&strings, &count, "01/01/2024"),
        .characteristics = le64_put(characteristics_unsupported),
        .extended = {0, extended_virtual_machine},
        .controller_major = 0xff,
        .controller_minor = 0xff,
    };
    add_structure(table, type_firmware, &firmware, sizeof(firmware), &strings);
}

static void add_system(struct str *table, const struct vm_identity *identity)
{
    _cleanup_str_ struct str strings = {0};
    uint8_t count = 0;
    struct system system = {
        .manufacturer = add_string(&strings, &count, "kiln"),
        .product = add_string(&strings, &count, "kiln virtual machine"),
        .serial = add_string(&strings, &count, identity->serial),
        .wake_up = wake_up_power_switch,
    };
    add_structure(table, type_system, &system, sizeof(system), &strings);
}

static void add_chassis(struct str *table)
{
    _cleanup_str_ struct str strings = {0};
    uint8_t count = 0;
    struct chassis chassis = {
        .manufacturer = add_string(&strings, &count, "kiln"),
        .type = chassis_other,
        .states = {state_unknown, state_unknown, state_unknown, state_unknown},
    };
    add_structure(table, type_chassis, &chassis, sizeof(chassis), &strings);
}

static void add_oem_strings(struct str *table, const struct vm_identity *identity)
{
    _cleanup_str_ struct str strings = {0};
    struct oem_strings oem = {0};
    for (size_t i = 0; i < identity->string_count; i++)
        add_string(&strings, &oem.count, identity->strings[i]);
    if (oem.count > 0)
        add_structure(table, type_oem_strings, &oem, sizeof(oem), &strings);
}

static void fill_entry_point(struct entry_point *entry, size_t table_size)
{
    *entry = (struct entry_point){
        .length = sizeof(*entry),
        .major = 3,
        .minor = 4,
        .revision = 1,
        .max_size = le32_put((uint32_t)table_size),
        .address = le64_put(LAYOUT_SMBIOS + sizeof(*entry)),
    };
    memcpy(entry->anchor, "_SM3_", sizeof(entry->anchor));
    uint8_t sum = 0;
    for (size_t i = 0; i < sizeof(*entry); i++)
        sum = (uint8_t)(sum + ((uint8_t *)entry)[i]);
    entry->checksum = (uint8_t)-sum;
}

int smbios_write(const struct guest_memory *memory, const struct vm_identity *identity,
                 struct error **err)
{
    _cleanup_str_ struct str table = {0};
    struct entry_point entry;
    struct header end;
    int r = vm_identity_check(identity, err);
    if (r < 0)
        return r;
    add_firmware(&table);
    add_system(&table, identity);
    add_chassis(&table);
    add_oem_strings(&table, identity);
    add_structure(&table, type_end, &end, sizeof(end), NULL);
    size_t size = table.length;
    _cleanup_free_ char *bytes = str_take(&table, err);
    if (!bytes)
        return -ENOMEM;
    if (size > LAYOUT_SMBIOS_MAX - sizeof(entry))
        return error_set(err, EINVAL, "the machine's SMBIOS strings are too long: %zu bytes", size);
    uint8_t *place = guest_memory_at(memory, LAYOUT_SMBIOS, sizeof(entry) + size);
    if (!place)
        return error_set(err, ENOSPC, "the machine has no memory for its SMBIOS tables");
    fill_entry_point(&entry, size);
    memcpy(place, &entry, sizeof(entry));
    memcpy(place + sizeof(entry), bytes, size);
    return 0;
}
