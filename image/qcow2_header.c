#include "image/qcow2_header.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "base/str.h"
#include "image/qcow2_format.h"

static int refuse(const struct block *file, struct error **err, const char *what)
{
    return error_set(err, EINVAL, "%s: damaged qcow2 header: %s", file->name, what);
}

/* QEMU would open whatever file the header names, and write to it. */
static int refuse_data_file(const struct block *file, struct error **err)
{
    error_set(err, EUNTRUSTED, "%s: the qcow2 image keeps its data in another file", file->name);
    return error_hint(err, "if you trust it, convert it: qemu-img convert -O qcow2 OLD NEW");
}

static int not_served(const struct block *file, struct error **err, const char *what)
{
    int r = error_set(err, ENOTSUP, "%s: the qcow2 image uses %s, which kiln does not read",
                      file->name, what);
    error_hint(err, "convert it: qemu-img convert -O qcow2 OLD NEW");
    return r;
}

static int check_basics(const struct block *file, const struct qcow2_disk_header *disk,
                        struct qcow2_header *header, struct error **err)
{
    uint32_t cluster_bits = be32_get(disk->cluster_bits);
    header->version = be32_get(disk->version);
    header->size = be64_get(disk->size);
    if (be32_get(disk->magic) != QCOW2_MAGIC)
        return error_set(err, EINVAL, "%s: is not a qcow2 image", file->name);
    if (header->version == 1)
        return not_served(file, err, "the old qcow format (version 1)");
    if (header->version < 2 || header->version > 3)
        return error_set(err, ENOTSUP, "%s: qcow2 version %" PRIu32 " is not known (only 2 and 3)",
                         file->name, header->version);
    if (cluster_bits < QCOW2_MIN_CLUSTER_BITS || cluster_bits > QCOW2_MAX_CLUSTER_BITS)
        return error_set(err, EINVAL,
                         "%s: damaged qcow2 header: clusters of 2^%" PRIu32
                         " bytes (512 bytes to 2 MiB are possible)",
                         file->name, cluster_bits);
    header->cluster_bits = cluster_bits;
    if (header->size > INT64_MAX - (UINT64_C(1) << cluster_bits))
        return error_set(err, EINVAL,
                         "%s: damaged qcow2 header: a disk of %" PRIu64 " bytes is not possible",
                         file->name, header->size);
    if (be32_get(disk->crypt_method) == 1)
        return not_served(file, err, "AES encryption");
    if (be32_get(disk->crypt_method) == 2)
        return not_served(file, err, "LUKS encryption");
    if (be32_get(disk->crypt_method) != 0)
        return refuse(file, err, "an unknown encryption method");
    return 0;
}

static int check_l1(const struct block *file, const struct qcow2_disk_header *disk,
                    struct qcow2_header *header, struct error **err)
{
    /* One L2 table is a cluster of entries of 8 or 16 bytes, each for one cluster of the disk. */
    unsigned covered_bits = 2 * header->cluster_bits - (header->extended_l2 ? 4 : 3);
    uint64_t needed = (header->size + (UINT64_C(1) << covered_bits) - 1) >> covered_bits;
    header->l1_size = be32_get(disk->l1_size);
    header->l1_offset = be64_get(disk->l1_offset);
    if (header->l1_size > QCOW2_MAX_L1_ENTRIES)
        return refuse(file, err, "the L1 table is larger than 32 MiB");
    if (header->l1_size < needed)
        return refuse(file, err, "the L1 table is too small for the disk");
    if (header->l1_size == 0)
        return 0;
    if (header->l1_offset & ((UINT64_C(1) << header->cluster_bits) - 1))
        return refuse(file, err, "the L1 table is not aligned to a cluster");
    if (header->l1_offset == 0)
        return refuse(file, err, "the L1 table overlaps the header");
    if (!range_within(header->l1_offset, (uint64_t)header->l1_size * 8, file->size))
        return refuse(file, err, "the L1 table lies beyond the end of the file");
    return 0;
}

/* Reading needs no reference counts, but a header with wrong ones is treated as damaged. */
static int check_refcounts(const struct block *file, const struct qcow2_disk_header *disk,
                           const struct qcow2_header *header, struct error **err)
{
    uint64_t offset = be64_get(disk->refcount_table_offset);
    uint64_t length = (uint64_t)be32_get(disk->refcount_table_clusters) << header->cluster_bits;
    uint64_t l1_length = (uint64_t)header->l1_size * 8;
    if (length == 0)
        return refuse(file, err, "there is no refcount table");
    if (length > max_u64(QCOW2_MAX_REFCOUNT_TABLE, UINT64_C(1) << header->cluster_bits))
        return refuse(file, err, "the refcount table is larger than 8 MiB");
    if (offset & ((UINT64_C(1) << header->cluster_bits) - 1))
        return refuse(file, err, "the refcount table is not aligned to a cluster");
    if (offset == 0)
        return refuse(file, err, "the refcount table overlaps the header");
    if (offset >= file->size)
        return refuse(file, err, "the refcount table lies beyond the end of the file");
    if (l1_length > 0 && offset < header->l1_offset + l1_length &&
        header->l1_offset < offset + length)
        return refuse(file, err, "the refcount table overlaps the L1 table");
    if (be32_get(disk->snapshot_count) > QCOW2_MAX_SNAPSHOTS)
        return refuse(file, err, "more than 65536 snapshots");
    return 0;
}

