/* MBR partition tables: four primary entries, one of which may hold a chain of extended boot
 * records with the logical partitions. Numbers are those that Linux gives
 * (block/partitions/msdos.c). */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "image/partition_kinds.h"

/* More logical partitions than disks have; also ends a chain that leads back into itself. */
enum { max_records = 256, first_logical = 5 };

/* Where the entry of one partition is written, and those that enclose it. */
struct place {
    uint64_t record; /* sector of its MBR or extended boot record */
    unsigned slot;
    uint64_t base;        /* sector that its start counts from */
    uint64_t link_record; /* sector of the record that points to ours; 0: it is the first one */
    unsigned link_slot;
    unsigned extended_slot; /* of the MBR; logical partitions only */
};

/* Called for each partition and, with partition NULL, for each extended boot record. */
typedef int (*visit_fn)(void *context, const struct partition *partition, const struct place *place,
                        struct error **err);

struct walk {
    struct block *block;
    const struct mbr *mbr;
    uint64_t sectors; /* of the disk */
    unsigned next_logical;
    unsigned records;
    visit_fn visit;
    void *context;
};

static bool is_extended(const struct mbr_entry *entry)
{
    return entry->type == 0x05 || entry->type == 0x0f || entry->type == 0x85;
}

static bool is_used(const struct mbr_entry *entry)
{
    return entry->type != 0 && le32_get(entry->sectors) != 0;
}

/* Numbers of primary partitions are by slot, those of logical ones by their order in the chain. */
static int visit_entry(struct walk *walk, const struct mbr_entry *entry, unsigned number,
                       const struct place *place, uint64_t limit, struct error **err)
{
    uint64_t start = place->base + le32_get(entry->start), sectors = le32_get(entry->sectors);
    if (start <= place->record)
        return error_set(err, EINVAL,
                         "partition %u begins at sector %" PRIu64 ", over its own partition table",
                         number, start);
    if (!range_within(start, sectors, limit))
        return error_set(err, EINVAL,
                         "partition %u ends at sector %" PRIu64 ", beyond the end of %s", number,
                         start + sectors, place->record ? "the extended partition" : "the disk");
    struct partition partition = {
        .number = number,
        .start = start * MBR_SECTOR,
        .length = sectors * MBR_SECTOR,
        .mbr_type = entry->type,
        .active = entry->status & 0x80,
        .logical = place->record != 0,
    };
    snprintf(partition.uuid, sizeof(partition.uuid), "%08" PRIx32 "-%02x",
             le32_get(walk->mbr->signature), number);
    return walk->visit(walk->context, &partition, place, err);
}

/* The partition entries of one extended boot record, and where the next record is (0: nowhere). */
static int visit_record(struct walk *walk, const struct mbr *record, struct place *place,
                        uint64_t extended, uint64_t limit, uint64_t *ret_next, struct error **err)
{
    *ret_next = 0;
    int r = walk->visit(walk->context, NULL, place, err);
    for (unsigned slot = 0; slot < MBR_SLOTS && r == 0; slot++) {
        const struct mbr_entry *entry = &record->entries[slot];
        if (!is_used(entry))
            continue;
        if (is_extended(entry)) {
            if (*ret_next == 0) {
                *ret_next = extended + le32_get(entry->start);
                place->link_slot = slot;
            }
            continue;
        }
        struct place own = *place;
        own.slot = slot;
        r = visit_entry(walk, entry, walk->next_logical, &own, limit, err);
        walk->next_logical++;
    }
    return r;
}

static int visit_chain(struct walk *walk, unsigned extended_slot, struct error **err)
{
    const struct mbr_entry *entry = &walk->mbr->entries[extended_slot];
    uint64_t extended = le32_get(entry->start), next = extended;
    uint64_t limit = extended + le32_get(entry->sectors);
    struct place place = {.extended_slot = extended_slot};
    if (extended == 0 || limit > walk->sectors)
        return error_set(err, EINVAL, "the extended partition lies beyond the end of the disk");
    while (next != 0) {
        struct mbr record;
        struct place here = place;
        if (next < extended || next >= limit)
            return error_set(err, EINVAL,
                             "the chain of logical partitions leaves the extended "
                             "partition, at sector %" PRIu64,
                             next);
        if (++walk->records > max_records)
            return error_set(err, EINVAL, "the chain of logical partitions has no end");
        int r = mbr_sector_read(walk->block, next, &record, err);
        if (r < 0)
            return r;
        if (le16_get(record.magic) != 0xaa55)
            return error_set(err, EINVAL,
                             "the extended boot record at sector %" PRIu64 " is damaged", next);
        here.record = here.base = next;
        r = visit_record(walk, &record, &here, extended, limit, &next, err);
        if (r < 0)
            return r;
        place.link_record = here.record;
        place.link_slot = here.link_slot;
    }
    return 0;
}

static int walk_all(struct walk *walk, struct error **err)
{
    int r = 0;
    walk->sectors = walk->block->size / MBR_SECTOR;
    walk->next_logical = first_logical;
    for (unsigned slot = 0; slot < MBR_SLOTS && r == 0; slot++) {
        const struct mbr_entry *entry = &walk->mbr->entries[slot];
        const struct place place = {.slot = slot};
        if (is_used(entry) && !is_extended(entry))
            r = visit_entry(walk, entry, slot + 1, &place, walk->sectors, err);
    }
    for (unsigned slot = 0; slot < MBR_SLOTS && r == 0; slot++)
        if (is_used(&walk->mbr->entries[slot]) && is_extended(&walk->mbr->entries[slot]))
            r = visit_chain(walk, slot, err);
    return r;
}

