/* What the kinds of partition tables share with image/partition.c. Internal to image/. */
#pragma once

#include "base/endian.h"
#include "image/partition.h"

enum { MBR_SECTOR = 512, MBR_SLOTS = 4, MBR_TYPE_PROTECTIVE = 0xee };

/* Growth ends at a multiple of this, as all partitioning tools align. */
#define PARTITION_ALIGN (UINT64_C(1) << 20)

struct mbr_entry {
    uint8_t status; /* 0x80: active */
    uint8_t chs_first[3];
    uint8_t type; /* 0: unused */
    uint8_t chs_last[3];
    le32_t start; /* sectors */
    le32_t sectors;
};
_Static_assert(sizeof(struct mbr_entry) == 16, "MBR entry");

/* The first sector of a disk, and of each extended boot record. */
struct mbr {
    uint8_t code[440];
    le32_t signature;
    le16_t reserved;
    struct mbr_entry entries[MBR_SLOTS];
    le16_t magic; /* 0xaa55 */
};
_Static_assert(sizeof(struct mbr) == MBR_SECTOR, "MBR");
_Static_assert(offsetof(struct mbr, entries) == 446, "MBR");

int mbr_sector_read(struct block *block, uint64_t sector, struct mbr *ret, struct error **err);
int mbr_sector_write(struct block *block, uint64_t sector, const struct mbr *mbr,
                     struct error **err);

/* Adds a copy of item. */
int partition_table_add(struct partition_table *table, const struct partition *item,
                        struct error **err);

int mbr_table_read(struct block *block, const struct mbr *mbr, struct partition_table *table,
                   struct error **err);
int mbr_partition_grow(struct block *block, const struct mbr *mbr,
                       const struct partition *partition, uint64_t *ret_length, struct error **err);

int gpt_table_read(struct block *block, const struct mbr *mbr, struct partition_table *table,
                   struct error **err);
int gpt_partition_grow(struct block *block, const struct mbr *mbr,
                       const struct partition *partition, uint64_t *ret_length, struct error **err);
