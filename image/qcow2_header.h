/* The header of a qcow2 image, checked. Internal to image/. */
#pragma once

#include "image/block.h"

/* What is left of the header behind the gate: all of it is safe to compute with. */
struct qcow2_header {
    uint32_t version;      /* 2 or 3 */
    unsigned cluster_bits; /* 9..21 */
    uint64_t size;         /* the disk's, at most INT64_MAX */
    uint32_t l1_size;      /* entries, enough for `size` */
    uint64_t l1_offset;    /* cluster-aligned; the whole table is within the file */
    bool dirty;            /* not closed in order: its refcounts may be wrong */
    bool extended_l2;      /* L2 entries with subclusters */
    bool zstd;             /* what compressed clusters are compressed with; else deflate */
    char *backing_file;    /* NULL: none. Valid UTF-8 or not, but without control characters */
    char *backing_format;  /* NULL: not stated */
};

/* Reads and checks the header of the image that lies in `file`. Refusals are -EINVAL, features that
 * are not served -ENOTSUP, an external data file -EUNTRUSTED. Free with qcow2_header_free(). */
int qcow2_header_read(struct block *file, struct qcow2_header *ret, struct error **err);
void qcow2_header_free(struct qcow2_header *header);
#define _cleanup_qcow2_header_ _cleanup_(qcow2_header_free)
