/* The qcow2 reader: from an offset of the disk to where its bytes are. */

#include "image/qcow2.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "image/image.h"
#include "image/qcow2_format.h"
#include "image/qcow2_header.h"
#include "image/qcow2_inflate.h"

/* Tables are read and kept in slices: with 64 KiB clusters one slice of an L2 table maps 32 MiB,
 * all slots together 2 GiB. The L1 table has a slot of its own. */
enum { slice_max = 4096, l2_slots = 64, l1_slot = l2_slots, all_slots };

struct slice {
    uint64_t offset; /* in the file; UINT64_MAX: empty */
    uint8_t bytes[slice_max];
};

struct qcow2 {
    struct block block;
    struct block *file;
    struct block *backing; /* NULL: none */
    unsigned cluster_bits;
    uint32_t l1_size;
    uint64_t l1_offset;
    bool version2;
    bool zstd;
    struct slice *slices;
    /* The compressed cluster that was expanded last; the buffers come with the first one. */
    uint64_t expanded_entry; /* 0: none */
    uint8_t *expanded;
    uint8_t *compressed;
};

enum cluster_kind { CLUSTER_UNALLOCATED, CLUSTER_ZERO, CLUSTER_PLAIN, CLUSTER_COMPRESSED };

/* What a run of the disk is made of. */
struct mapping {
    enum cluster_kind kind;
    uint64_t host;   /* PLAIN: where the run begins in the file. COMPRESSED: the L2 entry */
    uint64_t length; /* bytes of the disk */
};

static uint64_t cluster_size(const struct qcow2 *q)
{
    return UINT64_C(1) << q->cluster_bits;
}

static int damaged(const struct qcow2 *q, struct error **err, const char *what, uint64_t offset)
{
    int r = error_set(err, EIO, "%s: damaged qcow2 image: %s at offset %" PRIu64 " of the disk",
                      q->block.name, what, offset);
    error_hint(err, "copy or fetch it again; qemu-img check IMAGE tells what is wrong");
    return r;
}

/* One big-endian entry of a table. The caller has made sure that it lies within the file. */
static int read_entry(struct qcow2 *q, uint64_t at, struct slice *slot, uint64_t *ret,
                      struct error **err)
{
    uint64_t size = min_u64(slice_max, cluster_size(q));
    uint64_t offset = round_down(at, size);
    be64_t entry;
    if (slot->offset != offset) {
        size_t have = (size_t)min_u64(size, q->file->size - offset);
        slot->offset = UINT64_MAX;
        int r = block_pread(q->file, slot->bytes, have, offset, err);
        if (r < 0)
            return r;
        slot->offset = offset;
    }
    memcpy(&entry, slot->bytes + (at - offset), sizeof(entry));
    *ret = be64_get(entry);
    return 0;
}

/* *ret: where the L2 table for this offset lies, 0: there is none. */
static int find_l2(struct qcow2 *q, uint64_t offset, uint64_t *ret, struct error **err)
{
    uint64_t index = offset >> (2 * q->cluster_bits - 3), entry = 0;
    assert(index < q->l1_size);
    int r = read_entry(q, q->l1_offset + index * 8, &q->slices[l1_slot], &entry, err);
    if (r < 0)
        return r;
    uint64_t table = entry & QCOW2_OFFSET_MASK;
    if (table & (cluster_size(q) - 1))
        return damaged(q, err, "a misaligned L2 table", offset);
    if (!range_within(table, table ? cluster_size(q) : 0, q->file->size))
        return damaged(q, err, "an L2 table beyond the end of the file", offset);
    *ret = table;
    return 0;
}

static int classify(const struct qcow2 *q, uint64_t entry, uint64_t offset, struct mapping *ret,
                    struct error **err)
{
    uint64_t host = entry & QCOW2_OFFSET_MASK;
    *ret = (struct mapping){.kind = CLUSTER_UNALLOCATED};
    if (entry & QCOW2_L2_COMPRESSED) {
        *ret = (struct mapping){.kind = CLUSTER_COMPRESSED, .host = entry};
        return 0;
    }
    if (entry & QCOW2_L2_ZERO) {
        if (q->version2)
            return damaged(q, err, "a zero cluster, which version 2 does not have,", offset);
        ret->kind = CLUSTER_ZERO;
        return 0;
    }
    if (host == 0)
        return 0;
    if (host & (cluster_size(q) - 1))
        return damaged(q, err, "a misaligned cluster", offset);
    /* The last cluster of the file may be cut where the rest is zero; none begins behind it. */
    if (host >= q->file->size)
        return damaged(q, err, "a cluster beyond the end of the file", offset);
    *ret = (struct mapping){.kind = CLUSTER_PLAIN, .host = host};
    return 0;
}

/* Whether the cluster after the run `so_far` continues it. */
static bool continues(const struct mapping *so_far, const struct mapping *next)
{
    if (so_far->kind != next->kind || so_far->kind == CLUSTER_COMPRESSED)
        return false;
    return so_far->kind != CLUSTER_PLAIN || so_far->host + so_far->length == next->host;
}

