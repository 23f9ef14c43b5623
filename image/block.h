/*
 * The block source: random access to the virtual contents of a disk image, whatever its format.
 *
 * The functions below are the gate: they check range and mode, so that the kinds behind the vtable
 * may assert them. Offsets and lengths are bytes, without alignment requirements. A block belongs
 * to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct block;

enum block_state {
    BLOCK_DATA, /* may hold anything */
    BLOCK_ZERO, /* reads as zeroes, known without reading: a hole or an unallocated cluster */
};

struct block_ops {
    const char *name; /* "raw", "qcow2", "nbd" */
    int (*pread)(struct block *block, void *buf, size_t count, uint64_t offset, struct error **err);
    /* NULL for kinds that cannot be written. */
    int (*pwrite)(struct block *block, const void *buf, size_t count, uint64_t offset,
                  struct error **err);
    int (*flush)(struct block *block, struct error **err);
    /* State of the run that begins at offset: *ret_length in 1..length. NULL: all is data. */
    int (*extent)(struct block *block, uint64_t offset, uint64_t length, enum block_state *ret,
                  uint64_t *ret_length, struct error **err);
    /* The range reads as zeroes from then on; where it can be, the space that it took is given
     * back. NULL, or -EOPNOTSUPP without a message: the gate writes zeroes instead. */
    int (*discard)(struct block *block, uint64_t offset, uint64_t length, struct error **err);
    /* Releases what the kind added; block_close() then frees the name and the block itself. May be
     * NULL. */
    void (*close)(struct block *block);
};

/* Kinds allocate themselves on the heap and embed this as their first member. */
struct block {
    const struct block_ops *ops;
    char *name;    /* for messages: the image's path; owned */
    uint64_t size; /* virtual size in bytes */
    bool writable;
};

/* A range outside [0, size) is -EINVAL for all of these. */
int block_pread(struct block *block, void *buf, size_t count, uint64_t offset, struct error **err);
/* -EROFS on a block that was opened read-only. */
int block_pwrite(struct block *block, const void *buf, size_t count, uint64_t offset,
                 struct error **err);
/* Makes what was written durable. */
int block_flush(struct block *block, struct error **err);
/* Lets a range go: it reads as zeroes afterwards, and takes no space where the kind knows holes.
 * -EROFS as block_pwrite(). */
int block_discard(struct block *block, uint64_t offset, uint64_t length, struct error **err);
/* The state of the run at offset, at most `length` bytes of it. Two runs that follow each other may
 * have the same state. A length of 0 is -EINVAL. */
int block_extent(struct block *block, uint64_t offset, uint64_t length, enum block_state *ret,
                 uint64_t *ret_length, struct error **err);

/* Closes and frees. Accepts NULL. Does not flush. */
void block_close(struct block *block);

DEFINE_CLEANUP(struct block *, block_close);
#define _cleanup_block_ _cleanup_(block_closep)