static int add_to_table(void *context, const struct partition *partition, const struct place *place,
                        struct error **err)
{
    (void)place;
    return partition ? partition_table_add(context, partition, err) : 0;
}

int mbr_table_read(struct block *block, const struct mbr *mbr, struct partition_table *table,
                   struct error **err)
{
    struct walk walk = {
        .block = block,
        .mbr = mbr,
        .visit = add_to_table,
        .context = table,
    };
    return walk_all(&walk, err);
}

/* For growing: where the partition's entry is, and the last extended boot record on the disk. */
struct search {
    unsigned number;
    struct place found;
    uint64_t last_record;
};

static int search_place(void *context, const struct partition *partition, const struct place *place,
                        struct error **err)
{
    struct search *search = context;
    (void)err;
    if (!partition)
        search->last_record = max_u64(search->last_record, place->record);
    else if (partition->number == search->number)
        search->found = *place;
    return 0;
}

/* Cylinder, head and sector in the geometry of 255 heads and 63 sectors, which all tools assume;
 * beyond 1023 cylinders the value says "use the sector number". */
static void put_chs(uint8_t chs[static 3], uint64_t sector)
{
    enum { heads = 255, track = 63 };
    uint64_t cylinder = sector / (heads * track);
    unsigned head = (unsigned)(sector / track % heads), number = (unsigned)(sector % track) + 1;
    if (cylinder > 1023) {
        cylinder = 1023;
        head = heads - 1;
        number = track;
    }
    chs[0] = (uint8_t)head;
    chs[1] = (uint8_t)(number | (cylinder >> 2 & 0xc0));
    chs[2] = (uint8_t)cylinder;
}

/* Lets the entry in that slot of that record end at `end` (exclusive); it begins at base plus what
 * it says. All numbers are sectors. */
static int set_end(struct block *block, uint64_t record, unsigned slot, uint64_t base, uint64_t end,
                   struct error **err)
{
    struct mbr sector;
    int r = mbr_sector_read(block, record, &sector, err);
    if (r < 0)
        return r;
    struct mbr_entry *entry = &sector.entries[slot];
    uint64_t start = base + le32_get(entry->start);
    entry->sectors = le32_put((uint32_t)(end - start));
    put_chs(entry->chs_last, end - 1);
    return mbr_sector_write(block, record, &sector, err);
}

/* The enclosing entries first: whoever reads in between finds everything inside what holds it. */
static int write_logical(struct block *block, const struct mbr *mbr, const struct place *place,
                         uint64_t end, struct error **err)
{
    const struct mbr_entry *extended = &mbr->entries[place->extended_slot];
    uint64_t extended_start = le32_get(extended->start);
    int r = 0;
    if (extended_start + le32_get(extended->sectors) < end)
        r = set_end(block, 0, place->extended_slot, 0, end, err);
    if (r == 0 && place->link_record != 0)
        r = set_end(block, place->link_record, place->link_slot, extended_start, end, err);
    return r < 0 ? r : set_end(block, place->record, place->slot, place->base, end, err);
}

/* Extended partitions are not in the table of partitions, but in the way all the same. */
static int check_extended(const struct mbr *mbr, const struct partition *partition,
                          const struct search *search, struct error **err)
{
    uint64_t start = partition->start / MBR_SECTOR;
    for (unsigned slot = 0; slot < MBR_SLOTS; slot++) {
        const struct mbr_entry *entry = &mbr->entries[slot];
        if (!is_used(entry) || !is_extended(entry) ||
            (partition->logical && slot == search->found.extended_slot))
            continue;
        if ((uint64_t)le32_get(entry->start) + le32_get(entry->sectors) > start)
            return error_set(err, EINVAL, "the extended partition %u lies behind it", slot + 1);
    }
    if (search->last_record > start)
        return error_set(err, EINVAL, "the table of another logical partition lies behind it");
    return 0;
}

int mbr_partition_grow(struct block *block, const struct mbr *mbr,
                       const struct partition *partition, uint64_t *ret_length, struct error **err)
{
    struct search search = {.number = partition->number};
    struct walk walk = {
        .block = block,
        .mbr = mbr,
        .visit = search_place,
        .context = &search,
    };
    int r = walk_all(&walk, err);
    if (r == 0)
        r = check_extended(mbr, partition, &search, err);
    if (r < 0)
        return r;
    uint64_t start = partition->start / MBR_SECTOR;
    uint64_t first =
        partition->logical ? le32_get(mbr->entries[search.found.extended_slot].start) : start;
    uint64_t end = round_down(block->size, PARTITION_ALIGN) / MBR_SECTOR;
    /* Lengths have 32 bits. The limit stays aligned where the start is. */
    end = min_u64(end, first + round_down(UINT32_MAX, PARTITION_ALIGN / MBR_SECTOR));
    if (end > start + partition->length / MBR_SECTOR) {
        r = partition->logical ? write_logical(block, mbr, &search.found, end, err)
                               : set_end(block, 0, search.found.slot, 0, end, err);
        if (r < 0)
            return r;
        *ret_length = (end - start) * MBR_SECTOR;
    } else {
        *ret_length = partition->length;
    }
    return 0;
}