static int read_l2_entry(struct qcow2 *q, uint64_t table, uint64_t offset, struct mapping *ret,
                         struct error **err)
{
    uint64_t index = (offset >> q->cluster_bits) & (cluster_size(q) / 8 - 1), entry = 0;
    uint64_t at = table + index * 8;
    uint64_t slice = at / min_u64(slice_max, cluster_size(q));
    int r = read_entry(q, at, &q->slices[slice % l2_slots], &entry, err);
    return r < 0 ? r : classify(q, entry, offset, ret, err);
}

/* Maps what begins at offset, up to `length` bytes and not beyond what one L2 table covers. */
static int map(struct qcow2 *q, uint64_t offset, uint64_t length, struct mapping *ret,
               struct error **err)
{
    uint64_t covered = UINT64_C(1) << (2 * q->cluster_bits - 3), table = 0;
    uint64_t limit = min_u64(length, covered - (offset & (covered - 1)));
    int r = find_l2(q, offset, &table, err);
    if (r < 0)
        return r;
    if (table == 0) {
        *ret = (struct mapping){.kind = CLUSTER_UNALLOCATED, .length = limit};
        return 0;
    }
    uint64_t inside = offset & (cluster_size(q) - 1);
    struct mapping run, next;
    r = read_l2_entry(q, table, offset, &run, err);
    if (r < 0)
        return r;
    run.length = cluster_size(q);
    while (run.length - inside < limit) {
        r = read_l2_entry(q, table, offset - inside + run.length, &next, err);
        if (r < 0)
            return r;
        if (!continues(&run, &next))
            break;
        run.length += cluster_size(q);
    }
    if (run.kind == CLUSTER_PLAIN)
        run.host += inside;
    run.length = min_u64(run.length - inside, limit);
    *ret = run;
    return 0;
}

static int read_plain(struct qcow2 *q, uint8_t *buf, const struct mapping *run, struct error **err)
{
    size_t have =
        run->host >= q->file->size ? 0 : (size_t)min_u64(run->length, q->file->size - run->host);
    memset(buf + have, 0, (size_t)run->length - have);
    return block_pread(q->file, buf, have, run->host, err);
}

/* Makes q->expanded the cluster of a compressed L2 entry. */
static int expand(struct qcow2 *q, uint64_t entry, uint64_t offset, struct error **err)
{
    /* The spec's "x": below it lies the byte offset, above it a count of 512-byte sectors. */
    unsigned x = 62 - (q->cluster_bits - 8);
    uint64_t host = entry & ((UINT64_C(1) << x) - 1);
    uint64_t sectors = ((entry & (QCOW2_L2_COMPRESSED - 1)) >> x) + 1;
    uint64_t length = sectors * 512 - (host & 511);
    if (entry == q->expanded_entry)
        return 0;
    if (host == 0 || host >= q->file->size)
        return damaged(q, err, "a compressed cluster beyond the end of the file", offset);
    /* The sector count is rounded up, the file need not be. */
    length = min_u64(length, q->file->size - host);
    if (!q->expanded)
        q->expanded = malloc(cluster_size(q));
    if (!q->compressed)
        q->compressed = malloc(2 * cluster_size(q));
    if (!q->expanded || !q->compressed)
        return error_oom(err);
    assert(length <= 2 * cluster_size(q));
    q->expanded_entry = 0;
    int r = block_pread(q->file, q->compressed, (size_t)length, host, err);
    if (r < 0)
        return r;
    r = qcow2_inflate(q->zstd, q->compressed, (size_t)length, q->expanded, cluster_size(q));
    if (r == -ENOMEM)
        return error_oom(err);
    if (r < 0)
        return damaged(q, err, "a compressed cluster that cannot be expanded", offset);
    q->expanded_entry = entry;
    return 0;
}

static int read_backing(struct qcow2 *q, uint8_t *buf, uint64_t length, uint64_t offset,
                        struct error **err)
{
    uint64_t size = q->backing ? q->backing->size : 0;
    size_t have = offset >= size ? 0 : (size_t)min_u64(length, size - offset);
    memset(buf + have, 0, (size_t)length - have);
    return have ? block_pread(q->backing, buf, have, offset, err) : 0;
}

static int read_run(struct qcow2 *q, uint8_t *buf, const struct mapping *run, uint64_t offset,
                    struct error **err)
{
    int r;
    switch (run->kind) {
    case CLUSTER_PLAIN:
        return read_plain(q, buf, run, err);
    case CLUSTER_COMPRESSED:
        r = expand(q, run->host, offset, err);
        if (r == 0)
            memcpy(buf, q->expanded + (offset & (cluster_size(q) - 1)), (size_t)run->length);
        return r;
    case CLUSTER_UNALLOCATED:
        return read_backing(q, buf, run->length, offset, err);
    case CLUSTER_ZERO:
        break;
    }
    memset(buf, 0, (size_t)run->length);
    return 0;
}

