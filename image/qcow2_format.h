/* What qcow2 looks like on disk (QEMU docs/interop/qcow2.txt). Internal to image/. */
#pragma once

#include <stddef.h>

#include "base/endian.h"

#define QCOW2_MAGIC 0x514649fb /* "QFI\xfb" */

/* The limits of QEMU itself. */
enum {
    QCOW2_MIN_CLUSTER_BITS = 9,
    QCOW2_MAX_CLUSTER_BITS = 21,
    QCOW2_MAX_L1_ENTRIES = (32 << 20) / 8,
    QCOW2_MAX_REFCOUNT_TABLE = 8 << 20,
    QCOW2_MAX_SNAPSHOTS = 65536,
    QCOW2_MAX_BACKING_NAME = 1023,
    QCOW2_MAX_FORMAT_NAME = 15,
};

/* Lengths of the header's fixed part. */
enum { QCOW2_HEADER_V2 = 72, QCOW2_HEADER_V3 = 104 };

/* Bits of the incompatible features. */
enum {
    QCOW2_FEATURE_DIRTY = 1 << 0,
    QCOW2_FEATURE_CORRUPT = 1 << 1,
    QCOW2_FEATURE_DATA_FILE = 1 << 2,
    QCOW2_FEATURE_COMPRESSION = 1 << 3,
    QCOW2_FEATURE_EXTENDED_L2 = 1 << 4,
};

#define QCOW2_EXTENSION_END            0x00000000
#define QCOW2_EXTENSION_BACKING_FORMAT 0xe2792aca
#define QCOW2_EXTENSION_FEATURES       0x6803f857

/* L1 and L2 entries. */
#define QCOW2_OFFSET_MASK   UINT64_C(0x00fffffffffffe00)
#define QCOW2_L2_ZERO       UINT64_C(0x0000000000000001)
#define QCOW2_L2_COMPRESSED UINT64_C(0x4000000000000000)

struct qcow2_disk_header {
    be32_t magic;
    be32_t version;
    be64_t backing_offset;
    be32_t backing_length;
    be32_t cluster_bits;
    be64_t size;
    be32_t crypt_method;
    be32_t l1_size;
    be64_t l1_offset;
    be64_t refcount_table_offset;
    be32_t refcount_table_clusters;
    be32_t snapshot_count;
    be64_t snapshots_offset;
    /* Version 3 from here. */
    be64_t incompatible;
    be64_t compatible;
    be64_t autoclear;
    be32_t refcount_order;
    be32_t header_length;
    uint8_t compression_type;
    uint8_t padding[7];
};
_Static_assert(offsetof(struct qcow2_disk_header, l1_offset) == 40, "qcow2 header");
_Static_assert(offsetof(struct qcow2_disk_header, incompatible) == QCOW2_HEADER_V2, "version 2");
_Static_assert(offsetof(struct qcow2_disk_header, compression_type) == QCOW2_HEADER_V3,
               "version 3");
_Static_assert(sizeof(struct qcow2_disk_header) == 112, "qcow2 header");

struct qcow2_disk_extension {
    be32_t type;
    be32_t length;
};
_Static_assert(sizeof(struct qcow2_disk_extension) == 8, "qcow2 header extension");
