#include "image/partition.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "image/partition_kinds.h"

/* More than any kernel gives device numbers to; also keeps hostile tables small. */
enum { max_partitions = 1024 };

int mbr_sector_read(struct block *block, uint64_t sector, struct mbr *ret, struct error **err)
{
    return block_pread(block, ret, sizeof(*ret), sector * MBR_SECTOR, err);
}

int mbr_sector_write(struct block *block, uint64_t sector, const struct mbr *mbr,
                     struct error **err)
{
    return block_pwrite(block, mbr, sizeof(*mbr), sector * MBR_SECTOR, err);
}

int partition_table_add(struct partition_table *table, const struct partition *item,
                        struct error **err)
{
    if (table->count >= max_partitions)
        return error_set(err, EINVAL, "the partition table has more than %d partitions",
                         max_partitions);
    struct partition *items = reallocarray(table->items, table->count + 1, sizeof(*table->items));
    if (!items)
        return error_oom(err);
    items[table->count++] = *item;
    table->items = items;
    return 0;
}

/* A file system that covers the whole disk has the 0xaa55 of an MBR too, but code or text where an
 * MBR has its entries. */
static bool is_boot_sector_of_filesystem(const struct mbr *mbr)
{
    bool jump = mbr->code[0] == 0xe9 || (mbr->code[0] == 0xeb && mbr->code[2] == 0x90);
    bool used = false;
    for (size_t i = 0; i < MBR_SLOTS; i++) {
        if (mbr->entries[i].status != 0 && mbr->entries[i].status != 0x80)
            return true;
        used = used || mbr->entries[i].type != 0;
    }
    if (!jump)
        return false;
    return !used || memcmp(mbr->code + 3, "NTFS    ", 8) == 0 ||
           memcmp(mbr->code + 54, "FAT", 3) == 0 || memcmp(mbr->code + 82, "FAT32", 5) == 0;
}

static enum partition_scheme scheme_of(const struct mbr *mbr)
{
    if (le16_get(mbr->magic) != 0xaa55)
        return PARTITION_NONE;
    for (size_t i = 0; i < MBR_SLOTS; i++)
        if (mbr->entries[i].type == MBR_TYPE_PROTECTIVE)
            return PARTITION_GPT;
    return is_boot_sector_of_filesystem(mbr) ? PARTITION_NONE : PARTITION_MBR;
}

static int read_table(struct block *block, struct mbr *ret_mbr, struct partition_table *ret,
                      struct error **err)
{
    _cleanup_partition_table_ struct partition_table table = {.sector_size = MBR_SECTOR};
    int r = 0;
    if (block->size >= MBR_SECTOR) {
        r = mbr_sector_read(block, 0, ret_mbr, err);
        if (r < 0)
            return r;
        table.scheme = scheme_of(ret_mbr);
    }
    if (table.scheme == PARTITION_MBR)
        r = mbr_table_read(block, ret_mbr, &table, err);
    else if (table.scheme == PARTITION_GPT)
        r = gpt_table_read(block, ret_mbr, &table, err);
    if (r < 0) {
        error_wrap(err, "%s", block->name);
        return r;
    }
    *ret = table;
    table = (struct partition_table){0};
    return 0;
}

int partition_table_read(struct block *block, struct partition_table *ret, struct error **err)
{
    struct mbr mbr;
    return read_table(block, &mbr, ret, err);
}

void partition_table_free(struct partition_table *table)
{
    free(table->items);
    *table = (struct partition_table){0};
}

const struct partition *partition_find(const struct partition_table *table, unsigned number)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->items[i].number == number)
            return &table->items[i];
    return NULL;
}

const struct partition *partition_last(const struct partition_table *table)
{
    const struct partition *last = NULL;
    for (size_t i = 0; i < table->count; i++) {
        const struct partition *item = &table->items[i];
        if (!last || item->start + item->length > last->start + last->length)
            last = item;
    }
    return last;
}

/* What keeps `own` from growing: anything else that reaches beyond its start. */
static int check_last(const struct partition_table *table, const struct partition *own,
                      struct error **err)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct partition *other = &table->items[i];
        if (other->number == own->number || other->start + other->length <= own->start)
            continue;
        if (other->start < own->start + own->length)
            return error_set(err, EINVAL, "it overlaps partition %u", other->number);
        int r = error_set(err, EINVAL, "partition %u lies behind it", other->number);
        error_hint(err, "only the last partition on the disk can grow: that is %u",
                   partition_last(table)->number);
        return r;
    }
    return 0;
}

int partition_grow(struct block *block, unsigned number, uint64_t *ret_length, struct error **err)
{
    _cleanup_partition_table_ struct partition_table table = {0};
    struct mbr mbr;
    int r = read_table(block, &mbr, &table, err);
    if (r < 0)
        return r;
    if (table.scheme == PARTITION_NONE)
        return error_set(err, EINVAL, "%s: has no partition table", block->name);
    const struct partition *partition = partition_find(&table, number);
    if (!partition)
        return error_set(err, EINVAL, "%s: has no partition %u", block->name, number);
    r = check_last(&table, partition, err);
    if (r == 0)
        r = table.scheme == PARTITION_MBR
                ? mbr_partition_grow(block, &mbr, partition, ret_length, err)
                : gpt_partition_grow(block, &mbr, partition, ret_length, err);
    if (r < 0)
        error_wrap(err, "%s: partition %u cannot grow", block->name, number);
    return r;
}
