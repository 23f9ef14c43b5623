/*
 * Streaming decompression behind one interface. Internal to image/.
 *
 * A decoder takes one stream at a time; what follows a stream (padding, another one, garbage) is
 * the driver's business, in expand.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/expand.h"

/* Where a decoder reads and writes. It moves the pointers and lowers the counts. */
struct decoder_io {
    const uint8_t *in;
    size_t in_left;
    uint8_t *out;
    size_t out_left;
};

enum decoder_result {
    DECODER_MORE,        /* needs more input or more room */
    DECODER_END,         /* the stream is complete and its checks are right */
    DECODER_FOREIGN,     /* does not begin as a stream of this kind */
    DECODER_DAMAGED,     /* the data is corrupt */
    DECODER_UNSUPPORTED, /* valid, but with an option that the library lacks */
    DECODER_MEMORY,      /* needs more memory than the limit */
    DECODER_NO_MEMORY,   /* the system has none left */
};

struct decoder_ops {
    const char *name; /* "xz" */
    unsigned padding; /* zero bytes may follow a stream, in multiples of this; 0: none */
    void *(*new)(uint64_t memory_limit); /* NULL: out of memory */
    /* Before each stream. DECODER_MORE, or what went wrong. */
    enum decoder_result (*begin)(void *state);
    /* `last`: no input comes after io->in. */
    enum decoder_result (*step)(void *state, struct decoder_io *io, bool last);
    void (*free)(void *state); /* accepts NULL */
};

/* Of each kind of compression but COMPRESSION_NONE. */
int decoder_find(enum compression compression, const struct decoder_ops **ret, struct error **err);

extern const struct decoder_ops decoder_xz;
extern const struct decoder_ops decoder_gzip;
extern const struct decoder_ops decoder_zstd;
