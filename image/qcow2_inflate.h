/* Compressed clusters. Internal to image/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* To be called once before: has the libraries loaded, which is too late where a thread may open no
 * files any more. */
int qcow2_inflate_begin(struct error **err);

/* Expands `in` to exactly out_size bytes; what follows the compressed data in `in` is padding.
 * -EIO when it is damaged or shorter, -ENOMEM. */
int qcow2_inflate(bool zstd, const void *in, size_t in_size, void *out, size_t out_size);
