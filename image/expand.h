/* Streaming decompression of disk images into sparse files. */
#pragma once

#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/report.h"

enum compression { COMPRESSION_NONE, COMPRESSION_XZ, COMPRESSION_GZIP, COMPRESSION_ZSTD };

/* The compression by the first bytes of the file. Does not move the file position. */
int compression_probe(int fd, const char *name, enum compression *ret, struct error **err);

struct expand_options {
    enum compression compression;
    uint64_t max_size;     /* refuse to write more bytes than this: -EFBIG */
    uint64_t memory_limit; /* for the decoder; 0: 192 MiB. Threads are reduced to fit */
    struct digest *digest; /* gets every compressed byte as it is read; may be NULL */
    struct reporter *reporter;
    const char *task; /* what the progress is called */
};

/*
 * Reads in_fd from offset 0 to its end and writes the expanded bytes to out_fd from offset 0,
 * leaving holes where 4 KiB blocks are zero; out_fd must be empty. Truncated or damaged input,
 * trailing garbage and an empty file are -EINVAL, said with `name`. *ret_size: the expanded size,
 * which is also the size of the file. xz decodes in as many threads as there are processors.
 */
int image_expand(int in_fd, const char *name, const struct expand_options *options, int out_fd,
                 uint64_t *ret_size, struct error **err);
