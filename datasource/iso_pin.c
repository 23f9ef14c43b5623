/*
 * Makes ISO images equal: ECMA-119 (ISO 9660) volume descriptors and directory records, and the
 * Rock Ridge fields in them (IEEE P1282 draft). libarchive fills them from the clock in the local
 * time zone and from the ids of the process, and has no options for that.
 */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "datasource/iso.h"

enum {
    sector_size = 2048,
    first_descriptor = 16,
    max_descriptors = 16,
    descriptor_primary = 1,
    descriptor_supplementary = 2,
    descriptor_terminator = 255,
};

/* Both byte orders, ECMA-119 section 7.3.3. */
struct iso_both32 {
    le32_t little;
    be32_t big;
};

/* Section 9.1; name and system use area follow. */
struct iso_record {
    uint8_t length;
    uint8_t extended_length;
    struct iso_both32 extent;
    struct iso_both32 size;
    uint8_t date[7];
    uint8_t flags;
    uint8_t unit_size;
    uint8_t gap_size;
    le16_t volume_little;
    be16_t volume_big;
    uint8_t name_length;
};
_Static_assert(sizeof(struct iso_record) == 33, "directory record");

/* Sections 8.4 and 8.5. */
struct iso_descriptor {
    uint8_t type;
    char id[5];
    uint8_t version;
    uint8_t unused[149];
    struct iso_record root;
    uint8_t root_name;
    uint8_t identifiers[623];
    char created[17];
    char modified[17];
    char expires[17];
    char effective[17];
    uint8_t rest[1167];
};
_Static_assert(sizeof(struct iso_descriptor) == sector_size, "volume descriptor");
_Static_assert(offsetof(struct iso_descriptor, root) == 156, "root directory record");
_Static_assert(offsetof(struct iso_descriptor, created) == 813, "volume creation date");

/* SUSP, section 4: the frame of every system use field. */
struct susp_field {
    char signature[2];
    uint8_t length;
    uint8_t version;
};
_Static_assert(sizeof(struct susp_field) == 4, "system use field");

/* Rock Ridge, section 4.1.1. */
struct rock_attributes {
    struct susp_field field;
    struct iso_both32 mode;
    struct iso_both32 links;
    struct iso_both32 uid;
    struct iso_both32 gid;
};
_Static_assert(sizeof(struct rock_attributes) == 36, "PX");

/* 2000-01-01 00:00:00 UTC, in the long form (section 8.4.26.1: the last byte is the zone) and the
 * short one (section 9.1.5: years since 1900, month, day, hour, minute, second, zone). */
static const char long_date[17] = "2000010100000000";
static const uint8_t short_date[7] = {100, 1, 1, 0, 0, 0, 0};

static int unexpected(struct error **err)
{
    return error_set(err, EBADMSG,
                     "the ISO image from libarchive is not laid out as expected; please report "
                     "this with the version of libarchive");
}

/* Section 4.1.6: one flag byte, then seven bytes for each of the times present. */
static void pin_times(uint8_t *field, size_t length)
{
    for (size_t at = sizeof(struct susp_field) + 1; at + sizeof(short_date) <= length;
         at += sizeof(short_date))
        memcpy(field + at, short_date, sizeof(short_date));
}

static void pin_owner(uint8_t *field, size_t length)
{
    struct rock_attributes attributes;
    if (length < sizeof(attributes))
        return;
    memcpy(&attributes, field, sizeof(attributes));
    attributes.uid = attributes.gid = (struct iso_both32){0};
    memcpy(field, &attributes, sizeof(attributes));
}

static int pin_system_use(uint8_t *area, size_t size, struct error **err)
{
    struct susp_field field;
    for (size_t at = 0; at + sizeof(field) <= size; at += field.length) {
        memcpy(&field, area + at, sizeof(field));
        if (field.signature[0] == '\0')
            return 0;
        if (field.length < sizeof(field) || field.length > size - at)
            return unexpected(err);
        if (memcmp(field.signature, "TF", 2) == 0)
            pin_times(area + at, field.length);
        else if (memcmp(field.signature, "PX", 2) == 0)
            pin_owner(area + at, field.length);
    }
    return 0;
}

/* The records of one directory; all files lie in the root. */
static int pin_directory(uint8_t *image, size_t size, uint64_t extent, uint64_t length,
                         struct error **err)
{
    uint64_t start = extent * sector_size;
    if (!range_within(start, length, size))
        return unexpected(err);
    for (uint64_t at = 0; at + sizeof(struct iso_record) <= length;) {
        uint8_t *bytes = image + start + at;
        struct iso_record record;
        memcpy(&record, bytes, sizeof(record));
        if (record.length == 0) { /* records do not cross sectors: the next one begins there */
            at = round_up(at + 1, sector_size);
            continue;
        }
        /* The name is padded so that the system use area begins at an even offset. */
        size_t used = sizeof(record) + record.name_length + (record.name_length % 2 == 0);
        if (used > record.length || record.length > length - at)
            return unexpected(err);
        memcpy(bytes + offsetof(struct iso_record, date), short_date, sizeof(short_date));
        int r = pin_system_use(bytes + used, record.length - used, err);
        if (r < 0)
            return r;
        at += record.length;
    }
    return 0;
}

static int pin_descriptor(uint8_t *image, size_t size, uint64_t offset, struct error **err)
{
    struct iso_descriptor descriptor;
    memcpy(&descriptor, image + offset, sizeof(descriptor));
    memcpy(descriptor.root.date, short_date, sizeof(short_date));
    memcpy(descriptor.created, long_date, sizeof(long_date));
    memcpy(descriptor.modified, long_date, sizeof(long_date));
    memcpy(descriptor.effective, long_date, sizeof(long_date));
    memcpy(image + offset, &descriptor, sizeof(descriptor));
    return pin_directory(image, size, le32_get(descriptor.root.extent.little),
                         le32_get(descriptor.root.size.little), err);
}

int iso_pin(char *data, size_t size, struct error **err)
{
    uint8_t *image = (uint8_t *)data;
    for (uint64_t i = first_descriptor; i < first_descriptor + max_descriptors; i++) {
        uint64_t offset = i * sector_size;
        /* libarchive puts a sector of its own behind the terminator, as mkisofs does. */
        if (!range_within(offset, 2 * sector_size, size) ||
            memcmp(image + offset + 1, "CD001", 5) != 0)
            return unexpected(err);
        uint8_t type = image[offset];
        if (type == descriptor_terminator) {
            /* It holds date, version and options as text; no reader uses it. */
            memset(image + offset + sector_size, 0, sector_size);
            return 0;
        }
        int r = 0;
        if (type == descriptor_primary || type == descriptor_supplementary)
            r = pin_descriptor(image, size, offset, err);
        if (r < 0)
            return r;
    }
    return unexpected(err);
}
