#include "image/vmdk.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/endian.h"
#include "base/fdio.h"
#include "base/str.h"

/* The beginning of a sparse extent (VMware Virtual Disks 5.0, "Hosted Sparse Extent Header"). */
struct sparse_header {
    uint8_t magic[4];
    le32_t version;
    le32_t flags;
    le64_t capacity;
    le64_t grain_size;
    le64_t descriptor_offset; /* sectors; 0: none */
    le64_t descriptor_size;
    uint8_t unused[12];
    le64_t directory; /* sector of the grain directory */
    uint8_t unused2[13];
    le16_t compression; /* 0: none */
};
_Static_assert(offsetof(struct sparse_header, descriptor_offset) == 28 &&
                   offsetof(struct sparse_header, directory) == 56 &&
                   offsetof(struct sparse_header, compression) == 77,
               "VMDK header");

enum { flag_compressed = 1 << 16, flag_markers = 1 << 17 };
/* The directory is found by a footer. */
static const uint64_t directory_at_end = UINT64_MAX;

static int parse_at(int fd, const char *name, uint64_t offset, size_t max,
                    struct vmdk_descriptor *ret, struct error **err)
{
    size_t size;
    _cleanup_free_ char *text = malloc(max + 1);
    if (!text)
        return error_oom(err);
    int r = fd_pread_some(fd, text, max + 1, offset, name, &size, err);
    if (r < 0)
        return r;
    /* QEMU reads on behind the space of a descriptor inside an image. */
    if (size > max && !memchr(text, '\0', max))
        return error_set(err, EINVAL, "%s: the VMDK descriptor is longer than %zu bytes", name,
                         max);
    return vmdk_descriptor_parse(text, size < max ? size : max, name, ret, err);
}

/*
 * QEMU (block/vmdk.c) opens compressed extents for writing all the same. A grain that is there then
 * cannot be written a second time, and a new one goes behind the footer, by which the image was
 * found: it can never be opened again. Those of version 3 it refuses only when it opens them.
 */
static const char *why_fixed(const struct sparse_header *header)
{
    if (memcmp(header->magic, "KDMV", sizeof(header->magic)) != 0)
        return NULL;
    uint32_t flags = le32_get(header->flags);
    if (flags & flag_compressed || le16_get(header->compression) != 0)
        return "is compressed";
    bool stream = flags & flag_markers || le64_get(header->directory) == directory_at_end;
    return stream ? "is a stream" : NULL;
}

/* QEMU looks for it in sector 1, whatever the header says. */
static int read_embedded(int fd, const char *name, const struct sparse_header *header,
                         struct vmdk *vmdk, struct error **err)
{
    uint64_t size = VMDK_EMBEDDED_MAX;
    if (memcmp(header->magic, "KDMV", sizeof(header->magic)) == 0) {
        if (le64_get(header->descriptor_offset) != 1 || le64_get(header->descriptor_size) == 0)
            return error_set(err, EINVAL,
                             "%s: the VMDK image has no descriptor in its second sector", name);
        /* Without data of its own it is nothing but a descriptor. */
        vmdk->alone = le64_get(header->capacity) == 0;
        vmdk->fixed = why_fixed(header);
        size = min_u64(size / VMDK_SECTOR, le64_get(header->descriptor_size)) * VMDK_SECTOR;
    }
    return parse_at(fd, name, VMDK_SECTOR, (size_t)size, &vmdk->descriptor, err);
}

static bool is_sparse(const struct sparse_header *header)
{
    return memcmp(header->magic, "KDMV", sizeof(header->magic)) == 0 ||
           memcmp(header->magic, "COWD", sizeof(header->magic)) == 0;
}

int vmdk_read(int fd, const char *name, struct vmdk *ret, struct error **err)
{
    struct vmdk vmdk = {.alone = true};
    struct sparse_header header = {0};
    size_t size;
    int r = fd_pread_some(fd, &header, sizeof(header), 0, name, &size, err);
    if (r < 0)
        return r;
    if (is_sparse(&header)) {
        vmdk.alone = false;
        r = read_embedded(fd, name, &header, &vmdk, err);
    } else {
        r = parse_at(fd, name, 0, VMDK_DESCRIPTOR_MAX, &vmdk.descriptor, err);
    }
    if (r == 0)
        *ret = vmdk;
    return r;
}

