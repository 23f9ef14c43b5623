#include "image/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/str.h"
#include "image/parents.h"
#include "image/qcow2_header.h"
#include "image/undo.h"
#include "image/vhd.h"
#include "image/vmdk.h"

void image_chain_free(struct image_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        if (chain->layers[i].fd >= 0)
            close(chain->layers[i].fd);
        free(chain->layers[i].path);
    }
    free(chain->layers);
    *chain = (struct image_chain){0};
}

static int check_depth(const struct image_chain *chain, const struct image_layer *layer,
                       struct error **err)
{
    if (chain->count == IMAGE_MAX_LAYERS)
        return error_set(err, ELOOP, "%s: the chain of backing files has more than %d images",
                         layer->path, IMAGE_MAX_LAYERS);
    for (size_t i = 0; i < chain->count; i++)
        if (chain->layers[i].file_system == layer->file_system &&
            chain->layers[i].inode == layer->inode)
            return error_set(err, ELOOP, "%s: the chain of backing files leads back to this image",
                             layer->path);
    return 0;
}

/* Owns what the layer has, on failure too. */
static int append(struct image_chain *chain, struct image_layer layer, struct error **err)
{
    struct image_layer *layers = reallocarray(chain->layers, chain->count + 1, sizeof(*layers));
    if (layers)
        chain->layers = layers;
    int r = layers && layer.path ? check_depth(chain, &layer, err) : error_oom(err);
    if (r < 0) {
        close(layer.fd);
        free(layer.path);
        return r;
    }
    chain->layers[chain->count++] = layer;
    return 0;
}

/* Two nodes of the same block device are one disk. No file has the inode 0. */
static struct image_layer make_layer(int fd, const struct stat *st, const char *path)
{
    bool device = S_ISBLK(st->st_mode);
    return (struct image_layer){
        .path = strdup(path),
        .fd = fd,
        .device = device,
        .file_system = device ? st->st_rdev : st->st_dev,
        .inode = device ? 0 : st->st_ino,
    };
}

static int add_top(struct image_chain *chain, int fd, const char *path, enum image_format format,
                   struct error **err)
{
    struct stat st;
    int r = fstat(fd, &st) < 0 ? error_sys(err, errno, "%s: cannot read", path)
                               : image_check_kind(&st, path, err);
    if (r < 0) {
        close(fd);
        return r;
    }
    r = append(chain, make_layer(fd, &st, path), err);
    if (r == 0)
        chain->layers[0].format = format;
    return r == 0 && format == IMAGE_AUTO ? image_probe(fd, path, &chain->layers[0].format, err)
                                          : r;
}

/* QEMU takes what stands before a colon for a protocol, unless a slash comes first. */
static bool names_protocol(const char *name)
{
    size_t head = strcspn(name, ":/");
    return name[head] == ':';
}

static int check_name(const char *name, const struct image_trust *trust, struct error **err)
{
    _cleanup_free_ char *shown = str_printable(name);
    if (names_protocol(name)) {
        error_set(err, EUNTRUSTED, "its backing file is '%s'; only files of this host are used",
                  shown ? shown : "?");
        return error_hint(err, "a file whose name has a colon is written with ./ before it");
    }
    if (trust && trust->alone)
        return error_set(err, EUNTRUSTED, "it needs another image, '%s'", shown ? shown : "?");
    return 0;
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

/* The path of an open file, free of symbolic links. Caller frees. */
static char *real_path(int fd, struct error **err)
{
    char name[64], real[4096];
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, real, sizeof(real));
    if (length > 0 && (size_t)length < sizeof(real))
        return str_printf(err, "%.*s", (int)length, real);
    error_sys(err, length < 0 ? errno : ENAMETOOLONG, "%s: cannot find the path of an open image",
              name);
    return NULL;
}

static int judge(const struct image_chain *chain, const struct image_trust *trust, const char *real,
                 const struct stat *st, struct error **err)
{
    _cleanup_free_ char *top = real_path(chain->layers[0].fd, err);
    _cleanup_free_ char *home = top ? path_parent(top) : NULL;
    return home ? image_trust_judge(trust, home, real, st, err) : -ENOMEM;
}