static int qcow2_pread(struct block *block, void *buf, size_t count, uint64_t offset,
                       struct error **err)
{
    struct qcow2 *q = (struct qcow2 *)block;
    for (uint8_t *out = buf; count > 0;) {
        struct mapping run;
        int r = map(q, offset, count, &run, err);
        if (r == 0)
            r = read_run(q, out, &run, offset, err);
        if (r < 0)
            return r;
        out += run.length;
        offset += run.length;
        count -= (size_t)run.length;
    }
    return 0;
}

/* The state of what begins at offset, as far as one mapping goes. */
static int state_of(struct qcow2 *q, uint64_t offset, uint64_t length, enum block_state *ret,
                    uint64_t *ret_length, struct error **err)
{
    struct mapping run;
    int r = map(q, offset, length, &run, err);
    if (r < 0)
        return r;
    uint64_t below = q->backing ? q->backing->size : 0;
    if (run.kind == CLUSTER_UNALLOCATED && offset < below)
        return block_extent(q->backing, offset, min_u64(run.length, below - offset), ret,
                            ret_length, err);
    *ret = run.kind == CLUSTER_UNALLOCATED || run.kind == CLUSTER_ZERO ? BLOCK_ZERO : BLOCK_DATA;
    *ret_length = run.length;
    return 0;
}

static int qcow2_extent(struct block *block, uint64_t offset, uint64_t length,
                        enum block_state *ret, uint64_t *ret_length, struct error **err)
{
    struct qcow2 *q = (struct qcow2 *)block;
    enum block_state state = BLOCK_DATA;
    uint64_t total = 0;
    while (total < length) {
        enum block_state next;
        uint64_t run;
        int r = state_of(q, offset + total, length - total, &next, &run, err);
        if (r < 0)
            return r;
        if (total > 0 && next != state)
            break;
        state = next;
        total += run;
    }
    *ret = state;
    *ret_length = total;
    return 0;
}

int qcow2_next_own(struct block *block, uint64_t from, uint64_t *ret_offset, uint64_t *ret_length,
                   bool *ret_zero, struct error **err)
{
    struct mapping run;
    *ret_length = 0;
    for (; from < block->size; from += run.length) {
        int r = map((struct qcow2 *)block, from, block->size - from, &run, err);
        if (r < 0)
            return r;
        if (run.kind == CLUSTER_UNALLOCATED)
            continue;
        *ret_offset = from;
        *ret_length = run.length;
        *ret_zero = run.kind == CLUSTER_ZERO;
        return 0;
    }
    return 0;
}

static void qcow2_close(struct block *block)
{
    struct qcow2 *q = (struct qcow2 *)block;
    block_close(q->file);
    block_close(q->backing);
    free(q->slices);
    free(q->expanded);
    free(q->compressed);
}

static const struct block_ops qcow2_ops = {
    .name = "qcow2",
    .pread = qcow2_pread,
    .extent = qcow2_extent,
    .close = qcow2_close,
};

static int set_up(struct qcow2 *q, const struct qcow2_header *header, const char *path,
                  struct error **err)
{
    q->block.size = header->size;
    q->cluster_bits = header->cluster_bits;
    q->l1_size = header->l1_size;
    q->l1_offset = header->l1_offset;
    q->version2 = header->version == 2;
    q->zstd = header->zstd;
    q->block.name = strdup(path);
    q->slices = malloc(all_slots * sizeof(*q->slices));
    if (!q->block.name || !q->slices)
        return error_oom(err);
    for (size_t i = 0; i < all_slots; i++)
        q->slices[i].offset = UINT64_MAX;
    return 0;
}

/* What the header requires, and this reader does not support. */
static int check_served(const struct qcow2_header *header, const struct block *backing,
                        const char *path, struct error **err)
{
    if (header->extended_l2)
        return error_set(err, ENOTSUP, "%s: the qcow2 image uses extended L2 entries (subclusters)",
                         path);
    if (header->backing_file && !backing)
        return error_set(err, EINVAL, "%s: its backing file is not open", path);
    return 0;
}

int qcow2_open(int fd, const char *path, struct block *backing, struct block **ret,
               struct error **err)
{
    _cleanup_qcow2_header_ struct qcow2_header header = {0};
    _cleanup_block_ struct block *below = backing, *file = NULL, *block = NULL;
    int r = block_from_fd(fd, path, false, &file, err);
    if (r == 0)
        r = qcow2_header_read(file, &header, err);
    if (r == 0)
        r = check_served(&header, below, path, err);
    if (r < 0)
        return r;
    struct qcow2 *q = calloc(1, sizeof(*q));
    if (!q)
        return error_oom(err);
    block = &q->block;
    block->ops = &qcow2_ops;
    q->file = TAKE_PTR(file);
    q->backing = TAKE_PTR(below);
    r = set_up(q, &header, path, err);
    if (r == 0)
        r = qcow2_inflate_begin(err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(block);
    return 0;
}
