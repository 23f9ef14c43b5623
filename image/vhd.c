#include "image/vhd.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/endian.h"
#include "base/fdio.h"
#include "image/parents.h"

/* "Hard Disk Footer Format". */
struct vhd_footer {
    uint8_t cookie[8];
    uint8_t unused[40];
    be64_t size; /* of the disk, bytes */
    be32_t geometry;
    be32_t type;
    be32_t checksum; /* the one's complement of the sum of all other bytes */
    uint8_t unused2[444];
};
_Static_assert(sizeof(struct vhd_footer) == 512 && offsetof(struct vhd_footer, type) == 60,
               "VHD footer");
enum { VHD_FIXED = 2, VHD_DIFFERENCING = 4 };

static bool is_footer(const struct vhd_footer *footer)
{
    return memcmp(footer->cookie, "conectix", sizeof(footer->cookie)) == 0;
}

static bool checksum_matches(const struct vhd_footer *footer)
{
    struct vhd_footer copy = *footer;
    uint32_t sum = 0;
    copy.checksum = be32_put(0);
    for (size_t i = 0; i < sizeof(copy); i++)
        sum += ((const uint8_t *)&copy)[i];
    return ~sum == be32_get(footer->checksum);
}

/* The last sector; zeroes where there is none. *ret_at: where it begins. */
static int read_end(int fd, const char *name, struct vhd_footer *ret, uint64_t *ret_at,
                    struct error **err)
{
    struct stat st;
    size_t have = 0;
    *ret = (struct vhd_footer){0};
    *ret_at = 0;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", name);
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < sizeof(*ret))
        return 0;
    *ret_at = (uint64_t)st.st_size - sizeof(*ret);
    return fd_pread_some(fd, ret, sizeof(*ret), *ret_at, name, &have, err);
}

int vhd_has_footer(int fd, const char *name, bool *ret, struct error **err)
{
    struct vhd_footer footer;
    uint64_t at;
    int r = read_end(fd, name, &footer, &at, err);
    *ret = r == 0 && is_footer(&footer);
    return r;
}

static int damaged(const char *name, const char *what, struct error **err)
{
    error_set(err, EINVAL, "%s: damaged VHD image: %s", name, what);
    return error_hint(err, "if it is a raw disk that only looks like one: --format raw");
}

/* QEMU (vpc_open) takes the size of many a fixed image from its geometry of cylinders, which may be
 * less than the disk; the footer states both. */
static int check_fixed(int fd, const char *name, uint64_t *ret_size, struct error **err)
{
    struct vhd_footer footer;
    uint64_t at;
    int r = read_end(fd, name, &footer, &at, err);
    if (r < 0)
        return r;
    if (!is_footer(&footer))
        return error_set(err, EINVAL, "%s: is no VHD image: it has no footer", name);
    if (be32_get(footer.type) != VHD_FIXED)
        return damaged(name, "its first sector is no copy of the footer", err);
    if (!checksum_matches(&footer))
        return damaged(name, "the footer does not match its checksum", err);
    if (be64_get(footer.size) > at || be64_get(footer.size) == 0) {
        error_set(err, EINVAL,
                  "%s: damaged VHD image: the footer states a disk of %" PRIu64
                  " bytes, and the file holds %" PRIu64,
                  name, be64_get(footer.size), at);
        return error_hint(err, "get the file again where it came from");
    }
    *ret_size = be64_get(footer.size);
    return 0;
}

int vhd_check(int fd, const char *name, uint64_t *ret_size, struct error **err)
{
    struct vhd_footer footer = {0};
    size_t have = 0;
    int r = fd_pread_some(fd, &footer, sizeof(footer), 0, name, &have, err);
    if (r < 0)
        return r;
    if (!is_footer(&footer))
        return check_fixed(fd, name, ret_size, err);
    if (be32_get(footer.type) == VHD_DIFFERENCING)
        return parents_refusal(name, "vpc", err);
    *ret_size = 0;
    return 0;
}