/* The beginning of the image, with the extensions and the name of the backing file. */
struct head {
    const uint8_t *bytes;
    size_t size;       /* a cluster, or the file where that is smaller */
    size_t header_end; /* where the fixed fields end and the extensions begin */
    size_t names_at;   /* where the extensions end at the latest */
};

/* Finds the extension `type`; *ret points into head. NULL and 0 when there is none. Of two, QEMU
 * (qcow2_read_extensions) takes the last, other readers the first. */
static int find_extension(const struct block *file, const struct head *head, uint32_t type,
                          const uint8_t **ret, size_t *ret_length, struct error **err)
{
    size_t at = head->header_end;
    *ret = NULL;
    *ret_length = 0;
    while (head->names_at - at >= sizeof(struct qcow2_disk_extension)) {
        struct qcow2_disk_extension extension;
        memcpy(&extension, head->bytes + at, sizeof(extension));
        at += sizeof(extension);
        uint32_t length = be32_get(extension.length);
        if (be32_get(extension.type) == QCOW2_EXTENSION_END)
            return 0;
        if (length > head->names_at - at)
            return refuse(file, err, "a header extension does not fit into the first cluster");
        if (be32_get(extension.type) == type && *ret)
            return refuse(file, err, "the same header extension is there twice");
        if (be32_get(extension.type) == type) {
            *ret = head->bytes + at;
            *ret_length = length;
        }
        at += min_u64(round_up(length, 8), head->names_at - at);
    }
    return 0;
}

/* "bit 7", or the name that the image's own table has for that incompatible feature. */
static int unknown_feature(const struct block *file, const struct head *head, unsigned bit,
                           struct error **err)
{
    enum { entry_size = 48, name_at = 2 };
    const uint8_t *table;
    size_t length;
    char name[entry_size - name_at + 1] = "";
    int r = find_extension(file, head, QCOW2_EXTENSION_FEATURES, &table, &length, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i + entry_size <= length; i += entry_size)
        if (table[i] == 0 && table[i + 1] == bit)
            memcpy(name, table + i + name_at, entry_size - name_at);
    _cleanup_free_ char *shown = str_printable(name);
    _cleanup_free_ char *what =
        str_printf(err, "the unknown feature %u%s%s%s", bit, *name ? " (" : "",
                   *name && shown ? shown : "", *name ? ")" : "");
    return what ? not_served(file, err, what) : -ENOMEM;
}

static int check_features(const struct block *file, const struct head *head, uint64_t features,
                          struct qcow2_header *header, struct error **err)
{
    /* A dirty image was not closed in order, which concerns its refcounts alone. QEMU too reads
     * it as it is. */
    header->dirty = features & QCOW2_FEATURE_DIRTY;
    features &= ~(uint64_t)QCOW2_FEATURE_DIRTY;
    if (features & QCOW2_FEATURE_CORRUPT) {
        int r = error_set(err, EINVAL, "%s: the qcow2 image is marked as corrupt", file->name);
        error_hint(err, "try to repair a copy of it: qemu-img check -r all COPY");
        return r;
    }
    if (features & QCOW2_FEATURE_DATA_FILE)
        return refuse_data_file(file, err);
    header->extended_l2 = features & QCOW2_FEATURE_EXTENDED_L2;
    uint64_t unknown =
        features & ~(uint64_t)(QCOW2_FEATURE_COMPRESSION | QCOW2_FEATURE_EXTENDED_L2);
    if (unknown)
        return unknown_feature(file, head, (unsigned)__builtin_ctzll(unknown), err);
    /* The compression type was added behind the first 104 bytes of version 3. */
    if (features & QCOW2_FEATURE_COMPRESSION) {
        size_t at = offsetof(struct qcow2_disk_header, compression_type);
        if (head->header_end <= at)
            return refuse(file, err, "it is too short for its compression type");
        if (head->bytes[at] > 1)
            return not_served(file, err, "an unknown compression");
        header->zstd = head->bytes[at] == 1;
    }
    return 0;
}

