/*
 * Block sources served by a qemu-nbd child, for every format that kiln does not read itself and for
 * all writes into qcow2. The child listens on a socket in a private directory, serves this one
 * connection, and ends with it.
 */
#pragma once

#include "image/image.h"

/*
 * Serves the image at `path`. fd is the open image and holds the locks, if any; it becomes the
 * block's (closed on failure too). qemu-nbd itself takes no lock on that file.
 *
 * block_close() waits until qemu-nbd has written its metadata and has ended. Errors on that way are
 * lost: call block_flush() before. qemu-nbd dies with the thread that opened the block.
 *
 * -ENOENT with the package to install when qemu-nbd is missing.
 */
int nbd_block_open(int fd, const char *path, enum image_format format, bool writable,
                   struct block **ret, struct error **err);
