/*
 * Block sources served by a qemu-nbd child, for every format that kiln does not read itself and for
 * all writes into qcow2. The child listens on a socket in a private directory, serves this one
 * connection, and ends with it.
 */
#pragma once

#include "image/check.h"

struct nbd_options {
    bool writable;
    bool caller_locks; /* the chain's descriptors hold the locks; else qemu-nbd takes its own */
    bool shared;       /* others may connect to nbd_block_socket() as well */
};

/*
 * Serves a checked chain, which becomes the block's (empty afterwards, on failure too).
 *
 * block_close() waits until qemu-nbd has written its metadata and has ended. Errors on that way are
 * lost: call block_flush() before. qemu-nbd dies with the thread that opened the block.
 *
 * -ENOENT with the package to install when qemu-nbd is missing.
 */
int nbd_block_open(struct image_chain *chain, const struct nbd_options *options, struct block **ret,
                   struct error **err);

/* The path of the socket of a block that was opened as shared, until nbd_block_hide(). */
const char *nbd_block_socket(const struct block *block);
/* Removes the socket: those that are connected stay so. */
void nbd_block_hide(struct block *block);
