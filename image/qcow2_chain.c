#include "image/qcow2_chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/str.h"
#include "image/image.h"
#include "image/nbd.h"

int qcow2_chain_enter(struct qcow2_chain *chain, const struct qcow2_chain *above, int fd,
                      const char *path, struct error **err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", path);
    chain->above = above;
    chain->depth = above ? above->depth + 1 : 1;
    /* Two nodes of the same block device are one disk. No file has the inode 0. */
    chain->device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
    chain->inode = S_ISBLK(st.st_mode) ? 0 : st.st_ino;
    if (chain->depth > QCOW2_MAX_CHAIN)
        return error_set(err, ELOOP, "%s: the chain of backing files has more than %d images", path,
                         QCOW2_MAX_CHAIN);
    for (const struct qcow2_chain *c = above; c; c = c->above)
        if (c->device == chain->device && c->inode == chain->inode)
            return error_set(err, ELOOP, "%s: the chain of backing files leads back to this image",
                             path);
    return 0;
}

/* QEMU takes what stands before a colon for a protocol, unless a slash comes first. */
static bool names_protocol(const char *name)
{
    size_t head = strcspn(name, ":/");
    return name[head] == ':';
}

/* Where the backing file lies: relative names begin beside the image. Caller frees. */
static char *backing_path(const char *path, const char *name, struct error **err)
{
    if (name[0] == '/')
        return str_printf(err, "%s", name);
    _cleanup_free_ char *parent = path_parent(path);
    if (!parent) {
        error_oom(err);
        return NULL;
    }
    return str_printf(err, "%s/%s", parent, name);
}

/*
 * The format of the backing file. Where the overlay does not state it, a raw disk whose guest wrote
 * the header of a qcow2 image into it could pull in any file of the host by naming that as its own
 * backing file; so nothing that was only guessed to be an image may have a backing file.
 */
static int backing_format(const struct qcow2_header *header, int fd, const char *path,
                          enum image_format *ret, struct error **err)
{
    if (header->backing_format)
        return image_format_parse(header->backing_format, ret, err);
    int r = image_probe(fd, path, ret, err);
    if (r < 0 || *ret != IMAGE_QCOW2)
        return r;
    _cleanup_(image_info_free) struct image_info info = {0};
    char self[32];
    snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    r = image_info_read(self, IMAGE_QCOW2, &info, err);
    if (r < 0) {
        error_wrap(err, "%s", path);
        return r;
    }
    if (!info.backing_file)
        return 0;
    r = error_set(
        err, EINVAL,
        "%s: is used as a backing file without its format being stated, and has a backing "
        "file of its own",
        path);
    error_hint(err, "if you trust it, state the format in the image on top: "
                    "qemu-img rebase -u -F qcow2 -b BACKING IMAGE");
    return r;
}

static int open_by_format(int fd, const char *path, enum image_format format,
                          const struct qcow2_chain *chain, struct block **ret, struct error **err)
{
    switch (format) {
    case IMAGE_AUTO:
    case IMAGE_RAW:
        return block_from_fd(fd, path, false, ret, err);
    case IMAGE_QCOW2:
        return qcow2_open_in_chain(fd, path, chain, ret, err);
    default:
        return nbd_block_open(fd, path, format, false, ret, err);
    }
}

static int open_at(const struct qcow2_header *header, const char *path,
                   const struct qcow2_chain *above, struct block **ret, struct error **err)
{
    struct qcow2_chain chain = {.lock = above->lock};
    enum image_format format = IMAGE_RAW;
    struct stat st;
    _cleanup_close_ int fd = file_open(path, O_RDONLY | O_NONBLOCK, 0, err);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)))
        return error_set(err, EINVAL, "%s: is neither a file nor a block device", path);
    int r = qcow2_chain_enter(&chain, above, fd, path, err);
    if (r == 0)
        r = backing_format(header, fd, path, &format, err);
    if (r == 0 && chain.lock)
        r = image_lock(fd, false, path, err);
    return r < 0 ? r : open_by_format(TAKE_FD(fd), path, format, &chain, ret, err);
}

int qcow2_open_backing(const struct qcow2_header *header, const char *path,
                       const struct qcow2_chain *chain, struct block **ret, struct error **err)
{
    *ret = NULL;
    if (!header->backing_file)
        return 0;
    if (names_protocol(header->backing_file)) {
        _cleanup_free_ char *shown = str_printable(header->backing_file);
        int r = error_set(err, ENOTSUP,
                          "%s: its backing file is '%s'; only files of this host are used", path,
                          shown ? shown : "?");
        error_hint(err, "a file whose name has a colon is written with ./ before it");
        return r;
    }
    _cleanup_free_ char *backing = backing_path(path, header->backing_file, err);
    if (!backing)
        return -ENOMEM;
    int r = open_at(header, backing, chain, ret, err);
    if (r < 0)
        error_wrap(err, "%s: its backing file is unusable", path);
    return r;
}
