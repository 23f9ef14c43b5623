#include "image/vmdk.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/endian.h"
#include "base/str.h"

enum {
    descriptor_max = 1 << 20, /* as much as QEMU reads of a descriptor file */
    embedded_max = 20 * 512,  /* and of one inside an image */
    sector = 512,
};

/* The beginning of a sparse extent (VMware Virtual Disks 5.0, "Hosted Sparse Extent Header"). */
struct sparse_header {
    uint8_t magic[4];
    le32_t version;
    le32_t flags;
    le64_t capacity;
    le64_t grain_size;
    le64_t descriptor_offset; /* sectors; 0: none */
    le64_t descriptor_size;
};
_Static_assert(offsetof(struct sparse_header, descriptor_offset) == 28, "VMDK header");

static int not_alone(const char *name, const char *file, struct error **err)
{
    _cleanup_free_ char *shown = str_printable(file);
    int r = error_set(err, EINVAL, "%s: the image keeps its data in '%s', which is not beside it",
                      name, shown ? shown : "?");
    error_hint(err, "if you trust it, convert it: qemu-img convert -O qcow2 OLD NEW");
    return r;
}

/* A line like: RW 4192256 SPARSE "disk-s001.vmdk" */
static int check_extent(const char *name, char *line, struct error **err)
{
    line += strspn(line, " \t");
    if (!str_starts(line, "RW") || !strchr(" \t", line[2]))
        return 0;
    char *file = strchr(line, '"');
    if (!file)
        return 0;
    file++;
    file[strcspn(file, "\"")] = '\0';
    return strpbrk(file, "/:") ? not_alone(name, file, err) : 0;
}

static int check_text(const char *name, char *text, bool extents, struct error **err)
{
    if (strcasestr(text, "parentFileNameHint")) {
        int r = error_set(err, ENOTSUP, "%s: the image is a snapshot of another VMDK image", name);
        error_hint(err, "convert it: qemu-img convert -O qcow2 OLD NEW");
        return r;
    }
    int r = 0;
    for (char *line = strsep(&text, "\r\n"); extents && line && r == 0;
         line = strsep(&text, "\r\n"))
        r = check_extent(name, line, err);
    return r;
}

static int check_descriptor(int fd, const char *name, uint64_t offset, size_t size, bool extents,
                            struct error **err)
{
    _cleanup_free_ char *text = malloc(size + 1);
    if (!text)
        return error_oom(err);
    ssize_t n = offset > INT64_MAX ? 0 : pread(fd, text, size, (off_t)offset);
    if (n < 0)
        return error_sys(err, errno, "%s: cannot read", name);
    text[n] = '\0';
    return check_text(name, text, extents, err);
}

int vmdk_check(int fd, const char *name, struct error **err)
{
    struct sparse_header header = {0};
    if (pread(fd, &header, sizeof(header), 0) < 0)
        return error_sys(err, errno, "%s: cannot read", name);
    if (memcmp(header.magic, "KDMV", 4) != 0)
        return check_descriptor(fd, name, 0, descriptor_max, true, err);
    uint64_t at = le64_get(header.descriptor_offset);
    if (at > INT64_MAX / sector)
        return error_set(err, EINVAL, "%s: damaged VMDK header", name);
    /* QEMU looks for a parent where its own images have the descriptor, whatever the header says.
     */
    int r = check_descriptor(fd, name, sector, embedded_max, false, err);
    if (r < 0 || at == 0)
        return r;
    /* Without data of its own it is nothing but a descriptor. */
    bool only = le64_get(header.capacity) == 0;
    return check_descriptor(fd, name, at * sector, only ? descriptor_max : embedded_max, only, err);
}
