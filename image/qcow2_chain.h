/* Opening qcow2 images one on top of the other. Internal to image/. */
#pragma once

#include <sys/types.h>

#include "image/block.h"
#include "image/qcow2_header.h"

enum { QCOW2_MAX_CHAIN = 64 };

/* The images from one that is being opened up to the topmost. */
struct qcow2_chain {
    const struct qcow2_chain *above; /* NULL: this is the topmost */
    unsigned depth;                  /* 1 for the topmost */
    dev_t device;                    /* which file it is, whatever its name */
    ino_t inode;
    bool lock; /* take QEMU's locks on backing files */
};

/* Which file fd is. -ELOOP when the chain has it already, or is too long. */
int qcow2_chain_enter(struct qcow2_chain *chain, const struct qcow2_chain *above, int fd,
                      const char *path, struct error **err);

/* Opens an image whose place in the chain is `chain`. Owns fd, as qcow2_open() does. */
int qcow2_open_in_chain(int fd, const char *path, const struct qcow2_chain *chain,
                        struct block **ret, struct error **err);

/* Opens the backing file that the header of the image at `path` names; *ret NULL: it names none. */
int qcow2_open_backing(const struct qcow2_header *header, const char *path,
                       const struct qcow2_chain *chain, struct block **ret, struct error **err);
