#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/str.h"
#include "image/check.h"
#include "image/foreign.h"
#include "image/nbd.h"
#include "image/qcow2.h"
#include "image/qcow2_header.h"
#include "image/seal.h"
#include "image/undo.h"
#include "image/vhd.h"

static const char *const format_names[] = {
    [IMAGE_AUTO] = "auto", [IMAGE_RAW] = "raw",   [IMAGE_QCOW2] = "qcow2", [IMAGE_VMDK] = "vmdk",
    [IMAGE_VDI] = "vdi",   [IMAGE_VHDX] = "vhdx", [IMAGE_VPC] = "vpc",
};

/* What each format begins with; `offset` is from the start of the file. VHD images of a fixed size
 * end with a footer instead. */
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
    int r = fd_pread_some(fd, head, sizeof(head), 0, name, &have, err);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(magics); i++) {
        const struct magic *magic = &magics[i];
        if (magic->offset + magic->length > have ||
            memcmp(head + magic->offset, magic->bytes, magic->length) != 0)
            continue;
        *ret = magic->format;
        return 0;
    }
    bool vhd = false;
    if (r == 0)
        r = vhd_has_footer(fd, name, &vhd, err);
    if (r == 0 && !vhd)
        r = foreign_refuse(fd, name, err);
    if (r == 0)
        *ret = vhd ? IMAGE_VPC : IMAGE_RAW;
    return r;
}

int image_check_kind(const struct stat *st, const char *path, struct error **err)
{
    if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
        return 0;
    if (S_ISDIR(st->st_mode))
        return error_set(err, EISDIR, "%s: is a directory, not a disk image", path);
    return error_set(err, EINVAL, "%s: is neither a file nor a block device, so not a disk image",
                     path);
}

/* O_NONBLOCK: a FIFO in an image's place must not block. Files and disks ignore it. */
static int open_image_file(const char *path, bool writable, struct error **err)
{
    return file_open(path, (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK, 0, err);
}

static int lock_backing(const struct image_chain *chain, struct error **err)
{
    int r = 0;
    for (size_t i = 1; r == 0 && i < chain->count; i++)
        r = image_lock(chain->layers[i].fd, false, chain->layers[i].path, err);
    return r;
}

/* Whether the disk is the file's first bytes as they are. */
static bool is_plain(const struct image_layer *layer)
{
    return layer->format == IMAGE_RAW || layer->window > 0;
}

static int open_plain(struct image_layer *layer, bool writable, struct block **ret,
                      struct error **err)
{
    int r = block_from_fd(TAKE_FD(layer->fd), layer->path, writable, ret, err);
    if (r == 0 && layer->window > 0)
        (*ret)->size = layer->window;
    return r;
}

/* Whether each layer can be read in-process. */
static bool reads_here(const struct image_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        const struct image_layer *layer = &chain->layers[i];
        if (!is_plain(layer) && (layer->format != IMAGE_QCOW2 || layer->extended_l2))
            return false;
    }
    return true;
}

/* From the lowest layer up. */
static int open_layers(struct image_chain *chain, struct block **ret, struct error **err)
{
    _cleanup_block_ struct block *block = NULL;
    for (size_t i = chain->count; i-- > 0;) {
        struct image_layer *layer = &chain->layers[i];
        struct block *below = TAKE_PTR(block);
        int r = is_plain(layer) ? open_plain(layer, false, &block, err)
                                : qcow2_open(TAKE_FD(layer->fd), layer->path, below, &block, err);
        if (r < 0)
            return r;
    }
    *ret = TAKE_PTR(block);
    return 0;
}

/* QEMU replays the log of a VHDX image when it opens it for writing, whatever becomes of the edit
 * then; opened for reading, it says that there is one. */
static int check_log(const struct image_chain *chain, struct error **err)
{
    const struct nbd_options reader = {.caller_locks = true};
    _cleanup_image_chain_ struct image_chain copy = {0};
    _cleanup_block_ struct block *block = NULL;
    int r = image_chain_copy(chain, &copy, err);
    return r < 0 ? r : nbd_block_open(&copy, &reader, &block, err);
}