/* Nothing is opened that is not trusted, and what was opened is what was judged. */
static int open_backing(const struct image_chain *chain, const char *path,
                        const struct image_trust *trust, struct image_layer *ret,
                        struct error **err)
{
    struct stat judged, st;
    _cleanup_free_ char *real = realpath(path, NULL);
    if (!real || stat(real, &judged) < 0)
        return error_sys(err, errno, "%s", path);
    int r = image_check_kind(&judged, path, err);
    if (r == 0)
        r = judge(chain, trust, real, &judged, err);
    if (r < 0)
        return r;
    _cleanup_close_ int fd = file_open(real, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0, err);
    if (fd < 0)
        return fd;
    _cleanup_free_ char *opened = real_path(fd, err);
    if (!opened)
        return -EIO;
    if (fstat(fd, &st) < 0 || st.st_dev != judged.st_dev || st.st_ino != judged.st_ino ||
        strcmp(opened, real) != 0)
        return error_set(err, EUNTRUSTED, "%s: was replaced while it was opened", real);
    r = undo_refuse(real, err);
    if (r < 0)
        return r;
    *ret = make_layer(TAKE_FD(fd), &st, real);
    return 0;
}

static int read_header(const struct image_layer *layer, struct qcow2_header *ret,
                       struct error **err)
{
    _cleanup_block_ struct block *file = NULL;
    int fd = fcntl(layer->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return error_sys(err, errno, "%s: cannot duplicate a descriptor", layer->path);
    int r = block_from_fd(fd, layer->path, false, &file, err);
    return r < 0 ? r : qcow2_header_read(file, ret, err);
}

/*
 * Where an image does not state the format of its backing file, that is told from the file. A raw
 * disk whose guest wrote the header of a qcow2 image into it could so pull in any file of the host,
 * by naming that as its own backing file. So nothing that was only guessed to be an image may name
 * other files.
 */
static int check_guess(const struct image_layer *layer, struct error **err)
{
    _cleanup_qcow2_header_ struct qcow2_header header = {0};
    int r = layer->format == IMAGE_QCOW2 ? read_header(layer, &header, err) : 0;
    if (r < 0 || (!header.backing_file && layer->format != IMAGE_VMDK))
        return r;
    error_set(err, EUNTRUSTED,
              "%s: is used as a backing file without its format being stated, and %s", layer->path,
              layer->format == IMAGE_VMDK ? "may have files of its own"
                                          : "has a backing file of its own");
    return error_hint(err, "if you trust it, state the format in the image on top: "
                           "qemu-img rebase -u -F FORMAT -b BACKING IMAGE");
}

static int find_format(struct image_layer *layer, const char *stated, struct error **err)
{
    int r = stated ? image_format_parse(stated, &layer->format, err)
                   : image_probe(layer->fd, layer->path, &layer->format, err);
    if (r == 0 && layer->format == IMAGE_AUTO)
        return error_set(err, EINVAL, "%s: 'auto' is not a format for a backing file", layer->path);
    return r < 0 || stated ? r : check_guess(layer, err);
}

/* Adds the backing file that the chain's last image names. `format` as the image states it, NULL:
 * it does not. */
static int descend(struct image_chain *chain, const char *name, const char *format,
                   const struct image_trust *trust, struct error **err)
{
    struct image_layer layer;
    _cleanup_free_ char *top = strdup(chain->layers[chain->count - 1].path);
    int r = top ? check_name(name, trust, err) : error_oom(err);
    _cleanup_free_ char *path = r == 0 ? backing_path(top, name, err) : NULL;
    if (r == 0)
        r = path ? open_backing(chain, path, trust, &layer, err) : -ENOMEM;
    if (r == 0)
        r = append(chain, layer, err);
    if (r == 0)
        r = find_format(&chain->layers[chain->count - 1], format, err);
    return r < 0 && top ? error_wrap(err, "%s: its backing file is unusable", top) : r;
}

/* QEMU takes no parent that is not a VMDK image, and none that was changed since (block/vmdk.c,
 * vmdk_is_cid_valid()). */
static int examine_vmdk(struct image_chain *chain, const struct image_trust *trust,
                        struct error **err)
{
    struct image_layer *layer = &chain->layers[chain->count - 1];
    const struct image_layer *above = chain->count > 1 ? layer - 1 : NULL;
    struct vmdk_facts facts = {0};
    int r = vmdk_check(layer->fd, layer->path, &facts, err);
    _cleanup_free_ char *parent = facts.parent;
    if (r < 0)
        return r;
    layer->fixed = facts.fixed;
    layer->parent_cid = facts.parent_cid;
    if (above && above->format == IMAGE_VMDK && above->parent_cid != facts.cid) {
        error_set(err, EINVAL, "%s: was changed after %s was made from it", layer->path,
                  above->path);
        return error_hint(err,
                          "restore the parent as it was: the two do not fit together any more");
    }
    return parent ? descend(chain, parent, image_format_name(IMAGE_VMDK), trust, err) : 0;
}

/* Checks the chain's last image, and adds what it is based on. */
static int examine(struct image_chain *chain, const struct image_trust *trust, struct error **err)
{
    _cleanup_qcow2_header_ struct qcow2_header header = {0};
    struct image_layer *layer = &chain->layers[chain->count - 1];
    if (layer->format == IMAGE_VMDK)
        return examine_vmdk(chain, trust, err);
    if (layer->format == IMAGE_VPC)
        return vhd_check(layer->fd, layer->path, &layer->window, err);
    if (layer->format != IMAGE_QCOW2)
        return parents_refuse(layer->fd, layer->path, layer->format, err);
    int r = read_header(layer, &header, err);
    if (r < 0)
        return r;
    layer->extended_l2 = header.extended_l2;
    /* QEMU repairs it when it opens it for writing, whatever becomes of the edit then. */
    if (header.dirty)
        layer->fixed = "was not closed in order, and its reference counts have to be repaired";
    return header.backing_file
               ? descend(chain, header.backing_file, header.backing_format, trust, err)
               : 0;
}

int image_check(int fd, const char *path, enum image_format format, const struct image_trust *trust,
                struct image_chain *ret, struct error **err)
{
    _cleanup_image_chain_ struct image_chain chain = {0};
    size_t examined = 0;
    int r = add_top(&chain, fd, path, format, err);
    for (; r == 0 && examined < chain.count; examined++)
        r = examine(&chain, trust, err);
    if (r < 0)
        return r;
    *ret = chain;
    chain = (struct image_chain){0};
    return 0;
}

int image_check_path(const char *path, enum image_format format, const struct image_trust *trust,
                     struct image_chain *ret, struct error **err)
{
    int r = undo_recover(path, trust, NULL, err);
    if (r < 0)
        return r;
    /* O_NONBLOCK: a FIFO in an image's place must not block. Files and disks ignore it. */
    int fd = file_open(path, O_RDONLY | O_NONBLOCK, 0, err);
    return fd < 0 ? fd : image_check(fd, path, format, trust, ret, err);
}

int image_check_writable(const struct image_chain *chain, struct error **err)
{
    const struct image_layer *top = &chain->layers[0];
    if (!top->fixed)
        return 0;
    error_set(err, EROFS, "%s: nothing can be written into the %s image: it %s", top->path,
              image_format_name(top->format), top->fixed);
    return error_hint(err, top->format == IMAGE_QCOW2
                               ? "repair it first: qemu-img check -r all IMAGE"
                               : "convert it first: qemu-img convert -O qcow2 OLD NEW");
}

int image_chain_copy(const struct image_chain *chain, struct image_chain *ret, struct error **err)
{
    _cleanup_image_chain_ struct image_chain copy = {0};
    for (size_t i = 0; i < chain->count; i++) {
        struct image_layer layer = chain->layers[i];
        layer.fd = fcntl(layer.fd, F_DUPFD_CLOEXEC, 0);
        if (layer.fd < 0)
            return error_sys(err, errno, "%s: cannot duplicate a descriptor", layer.path);
        layer.path = strdup(layer.path);
        int r = append(&copy, layer, err);
        if (r < 0)
            return r;
    }
    *ret = copy;
    copy = (struct image_chain){0};
    return 0;
}

int image_chain_cover(struct image_chain *chain, int fd, const char *name, struct error **err)
{
    struct stat st;
    if (fstat(fd, &st) < 0) {
        int r = error_sys(err, errno, "%s: cannot read", name);
        close(fd);
        return r;
    }
    int r = append(chain, make_layer(fd, &st, name), err);
    if (r < 0)
        return r;
    struct image_layer cover = chain->layers[chain->count - 1];
    cover.format = IMAGE_QCOW2;
    memmove(chain->layers + 1, chain->layers, (chain->count - 1) * sizeof(cover));
    chain->layers[0] = cover;
    return 0;
}

void image_chain_uncover(struct image_chain *chain)
{
    close(chain->layers[0].fd);
    free(chain->layers[0].path);
    chain->count--;
    memmove(chain->layers, chain->layers + 1, chain->count * sizeof(*chain->layers));
}
