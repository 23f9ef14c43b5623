/*
 * Opening disk images: which format it is, who else uses it, and which kind of block source
 * serves it.
 */
#pragma once

#include "image/block.h"

struct image_trust;

enum image_format {
    IMAGE_AUTO, /* told from its contents; raw only where no known magic is found */
    IMAGE_RAW,
    IMAGE_QCOW2,
    IMAGE_VMDK,
    IMAGE_VDI,
    IMAGE_VHDX,
    IMAGE_VPC,
};

/* "raw", "qcow2", ... as qemu-img spells them. */
const char *image_format_name(enum image_format format);
/* The reverse; "auto" as well. -EINVAL with the list of known names otherwise. */
int image_format_parse(const char *name, enum image_format *ret, struct error **err);

/* The format by the first bytes of the file, and the last ones. Never IMAGE_AUTO. -EINVAL: no disk
 * image, but an archive, a compressed file, or an image that kiln does not read (foreign.h). */
int image_probe(int fd, const char *name, enum image_format *ret, struct error **err);

struct image_open_options {
    enum image_format format;
    bool writable;
    /* Take QEMU's lock bytes for the time the image is open, and refuse an image that another
     * process uses in a conflicting way (-EBUSY). */
    bool lock;
    bool unseal;      /* write even to a sealed template (image/seal.h), which is else -EPERM */
    bool interrupted; /* an interrupted commit is not undone first (image/undo.h) */
    const struct image_trust *trust; /* which backing files it may have; see image/trust.h */
};

/*
 * Opens an image that image_check() lets pass. Raw images and read-only qcow2 images are served
 * in-process; writable qcow2 and every other format by a qemu-nbd child on a private socket. An
 * image in use is -EBUSY; qemu-nbd missing is -ENOENT with the package to install. Backing files
 * are opened read-only. qemu-nbd dies with the thread that opened the image.
 */
int image_open(const char *path, const struct image_open_options *options, struct block **ret,
               struct error **err);

/* The same for a file that is open in that mode, and not sealed. fd becomes the block's (closed on
 * failure too); `path` names it in messages, and says where what it names is looked for. */
int image_open_fd(int fd, const char *path, const struct image_open_options *options,
                  struct block **ret, struct error **err);

/* A raw block source over an open descriptor, which the block then owns (closed on failure too). */
int block_from_fd(int fd, const char *name, bool writable, struct block **ret, struct error **err);

struct stat;
/* Refuses what is neither a file nor a block device. */
int image_check_kind(const struct stat *st, const char *path, struct error **err);

struct image_info {
    enum image_format format;
    uint64_t virtual_size; /* bytes */
    uint64_t file_size;    /* bytes, as stat's st_size */
    uint64_t allocated;    /* bytes on the host's disk, the file itself without its backing chain */
    char *backing_file;    /* as the image spells it, NULL: none */
    char *backing_format;  /* NULL: none or not stated */
};

/* Facts without opening for data. Caller frees with image_info_free(). */
int image_info_read(const char *path, enum image_format format, struct image_info *ret,
                    struct error **err);
/* The same for an open file, which is closed then. */
int image_info_read_fd(int fd, const char *path, enum image_format format, struct image_info *ret,
                       struct error **err);
void image_info_free(struct image_info *info);

/*
 * QEMU's image locking (QEMU block/file-posix.c: bytes 100+n for a permission in use, 200+n for one
 * that others may not have). Takes shared open-file-description locks on fd as a QEMU that opens
 * the image with the same mode would, after checking that nobody holds a conflicting one: -EBUSY
 * with the hint to shut the machine down. Dropped when the open file description is closed.
 */
int image_lock(int fd, bool writable, const char *name, struct error **err);
