/* GUID partition tables (UEFI specification 2.10, section 5.3). */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "base/checked.h"
#include "base/utf16.h"
#include "base/uuid.h"
#include "image/partition_kinds.h"

struct gpt_header {
    uint8_t signature[8];
    le32_t revision;
    le32_t header_size;
    le32_t header_crc;
    le32_t reserved;
    le64_t my_lba;
    le64_t alternate_lba;
    le64_t first_usable;
    le64_t last_usable;
    uint8_t disk_guid[16];
    le64_t entries_lba;
    le32_t entry_count;
    le32_t entry_size;
    le32_t entries_crc;
};
_Static_assert(sizeof(struct gpt_header) == 92, "GPT header");

struct gpt_entry {
    uint8_t type[16];
    uint8_t uuid[16];
    le64_t first;
    le64_t last;
    le64_t attributes;
    le16_t name[36];
};
_Static_assert(sizeof(struct gpt_entry) == 128, "GPT entry");

enum { max_sector = 4096, max_entries_bytes = 1 << 20 };

/* A table as it was loaded from one of its two places, checked. */
struct gpt {
    uint32_t sector_size;
    uint64_t sectors; /* of the disk */
    union {
        struct gpt_header header;
        uint8_t sector[max_sector];
    };
    uint8_t *entries;
    size_t entries_size;      /* bytes: count * entry_size */
    uint64_t entries_sectors; /* rounded up */
};

static void gpt_release(struct gpt *gpt)
{
    free(gpt->entries);
    gpt->entries = NULL;
}
#define _cleanup_gpt_ _cleanup_(gpt_release)

static uint32_t crc_of(const void *bytes, size_t count)
{
    return (uint32_t)crc32(0, bytes, (uInt)count);
}

static bool header_crc_matches(const struct gpt *gpt)
{
    struct gpt copy = *gpt;
    copy.header.header_crc = le32_put(0);
    return crc_of(copy.sector, le32_get(gpt->header.header_size)) ==
           le32_get(gpt->header.header_crc);
}

/* NULL, or what is wrong with the header that was read from `lba`. */
static const char *header_fault(const struct gpt *gpt, uint64_t lba)
{
    const struct gpt_header *header = &gpt->header;
    uint32_t entry_size = le32_get(header->entry_size), count = le32_get(header->entry_count);
    uint64_t first = le64_get(header->first_usable), last = le64_get(header->last_usable);
    if (memcmp(header->signature, "EFI PART", 8) != 0)
        return "is missing";
    if (le32_get(header->header_size) < sizeof(*header) ||
        le32_get(header->header_size) > gpt->sector_size)
        return "states an impossible length";
    if (!header_crc_matches(gpt))
        return "does not match its checksum";
    if (le32_get(header->revision) >> 16 != 1)
        return "has an unknown version";
    if (le64_get(header->my_lba) != lba)
        return "is a copy of another place";
    if (entry_size < sizeof(struct gpt_entry) || (entry_size & (entry_size - 1)) != 0 ||
        entry_size > max_sector || count == 0 || count > max_entries_bytes / entry_size)
        return "states impossible entries";
    if (first > last)
        return "states an impossible usable area";
    if (last >= gpt->sectors)
        return "is for a larger disk: this one was cut short";
    return NULL;
}

/* The array of entries must not lie in the area of partitions, nor over a header or the MBR. */
static const char *entries_fault(const struct gpt *gpt, uint64_t lba)
{
    uint64_t start = le64_get(gpt->header.entries_lba);
    if (start < 2 || !range_within(start, gpt->entries_sectors, gpt->sectors))
        return "places its entries beyond the disk";
    if (start <= le64_get(gpt->header.last_usable) &&
        start + gpt->entries_sectors > le64_get(gpt->header.first_usable))
        return "places its entries among the partitions";
    if (lba >= start && lba < start + gpt->entries_sectors)
        return "places its entries over itself";
    return NULL;
}

/* 0 with *ret_fault NULL when the table is good, or with what is wrong with it. */
static int load(struct block *block, uint64_t lba, uint32_t sector_size, struct gpt *gpt,
                const char **ret_fault, struct error **err)
{
    uint64_t sectors = block->size / sector_size;
    gpt_release(gpt);
    *gpt = (struct gpt){.sector_size = sector_size, .sectors = sectors};
    *ret_fault = "lies beyond the disk";
    if (lba < 1 || lba >= sectors)
        return 0;
    int r = block_pread(block, gpt->sector, sector_size, lba * sector_size, err);
    if (r < 0)
        return r;
    *ret_fault = header_fault(gpt, lba);
    if (*ret_fault)
        return 0;
    gpt->entries_size =
        (size_t)le32_get(gpt->header.entry_count) * le32_get(gpt->header.entry_size);
    gpt->entries_sectors = round_up(gpt->entries_size, sector_size) / sector_size;
    *ret_fault = entries_fault(gpt, lba);
    if (*ret_fault)
        return 0;
    gpt->entries = malloc(gpt->entries_size);
    if (!gpt->entries)
        return error_oom(err);
    r = block_pread(block, gpt->entries, gpt->entries_size,
                    le64_get(gpt->header.entries_lba) * sector_size, err);
    if (r < 0)
        return r;
    if (crc_of(gpt->entries, gpt->entries_size) != le32_get(gpt->header.entries_crc))
        *ret_fault = "does not match the checksum of its entries";
    return 0;
}

