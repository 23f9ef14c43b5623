/*
 * qcow2 images, versions 2 and 3 (QEMU docs/interop/qcow2.txt).
 *
 * The reader serves plain, compressed (zlib, zstd) and zero clusters, and backing files. Encrypted
 * images, external data files, extended L2 entries, images marked as corrupt and unknown
 * incompatible features are refused by name. Every field is range-checked; see qcow2_format.h for
 * the caps.
 */
#pragma once

#include "image/block.h"

/* Opens read-only, over the contents of its backing file; NULL: it has none. Both fd and `backing`
 * become the block's (closed on failure too). Which file may be its backing file is for
 * image_check() to say. */
int qcow2_open(int fd, const char *path, struct block *backing, struct block **ret,
               struct error **err);

/* The first run of clusters that the image itself has, at `from` or behind it, whatever lies in its
 * backing file: *ret_length is 0 where there is none. *ret_zero: they read as zeroes. */
int qcow2_next_own(struct block *qcow2, uint64_t from, uint64_t *ret_offset, uint64_t *ret_length,
                   bool *ret_zero, struct error **err);

/* Writes an empty overlay of `size` bytes (rounded up to a sector of 512) over backing_file into
 * the empty file fd: a version 3 image with 64 KiB clusters that names its backing format ("raw",
 * "qcow2"), as `qemu-img create -b -F` makes it. */
int qcow2_create_overlay(int fd, const char *name, uint64_t size, const char *backing_file,
                         const char *backing_format, struct error **err);