static int check_version3(const struct block *file, const struct qcow2_disk_header *disk,
                          struct head *head, struct qcow2_header *header, struct error **err)
{
    if (header->version < 3) {
        head->header_end = QCOW2_HEADER_V2;
        return 0;
    }
    uint32_t length = be32_get(disk->header_length);
    if (length < QCOW2_HEADER_V3 || length % 8 != 0 || length > head->size)
        return refuse(file, err, "its stated length is not possible");
    if (be32_get(disk->refcount_order) > 6)
        return refuse(file, err, "reference counts wider than 64 bits");
    head->header_end = length;
    return 0;
}

/* Copies a string field that does not end in NUL. Control characters are refused: they would garble
 * the messages that show the name. */
static int copy_name(const struct block *file, const uint8_t *bytes, size_t length,
                     const char *refusal, char **ret, struct error **err)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] < 0x20 || bytes[i] == 0x7f)
            return refuse(file, err, refusal);
    char *name = strndup((const char *)bytes, length);
    if (!name)
        return error_oom(err);
    *ret = name;
    return 0;
}

static int find_backing(const struct block *file, const struct qcow2_disk_header *disk,
                        struct head *head, struct error **err)
{
    uint64_t at = be64_get(disk->backing_offset);
    uint32_t length = be32_get(disk->backing_length);
    head->names_at = head->size;
    if (at == 0)
        return 0;
    if (length == 0 || length > QCOW2_MAX_BACKING_NAME)
        return refuse(file, err, "the name of the backing file must have 1 to 1023 bytes");
    if (at < head->header_end || !range_within(at, length, head->size))
        return refuse(file, err, "the name of the backing file is not in the first cluster");
    head->names_at = (size_t)at;
    return 0;
}

static int read_backing(const struct block *file, const struct qcow2_disk_header *disk,
                        const struct head *head, struct qcow2_header *header, struct error **err)
{
    const uint8_t *format;
    size_t length;
    if (be64_get(disk->backing_offset) == 0)
        return 0;
    int r = copy_name(file, head->bytes + head->names_at, be32_get(disk->backing_length),
                      "the name of the backing file holds control characters",
                      &header->backing_file, err);
    if (r == 0)
        r = find_extension(file, head, QCOW2_EXTENSION_BACKING_FORMAT, &format, &length, err);
    if (r < 0 || length == 0)
        return r;
    if (length > QCOW2_MAX_FORMAT_NAME)
        return refuse(file, err, "the name of the backing format is longer than 15 bytes");
    return copy_name(file, format, length,
                     "the name of the backing format holds control characters",
                     &header->backing_format, err);
}

/* *ret_bytes: the first cluster, or what the file has of it. */
static int read_head(struct block *file, unsigned cluster_bits, uint8_t **ret_bytes,
                     struct head *ret, struct error **err)
{
    size_t size = (size_t)min_u64(file->size, UINT64_C(1) << cluster_bits);
    _cleanup_free_ uint8_t *bytes = malloc(size);
    if (!bytes)
        return error_oom(err);
    int r = block_pread(file, bytes, size, 0, err);
    if (r < 0)
        return r;
    *ret = (struct head){.bytes = bytes, .size = size};
    *ret_bytes = TAKE_PTR(bytes);
    return 0;
}

int qcow2_header_read(struct block *file, struct qcow2_header *ret, struct error **err)
{
    struct qcow2_disk_header disk = {0};
    _cleanup_qcow2_header_ struct qcow2_header header = {0};
    _cleanup_free_ uint8_t *bytes = NULL;
    struct head head;
    if (file->size < QCOW2_HEADER_V3)
        return error_set(err, EINVAL, "%s: is too short for a qcow2 image", file->name);
    int r = block_pread(file, &disk, (size_t)min_u64(sizeof(disk), file->size), 0, err);
    if (r == 0)
        r = check_basics(file, &disk, &header, err);
    if (r == 0)
        r = read_head(file, header.cluster_bits, &bytes, &head, err);
    if (r == 0)
        r = check_version3(file, &disk, &head, &header, err);
    if (r == 0)
        r = find_backing(file, &disk, &head, err);
    if (r == 0 && header.version >= 3)
        r = check_features(file, &head, be64_get(disk.incompatible), &header, err);
    if (r == 0)
        r = check_l1(file, &disk, &header, err);
    if (r == 0)
        r = check_refcounts(file, &disk, &header, err);
    if (r == 0)
        r = read_backing(file, &disk, &head, &header, err);
    if (r < 0)
        return r;
    *ret = header;
    header = (struct qcow2_header){0};
    return 0;
}

void qcow2_header_free(struct qcow2_header *header)
{
    free(header->backing_file);
    free(header->backing_format);
    *header = (struct qcow2_header){0};
}