void vmdk_free(struct vmdk *vmdk)
{
    vmdk_descriptor_free(&vmdk->descriptor);
}

/* A sparse extent without data of its own may hold a descriptor, whose extents QEMU would open. */
static int check_sparse(int fd, const char *path, const char *file, const char **fixed,
                        struct error **err)
{
    struct sparse_header header = {0};
    size_t size;
    int r = fd_pread_some(fd, &header, sizeof(header), 0, path, &size, err);
    if (r < 0)
        return r;
    if (!is_sparse(&header) || (header.magic[0] == 'K' && le64_get(header.capacity) == 0))
        return error_set(err, EINVAL, "%s: the extent '%s' is not a sparse extent with data", path,
                         file);
    const char *why = why_fixed(&header);
    if (why)
        *fixed = why;
    return 0;
}

/* `image` is the file with the descriptor. */
static int check_file(int folder, const struct vmdk_extent *extent, const struct stat *image,
                      const char *path, const char **fixed, struct error **err)
{
    struct stat st;
    _cleanup_free_ char *file = str_printable(extent->name);
    if (!file)
        return error_oom(err);
    _cleanup_close_ int fd =
        openat(folder, extent->name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ELOOP) {
        int r = error_set(err, EUNTRUSTED, "%s: the extent '%s' is a symbolic link", path, file);
        error_hint(err, "put the file itself beside the descriptor");
        return r;
    }
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot open the extent '%s'", path, file);
    if (!S_ISREG(st.st_mode))
        return error_set(err, EINVAL, "%s: the extent '%s' is not a regular file", path, file);
    /* Else the guest could write the descriptor. */
    if (st.st_dev == image->st_dev && st.st_ino == image->st_ino)
        return error_set(err, EINVAL, "%s: the VMDK descriptor names itself as an extent", path);
    bool sparse = extent->type == VMDK_SPARSE || extent->type == VMDK_VMFSSPARSE;
    return sparse ? check_sparse(fd, path, file, fixed, err) : 0;
}

static int check_files(int fd, const char *path, struct vmdk *vmdk, struct error **err)
{
    const struct vmdk_descriptor *descriptor = &vmdk->descriptor;
    struct stat image;
    _cleanup_free_ char *parent = path_parent(path);
    if (!parent)
        return error_oom(err);
    _cleanup_close_ int folder = file_open(parent, O_PATH | O_DIRECTORY, 0, err);
    if (folder < 0)
        return folder;
    if (fstat(fd, &image) < 0)
        return error_sys(err, errno, "%s: cannot read", path);
    int r = 0;
    for (size_t i = 0; r == 0 && i < descriptor->count; i++)
        r = check_file(folder, &descriptor->extents[i], &image, path, &vmdk->fixed, err);
    return r;
}

/* What the descriptor says of it. QEMU reads seSparse extents, but has no code that writes them. */
static const char *why_described_fixed(const struct vmdk_descriptor *descriptor)
{
    if (strcmp(descriptor->create_type, "streamOptimized") == 0)
        return "is a stream";
    for (size_t i = 0; i < descriptor->count; i++) {
        if (descriptor->extents[i].access != VMDK_RW)
            return "is read-only by its own descriptor";
        if (descriptor->extents[i].type == VMDK_SESPARSE)
            return "has an extent of the type SESPARSE";
    }
    return NULL;
}

int vmdk_check(int fd, const char *path, struct vmdk_facts *ret, struct error **err)
{
    _cleanup_vmdk_ struct vmdk vmdk = {0};
    int r = vmdk_read(fd, path, &vmdk, err);
    if (r == 0)
        r = vmdk_descriptor_check(&vmdk.descriptor, vmdk.alone, path, err);
    if (r == 0 && vmdk.alone)
        r = check_files(fd, path, &vmdk, err);
    if (r < 0)
        return r;
    *ret = (struct vmdk_facts){
        .fixed = vmdk.fixed ? vmdk.fixed : why_described_fixed(&vmdk.descriptor),
        .parent = TAKE_PTR(vmdk.descriptor.parent),
        .cid = vmdk.descriptor.cid,
        .parent_cid = vmdk.descriptor.parent_cid,
    };
    return 0;
}
