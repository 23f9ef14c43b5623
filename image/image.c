#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/str.h"
#include "image/nbd.h"
#include "image/qcow2.h"
#include "image/qcow2_header.h"
#include "image/seal.h"

static const char *const format_names[] = {
    [IMAGE_AUTO] = "auto", [IMAGE_RAW] = "raw",   [IMAGE_QCOW2] = "qcow2", [IMAGE_VMDK] = "vmdk",
    [IMAGE_VDI] = "vdi",   [IMAGE_VHDX] = "vhdx", [IMAGE_VPC] = "vpc",
};

/* What each format begins with; `offset` is from the start of the file. */
static const struct magic {
    enum image_format format;
    unsigned offset;
    unsigned length;
    const char *bytes;
} magics[] = {
    {IMAGE_QCOW2, 0, 4, "QFI\xfb"},
    {IMAGE_VMDK, 0, 4, "KDMV"},
    {IMAGE_VMDK, 0, 4, "COWD"},
    {IMAGE_VMDK, 0, 21, "# Disk DescriptorFile"},
    {IMAGE_VHDX, 0, 8, "vhdxfile"},
    {IMAGE_VPC, 0, 8, "conectix"},
    {IMAGE_VDI, 64, 4, "\x7f\x10\xda\xbe"},
};

const char *image_format_name(enum image_format format)
{
    return format_names[format];
}

int image_format_parse(const char *name, enum image_format *ret, struct error **err)
{
    for (size_t i = 0; i < ARRAY_SIZE(format_names); i++) {
        if (strcmp(name, format_names[i]) == 0) {
            *ret = (enum image_format)i;
            return 0;
        }
    }
    _cleanup_free_ char *shown = str_printable(name);
    int r = error_set(err, EINVAL, "'%s' is not an image format", shown ? shown : "?");
    error_hint(err, "known formats are auto, raw, qcow2, vmdk, vdi, vhdx and vpc");
    return r;
}

int image_probe(int fd, const char *name, enum image_format *ret, struct error **err)
{
    char head[128];
    size_t have = 0;
    while (have < sizeof(head)) {
        ssize_t n = pread(fd, head + have, sizeof(head) - have, (off_t)have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, errno, "%s: cannot read", name);
        if (n == 0)
            break;
        have += (size_t)n;
    }
    *ret = IMAGE_RAW;
    for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
        const struct magic *magic = &magics[i];
        if (magic->offset + magic->length > have ||
            memcmp(head + magic->offset, magic->bytes, magic->length) != 0)
            continue;
        *ret = magic->format;
        break;
    }
    return 0;
}

/* O_NONBLOCK: a FIFO in an image's place must not hang us. It means nothing to files and disks. */
static int open_image_file(const char *path, bool writable, struct error **err)
{
    int fd = file_open(path, (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK, 0, err);
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
        close(fd);
        return error_set(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL, "%s: is %s, not a disk image",
                         path,
                         S_ISDIR(st.st_mode) ? "a directory" : "neither a file nor a block device");
    }
    return fd;
}

static int choose_format(int fd, const char *path, enum image_format asked, enum image_format *ret,
                         struct error **err)
{
    if (asked == IMAGE_AUTO)
        return image_probe(fd, path, ret, err);
    *ret = asked;
    return 0;
}

/* qemu-nbd follows whatever backing file an image names. Our own reader is asked first: it refuses
 * chains that loop, are too long or leave the host, and says so better. */
static int check_chain(const char *path, bool lock, struct error **err)
{
    _cleanup_block_ struct block *block = NULL;
    int fd = open_image_file(path, false, err);
    return fd < 0 ? fd : qcow2_open(fd, path, lock, &block, err);
}

int image_open(const char *path, const struct image_open_options *options, struct block **ret,
               struct error **err)
{
    enum image_format format;
    int r = options->writable && !options->unseal ? seal_check_unsealed(path, err) : 0;
    if (r < 0)
        return r;
    _cleanup_close_ int fd = open_image_file(path, options->writable, err);
    if (fd < 0)
        return fd;
    r = choose_format(fd, path, options->format, &format, err);
    if (r == 0 && options->lock)
        r = image_lock(fd, options->writable, path, err);
    if (r < 0)
        return r;
    if (format == IMAGE_RAW)
        return block_from_fd(TAKE_FD(fd), path, options->writable, ret, err);
    if (format == IMAGE_QCOW2 && !options->writable)
        return qcow2_open(TAKE_FD(fd), path, options->lock, ret, err);
    if (format == IMAGE_QCOW2)
        r = check_chain(path, options->lock, err);
    return r < 0 ? r : nbd_block_open(TAKE_FD(fd), path, format, options->writable, ret, err);
}

/* The disk's size in a format that only qemu-nbd reads. */
static int ask_size(const char *path, enum image_format format, uint64_t *ret, struct error **err)
{
    const struct image_open_options options = {.format = format};
    _cleanup_block_ struct block *block = NULL;
    int r = image_open(path, &options, &block, err);
    if (r == 0)
        *ret = block->size;
    return r;
}

static int read_qcow2_info(struct block *file, struct image_info *info, struct error **err)
{
    _cleanup_qcow2_header_ struct qcow2_header header = {0};
    int r = qcow2_header_read(file, &header, err);
    if (r < 0)
        return r;
    info->virtual_size = header.size;
    info->backing_file = TAKE_PTR(header.backing_file);
    info->backing_format = TAKE_PTR(header.backing_format);
    return 0;
}

int image_info_read(const char *path, enum image_format format, struct image_info *ret,
                    struct error **err)
{
    _cleanup_(image_info_free) struct image_info info = {0};
    _cleanup_block_ struct block *file = NULL;
    struct stat st;
    int fd = open_image_file(path, false, err);
    if (fd < 0)
        return fd;
    int r = fstat(fd, &st) < 0 ? error_sys(err, errno, "%s: cannot read", path) : 0;
    if (r == 0)
        r = choose_format(fd, path, format, &info.format, err);
    if (r < 0) {
        close(fd);
        return r;
    }
    r = block_from_fd(fd, path, false, &file, err);
    if (r < 0)
        return r;
    info.file_size = file->size;
    info.allocated = S_ISBLK(st.st_mode) ? file->size : (uint64_t)st.st_blocks * 512;
    if (info.format == IMAGE_RAW)
        info.virtual_size = file->size;
    else if (info.format == IMAGE_QCOW2)
        r = read_qcow2_info(file, &info, err);
    else
        r = ask_size(path, info.format, &info.virtual_size, err);
    if (r < 0)
        return r;
    *ret = info;
    info = (struct image_info){0};
    return 0;
}

void image_info_free(struct image_info *info)
{
    free(info->backing_file);
    free(info->backing_format);
    *info = (struct image_info){0};
}
