/* Empty qcow2 overlays: a header, a refcount table with one block, and an L1 table of zeroes. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "image/qcow2.h"
#include "image/qcow2_format.h"
#include "image/sparse.h"

enum {
    cluster_bits = 16,
    cluster = 1 << cluster_bits,
    sector = 512,
    refcount_order = 4, /* 16-bit reference counts */
    refcount_table_at = 1 * cluster,
    refcount_block_at = 2 * cluster,
    l1_at = 3 * cluster,
};

/* The first cluster: the header, its one extension, and behind that the name. */
struct head {
    struct qcow2_disk_header header;
    struct qcow2_disk_extension format;
    char format_name[QCOW2_MAX_FORMAT_NAME + 1];
    char more[sizeof(struct qcow2_disk_extension) + QCOW2_MAX_BACKING_NAME];
};

static uint32_t l1_entries(uint64_t size)
{
    unsigned covered_bits = 2 * cluster_bits - 3;
    return (uint32_t)((size + (UINT64_C(1) << covered_bits) - 1) >> covered_bits);
}

static int check_request(const char *name, uint64_t size, const char *backing_file,
                         const char *backing_format, struct error **err)
{
    size_t length = strlen(backing_file);
    if (size > ((uint64_t)QCOW2_MAX_L1_ENTRIES << (2 * cluster_bits - 3)))
        return error_set(err, EFBIG, "%s: %" PRIu64 " bytes are more than qcow2 can have", name,
                         size);
    if (length == 0 || length > QCOW2_MAX_BACKING_NAME)
        return error_set(err, ENAMETOOLONG,
                         "%s: the path of a backing file must have 1 to %d bytes", name,
                         QCOW2_MAX_BACKING_NAME);
    if (backing_format[0] == '\0' || strlen(backing_format) > QCOW2_MAX_FORMAT_NAME)
        return error_set(err, EINVAL, "%s: '%s' is not a format for a backing file", name,
                         backing_format);
    return 0;
}

static size_t fill_head(struct head *head, uint64_t size, const char *backing_file,
                        const char *backing_format)
{
    size_t format_length = strlen(backing_format), name_length = strlen(backing_file);
    size_t extension_end = offsetof(struct head, format_name) + round_up(format_length, 8);
    /* The extension that ends the list is all zero, as the rest of the head is already. */
    size_t name_at = extension_end + sizeof(struct qcow2_disk_extension);
    head->header = (struct qcow2_disk_header){
        .magic = be32_put(QCOW2_MAGIC),
        .version = be32_put(3),
        .backing_offset = be64_put(name_at),
        .backing_length = be32_put((uint32_t)name_length),
        .cluster_bits = be32_put(cluster_bits),
        .size = be64_put(size),
        .l1_size = be32_put(l1_entries(size)),
        .l1_offset = be64_put(l1_at),
        .refcount_table_offset = be64_put(refcount_table_at),
        .refcount_table_clusters = be32_put(1),
        .refcount_order = be32_put(refcount_order),
        .header_length = be32_put(sizeof(head->header)),
    };
    head->format.type = be32_put(QCOW2_EXTENSION_BACKING_FORMAT);
    head->format.length = be32_put((uint32_t)format_length);
    memcpy(head->format_name, backing_format, format_length);
    memcpy((char *)head + name_at, backing_file, name_length);
    return name_at + name_length;
}

int qcow2_create_overlay(int fd, const char *name, uint64_t size, const char *backing_file,
                         const char *backing_format, struct error **err)
{
    struct head head = {0};
    be16_t refcounts[3 + (QCOW2_MAX_L1_ENTRIES * 8) / cluster] = {0};
    be64_t table = be64_put(refcount_block_at);
    int r = check_request(name, size, backing_file, backing_format, err);
    if (r == 0)
        r = sparse_check_empty(fd, name, err);
    if (r < 0)
        return r;
    size = round_up(size, sector);
    size_t head_length = fill_head(&head, size, backing_file, backing_format);
    uint64_t clusters = 3 + (round_up((uint64_t)l1_entries(size) * 8, cluster) >> cluster_bits);
    for (size_t i = 0; i < clusters; i++)
        refcounts[i] = be16_put(1);
    r = sparse_finish(fd, clusters << cluster_bits, name, err);
    if (r == 0)
        r = fd_pwrite_full(fd, &table, sizeof(table), refcount_table_at, name, err);
    if (r == 0)
        r = fd_pwrite_full(fd, refcounts, clusters * sizeof(refcounts[0]), refcount_block_at, name,
                           err);
    return r < 0 ? r : fd_pwrite_full(fd, &head, head_length, 0, name, err);
}