/* The disk's end by the protective MBR: on an image that was made larger later, that is where the
 * backup table still is. */
static uint64_t protected_end(const struct mbr *mbr)
{
    for (size_t i = 0; i < MBR_SLOTS; i++)
        if (mbr->entries[i].type == MBR_TYPE_PROTECTIVE)
            return (uint64_t)le32_get(mbr->entries[i].start) + le32_get(mbr->entries[i].sectors);
    return 0;
}

/* Loads the primary table, else the backup. */
static int load_any(struct block *block, const struct mbr *mbr, struct gpt *gpt, struct error **err)
{
    static const uint32_t sector_sizes[] = {512, 4096};
    const char *first_fault = NULL, *fault = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        uint32_t size = sector_sizes[i];
        /* With another sector size, the text of the header is where this one is looked for. */
        const uint64_t places[] = {1, block->size / size - 1, protected_end(mbr) - 1};
        for (size_t j = 0; j < ARRAY_SIZE(places); j++) {
            int r = load(block, places[j], size, gpt, &fault, err);
            if (r < 0 || !fault)
                return r;
            if (!first_fault)
                first_fault = fault;
        }
    }
    int r = error_set(
        err, EINVAL,
        "the GUID partition table is damaged: the primary header %s, and there is no valid "
        "backup",
        first_fault);
    error_hint(err, "try to repair a copy of the image: sgdisk --verify, gdisk");
    return r;
}

/* In UTF-8. What no terminal should get becomes '?'. */
static void format_label(const le16_t name[static 36], char label[static 109])
{
    char *out = label, bytes[4];
    for (size_t i = 0; i < 36 && le16_get(name[i]) != 0;) {
        uint32_t c = utf16_next(name, 36, &i);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == UTF16_INVALID)
            c = '?';
        size_t length = utf8_put(c, bytes);
        memcpy(out, bytes, length);
        out += length;
    }
    *out = '\0';
}

static void entry_get(const struct gpt *gpt, size_t index, struct gpt_entry *ret)
{
    memcpy(ret, gpt->entries + index * le32_get(gpt->header.entry_size), sizeof(*ret));
}

static bool is_used(const struct gpt_entry *entry)
{
    static const uint8_t unused[16];
    return memcmp(entry->type, unused, sizeof(unused)) != 0;
}

static int add_entry(const struct gpt *gpt, size_t index, const struct gpt_entry *entry,
                     struct partition_table *table, struct error **err)
{
    uint64_t first = le64_get(entry->first), last = le64_get(entry->last);
    unsigned number = (unsigned)index + 1;
    if (first > last)
        return error_set(err, EINVAL, "partition %u ends before it begins", number);
    if (first < le64_get(gpt->header.first_usable))
        return error_set(err, EINVAL, "partition %u overlaps the partition table", number);
    if (last > le64_get(gpt->header.last_usable))
        return error_set(err, EINVAL,
                         "partition %u ends at sector %" PRIu64 ", beyond the usable area", number,
                         last);
    struct partition partition = {
        .number = number,
        .start = first * gpt->sector_size,
        .length = (last - first + 1) * gpt->sector_size,
        .attributes = le64_get(entry->attributes),
    };
    guid_format(entry->type, partition.type_guid);
    guid_format(entry->uuid, partition.uuid);
    format_label(entry->name, partition.label);
    return partition_table_add(table, &partition, err);
}

int gpt_table_read(struct block *block, const struct mbr *mbr, struct partition_table *table,
                   struct error **err)
{
    _cleanup_gpt_ struct gpt gpt = {0};
    int r = load_any(block, mbr, &gpt, err);
    if (r < 0)
        return r;
    table->sector_size = gpt.sector_size;
    for (size_t i = 0; i < le32_get(gpt.header.entry_count) && r == 0; i++) {
        struct gpt_entry entry;
        entry_get(&gpt, i, &entry);
        if (is_used(&entry))
            r = add_entry(&gpt, i, &entry, table, err);
    }
    return r;
}

/* Writes the entries and then the header that makes them count. */
static int write_copy(struct block *block, const struct gpt *gpt, uint64_t lba, uint64_t other,
                      uint64_t entries_lba, struct error **err)
{
    struct gpt copy = *gpt;
    copy.header.my_lba = le64_put(lba);
    copy.header.alternate_lba = le64_put(other);
    copy.header.entries_lba = le64_put(entries_lba);
    copy.header.entries_crc = le32_put(crc_of(gpt->entries, gpt->entries_size));
    copy.header.header_crc = le32_put(0);
    copy.header.header_crc = le32_put(crc_of(copy.sector, le32_get(copy.header.header_size)));
    int r =
        block_pwrite(block, gpt->entries, gpt->entries_size, entries_lba * gpt->sector_size, err);
    return r < 0 ? r
                 : block_pwrite(block, copy.sector, gpt->sector_size, lba * gpt->sector_size, err);
}