static int open_chain(struct image_chain *chain, bool writable, struct block **ret,
                      struct error **err)
{
    const struct nbd_options server = {.writable = writable, .caller_locks = true};
    struct image_layer *top = &chain->layers[0];
    if (is_plain(top))
        return open_plain(top, writable, ret, err);
    if (!writable && reads_here(chain))
        return open_layers(chain, ret, err);
    int r = writable && top->format == IMAGE_VHDX ? check_log(chain, err) : 0;
    return r < 0 ? r : nbd_block_open(chain, &server, ret, err);
}

int image_open(const char *path, const struct image_open_options *options, struct block **ret,
               struct error **err)
{
    int r = options->writable && !options->unseal ? seal_check_unsealed(path, err) : 0;
    if (r == 0 && !options->interrupted)
        r = undo_recover(path, options->trust, NULL, err);
    if (r < 0)
        return r;
    int fd = open_image_file(path, options->writable, err);
    return fd < 0 ? fd : image_open_fd(fd, path, options, ret, err);
}

int image_open_fd(int fd, const char *path, const struct image_open_options *options,
                  struct block **ret, struct error **err)
{
    _cleanup_image_chain_ struct image_chain chain = {0};
    int r = image_check(fd, path, options->format, options->trust, &chain, err);
    if (r == 0 && options->writable)
        r = image_check_writable(&chain, err);
    if (r == 0 && options->lock)
        r = image_lock(chain.layers[0].fd, options->writable, path, err);
    /* Once more: it may have been sealed before the lock was taken. */
    if (r == 0 && options->lock && options->writable && !options->unseal)
        r = seal_check_unsealed(path, err);
    if (r == 0 && options->lock)
        r = lock_backing(&chain, err);
    return r < 0 ? r : open_chain(&chain, options->writable, ret, err);
}

/* The disk's size in a format that only qemu-nbd reads. */
static int ask_size(int fd, const char *path, enum image_format format, uint64_t *ret,
                    struct error **err)
{
    const struct image_open_options options = {.format = format};
    _cleanup_block_ struct block *block = NULL;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    int r = copy < 0 ? error_sys(err, errno, "%s: cannot duplicate a descriptor", path)
                     : image_open_fd(copy, path, &options, &block, err);
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

/* `file` is open as fd. */
static int read_info(struct block *file, int fd, enum image_format format, struct image_info *info,
                     struct error **err)
{
    info->format = format;
    info->file_size = file->size;
    if (format == IMAGE_QCOW2)
        return read_qcow2_info(file, info, err);
    if (format != IMAGE_RAW)
        return ask_size(fd, file->name, format, &info->virtual_size, err);
    info->virtual_size = file->size;
    return 0;
}

int image_info_read(const char *path, enum image_format format, struct image_info *ret,
                    struct error **err)
{
    int fd = open_image_file(path, false, err);
    return fd < 0 ? fd : image_info_read_fd(fd, path, format, ret, err);
}

int image_info_read_fd(int fd, const char *path, enum image_format format, struct image_info *ret,
                       struct error **err)
{
    _cleanup_(image_info_free) struct image_info info = {0};
    _cleanup_block_ struct block *file = NULL;
    struct stat st;
    int r = fstat(fd, &st) < 0 ? error_sys(err, errno, "%s: cannot read", path)
                               : image_check_kind(&st, path, err);
    if (r == 0 && format == IMAGE_AUTO)
        r = image_probe(fd, path, &format, err);
    if (r < 0) {
        close(fd);
        return r;
    }
    r = block_from_fd(fd, path, false, &file, err);
    if (r == 0)
        r = read_info(file, fd, format, &info, err);
    if (r < 0)
        return r;
    info.allocated = S_ISBLK(st.st_mode) ? file->size : (uint64_t)st.st_blocks * 512;
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
