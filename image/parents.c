#include "image/parents.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/endian.h"

/* VDI (VirtualBox, VDICore.h, header version 1.1). */
struct vdi_header {
    uint8_t unused[76];
    le32_t type;
    uint8_t unused2[344];
    uint8_t linked[16];
    uint8_t parent[16];
};
_Static_assert(offsetof(struct vdi_header, linked) == 424, "VDI header");
enum { VDI_STATIC = 2 };

/* VHDX ([MS-VHDX] 2.2.3 and 2.6). */
struct vhdx_region_header {
    uint8_t signature[4];
    le32_t checksum;
    le32_t count;
    le32_t reserved;
};
struct vhdx_region {
    uint8_t guid[16];
    le64_t offset;
    le32_t length;
    le32_t required;
};
struct vhdx_metadata_header {
    uint8_t signature[8];
    uint8_t reserved[2];
    le16_t count;
    uint8_t reserved2[20];
};
struct vhdx_metadata {
    uint8_t guid[16];
    le32_t offset; /* from the beginning of the region */
    le32_t length;
    le32_t flags;
    le32_t reserved;
};
struct vhdx_file_parameters {
    le32_t block_size;
    le32_t flags;
};
_Static_assert(sizeof(struct vhdx_region) == 32 && sizeof(struct vhdx_metadata_header) == 32 &&
                   sizeof(struct vhdx_metadata) == 32,
               "VHDX tables");
enum {
    VHDX_REGIONS_AT = 192 << 10,
    VHDX_MAX_ENTRIES = 2047,
    VHDX_HAS_PARENT = 1 << 1,
};
static const uint8_t metadata_region_guid[16] = {0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b,
                                                 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e};
static const uint8_t file_parameters_guid[16] = {0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d,
                                                 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b};

/* Bytes behind the end of the file read as zeroes. */
static int read_at(int fd, const char *name, void *buf, size_t size, uint64_t offset,
                   struct error **err)
{
    memset(buf, 0, size);
    if (offset > INT64_MAX - size)
        return 0;
    ssize_t n = pread(fd, buf, size, (off_t)offset);
    return n < 0 ? error_sys(err, errno, "%s: cannot read", name) : 0;
}

static int has_parent_vdi(int fd, const char *name, bool *ret, struct error **err)
{
    static const uint8_t none[16];
    struct vdi_header header;
    int r = read_at(fd, name, &header, sizeof(header), 0, err);
    *ret = r == 0 &&
           (le32_get(header.type) > VDI_STATIC || memcmp(header.linked, none, sizeof(none)) != 0 ||
            memcmp(header.parent, none, sizeof(none)) != 0);
    return r;
}

/* Where the metadata region begins; 0: nowhere. */
static int find_metadata(int fd, const char *name, uint64_t *ret, struct error **err)
{
    struct vhdx_region_header header;
    int r = read_at(fd, name, &header, sizeof(header), VHDX_REGIONS_AT, err);
    uint64_t count = min_u64(le32_get(header.count), VHDX_MAX_ENTRIES);
    *ret = 0;
    for (uint64_t i = 0; r == 0 && *ret == 0 && i < count; i++) {
        struct vhdx_region region;
        r = read_at(fd, name, &region, sizeof(region),
                    VHDX_REGIONS_AT + sizeof(header) + i * sizeof(region), err);
        if (r == 0 && memcmp(region.guid, metadata_region_guid, sizeof(region.guid)) == 0)
            *ret = le64_get(region.offset);
    }
    return r;
}

static int has_parent_vhdx(int fd, const char *name, bool *ret, struct error **err)
{
    struct vhdx_metadata_header header = {0};
    uint64_t at;
    *ret = false;
    int r = find_metadata(fd, name, &at, err);
    if (r < 0 || at == 0 || at > INT64_MAX / 2)
        return r;
    r = read_at(fd, name, &header, sizeof(header), at, err);
    uint64_t count = min_u64(le16_get(header.count), VHDX_MAX_ENTRIES);
    for (uint64_t i = 0; r == 0 && !*ret && i < count; i++) {
        struct vhdx_metadata item;
        struct vhdx_file_parameters parameters = {0};
        r = read_at(fd, name, &item, sizeof(item), at + sizeof(header) + i * sizeof(item), err);
        if (r < 0 || memcmp(item.guid, file_parameters_guid, sizeof(item.guid)) != 0)
            continue;
        r = read_at(fd, name, &parameters, sizeof(parameters), at + le32_get(item.offset), err);
        *ret = r == 0 && (le32_get(parameters.flags) & VHDX_HAS_PARENT);
    }
    return r;
}

int parents_refusal(const char *name, const char *format, struct error **err)
{
    error_set(err, EUNTRUSTED, "%s: the %s image holds only what differs from a parent", name,
              format);
    return error_hint(err, "merge it with its parent where it was made, and take the whole image");
}

int parents_refuse(int fd, const char *name, enum image_format format, struct error **err)
{
    bool has_parent = false;
    int r = 0;
    if (format == IMAGE_VDI)
        r = has_parent_vdi(fd, name, &has_parent, err);
    else if (format == IMAGE_VHDX)
        r = has_parent_vhdx(fd, name, &has_parent, err);
    if (r < 0 || !has_parent)
        return r;
    return parents_refusal(name, image_format_name(format), err);
}
