/*
 * Partition tables: MBR with logical partitions, and GPT (UEFI specification 2.10, section 5).
 * Everything read from the disk is checked: overlaps of a partition with the table itself, ranges
 * beyond the disk, loops in the chain of logical partitions, entry sizes and counts.
 */
#pragma once

#include "image/block.h"

enum partition_scheme {
    PARTITION_NONE, /* no table: a file system may cover the whole disk */
    PARTITION_MBR,
    PARTITION_GPT,
};

struct partition {
    unsigned number;     /* as Linux numbers it, 1-based: the 3 of /dev/sda3 */
    uint64_t start;      /* bytes */
    uint64_t length;     /* bytes */
    uint8_t mbr_type;    /* MBR only */
    bool active;         /* MBR only: the boot flag */
    bool logical;        /* MBR only: inside an extended partition */
    char type_guid[37];  /* GPT only: lower-case text, else "" */
    char uuid[37];       /* the partition's own (PARTUUID): GUID, or "xxxxxxxx-nn" for MBR */
    char label[109];     /* GPT partition name in UTF-8 (at most 36 UTF-16 units), printable */
    uint64_t attributes; /* GPT only: the bits of the UEFI specification 2.10, table 5-8 */
};

struct partition_table {
    enum partition_scheme scheme;
    uint32_t sector_size;    /* 512; 4096 for a GPT of a disk with such sectors */
    struct partition *items; /* by number. The extended partition of an MBR is not among them */
    size_t count;
};

/* A disk without a table gives PARTITION_NONE and no items. A damaged primary GPT falls back to the
 * backup one; both damaged is -EINVAL. Partitions that overlap each other are not refused here (the
 * hybrid tables of installation media have them), but by partition_grow(). Free with
 * partition_table_free(). */
int partition_table_read(struct block *block, struct partition_table *ret, struct error **err);
void partition_table_free(struct partition_table *table);
#define _cleanup_partition_table_ _cleanup_(partition_table_free)

const struct partition *partition_find(const struct partition_table *table, unsigned number);

/* The partition with the highest end on the disk; NULL when there is none. */
const struct partition *partition_last(const struct partition_table *table);

/*
 * Lets partition `number` reach the end of the disk (less GPT's backup table, 1 MiB-aligned), and
 * rewrites the table: primary and backup GPT with fresh CRCs, the backup moved to the disk's new
 * end, or the MBR entry (and the extended partition around a logical one). *ret_length: its new
 * length. Number, type, UUID and start stay. A partition that is not the last one on the disk is
 * -EINVAL with the reason; one that cannot get larger keeps its length.
 */
int partition_grow(struct block *block, unsigned number, uint64_t *ret_length, struct error **err);
