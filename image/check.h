/*
 * The gate for disk images. An image may name other files: backing files, files with its data,
 * parents, and QEMU opens whatever is named. Everything that opens an image passes image_check(),
 * and opens then only the files that the check has opened, each in the format that the check has
 * found: nothing is probed or followed a second time.
 */
#pragma once

#include <sys/types.h>

#include "image/image.h"
#include "image/trust.h"

enum { IMAGE_MAX_LAYERS = 64 };

/* A file of the chain. */
struct image_layer {
    char *path; /* the topmost: as it was named; a backing file: where it really lies */
    int fd;     /* the file that was checked */
    enum image_format format; /* never IMAGE_AUTO */
    bool device;              /* a block device */
    bool extended_l2;         /* qcow2 with subclusters, which only QEMU reads */
    uint64_t window;     /* VHD of a fixed size: bytes of the disk, which the file begins with */
    const char *fixed;   /* why nothing can be written into it, NULL: it can be written */
    uint32_t parent_cid; /* VMDK: what the parent says of itself if it is the right one */
    dev_t file_system;   /* which file it is, whatever its name */
    ino_t inode;
};

/* Zero-initialise. */
struct image_chain {
    struct image_layer *layers; /* the image itself first, each based on the one that follows */
    size_t count;
};

/*
 * Checks the image that is open as fd: its format, the chain of its backing files as image/trust.h
 * allows it, and that nothing else is needed: no external data file (qcow2), no extents elsewhere
 * (VMDK), no parent (VHD, VHDX, VDI), no encryption (qcow2). fd becomes the chain's (closed
 * on failure too). The caller takes locks.
 *
 * -EUNTRUSTED: the image names a file that is not allowed. -ELOOP: the chain leads back or is
 * longer than IMAGE_MAX_LAYERS. -ENOTSUP, -EINVAL: encrypted, of an unknown version, or damaged.
 */
int image_check(int fd, const char *path, enum image_format format, const struct image_trust *trust,
                struct image_chain *ret, struct error **err);

/* image_check() on the file of that name, opened for reading. */
int image_check_path(const char *path, enum image_format format, const struct image_trust *trust,
                     struct image_chain *ret, struct error **err);

/* -EROFS, with the remedy, where nothing can be written into the chain's topmost image. To be
 * called before the first change: QEMU opens such images for writing, and fails later or breaks
 * them. */
int image_check_writable(const struct image_chain *chain, struct error **err);

/* The same files by descriptors of their own. */
int image_chain_copy(const struct image_chain *chain, struct image_chain *ret, struct error **err);

/* Puts a qcow2 overlay, which is open as fd, on top. fd becomes the chain's (closed on failure
 * too). */
int image_chain_cover(struct image_chain *chain, int fd, const char *name, struct error **err);

/* Takes the topmost layer away, which is closed. */
void image_chain_uncover(struct image_chain *chain);

void image_chain_free(struct image_chain *chain);
#define _cleanup_image_chain_ _cleanup_(image_chain_free)