/* The protective entry covers the disk as far as 32 bits reach. A hybrid table has others beside it
 * and stays as it is. */
static int write_protective(struct block *block, const struct mbr *mbr, uint64_t sectors,
                            struct error **err)
{
    struct mbr copy = *mbr;
    struct mbr_entry *own = NULL;
    for (size_t i = 0; i < MBR_SLOTS; i++) {
        if (copy.entries[i].type == 0)
            continue;
        if (own || copy.entries[i].type != MBR_TYPE_PROTECTIVE)
            return 0;
        own = &copy.entries[i];
    }
    if (!own || le32_get(own->start) != 1)
        return 0;
    own->sectors = le32_put((uint32_t)min_u64(sectors - 1, UINT32_MAX));
    memset(own->chs_last, 0xff, sizeof(own->chs_last));
    return mbr_sector_write(block, 0, &copy, err);
}

/* A header left in the middle of the disk could be found by tools that search for one. */
static int erase_old_backup(struct block *block, const struct gpt *gpt, uint64_t old_lba,
                            uint64_t old_last_usable, struct error **err)
{
    static const uint8_t zeroes[max_sector];
    _cleanup_gpt_ struct gpt old = {0};
    const char *fault;
    /* Neither inside what was for partitions nor where the new backup is by now. */
    if (old_lba <= old_last_usable || old_lba >= gpt->sectors - 1 - gpt->entries_sectors)
        return 0;
    int r = load(block, old_lba, gpt->sector_size, &old, &fault, err);
    if (r < 0 || fault)
        return r;
    return block_pwrite(block, zeroes, gpt->sector_size, old_lba * gpt->sector_size, err);
}

/* The backup first: one of the two is whole at any time. */
static int write_table(struct block *block, const struct mbr *mbr, const struct gpt *gpt,
                       uint64_t primary_entries, struct error **err)
{
    uint64_t last = gpt->sectors - 1;
    int r = write_copy(block, gpt, last, 1, last - gpt->entries_sectors, err);
    if (r == 0)
        r = write_copy(block, gpt, 1, last, primary_entries, err);
    return r < 0 ? r : write_protective(block, mbr, gpt->sectors, err);
}

/* Moves the end of the usable area to where the backup table, at the disk's end, lets it be. */
static int extend_usable(struct gpt *gpt, uint64_t primary_entries, struct error **err)
{
    uint64_t last = gpt->sectors - 1 - (gpt->entries_sectors + 1);
    if (primary_entries + gpt->entries_sectors > le64_get(gpt->header.first_usable))
        return error_set(err, EINVAL, "there is no room for the primary partition table");
    for (size_t i = 0; i < le32_get(gpt->header.entry_count); i++) {
        struct gpt_entry entry;
        entry_get(gpt, i, &entry);
        if (is_used(&entry) && le64_get(entry.last) > last)
            return error_set(err, EINVAL,
                             "partition %zu leaves no room for the backup partition table", i + 1);
    }
    gpt->header.last_usable = le64_put(last);
    return 0;
}

/* Lets the entry of that partition reach the end of the usable area. *ret_length in bytes. */
static void extend_entry(struct gpt *gpt, unsigned number, uint64_t *ret_length)
{
    struct gpt_entry entry;
    uint64_t usable = (le64_get(gpt->header.last_usable) + 1) * gpt->sector_size;
    uint64_t end = round_down(usable, PARTITION_ALIGN) / gpt->sector_size;
    entry_get(gpt, number - 1, &entry);
    if (end > le64_get(entry.last) + 1)
        entry.last = le64_put(end - 1);
    memcpy(gpt->entries + (number - 1) * le32_get(gpt->header.entry_size), &entry, sizeof(entry));
    *ret_length = (le64_get(entry.last) - le64_get(entry.first) + 1) * gpt->sector_size;
}

int gpt_partition_grow(struct block *block, const struct mbr *mbr,
                       const struct partition *partition, uint64_t *ret_length, struct error **err)
{
    _cleanup_gpt_ struct gpt gpt = {0};
    uint64_t length;
    int r = load_any(block, mbr, &gpt, err);
    if (r < 0)
        return r;
    bool primary = le64_get(gpt.header.my_lba) == 1;
    uint64_t entries = primary ? le64_get(gpt.header.entries_lba) : 2;
    uint64_t old_backup = le64_get(primary ? gpt.header.alternate_lba : gpt.header.my_lba);
    uint64_t old_last_usable = le64_get(gpt.header.last_usable);
    r = extend_usable(&gpt, entries, err);
    if (r < 0)
        return r;
    extend_entry(&gpt, partition->number, &length);
    r = write_table(block, mbr, &gpt, entries, err);
    if (r == 0)
        r = erase_old_backup(block, &gpt, old_backup, old_last_usable, err);
    if (r == 0)
        *ret_length = length;
    return r;
}
