/* Copies of whole images: a reflink where the file system has them, else only the data. */
#pragma once

#include "base/digest.h"
#include "base/report.h"
#include "image/block.h"

enum copy_method { COPY_REFLINK, COPY_SPARSE };

/* Makes out_fd (an empty file) equal to in_fd (a regular file) including its holes: FICLONE, else
 * SEEK_DATA and copy_file_range(). Time and space follow the data, not the size. *ret_method may be
 * NULL. */
int copy_file_sparse(int in_fd, const char *in_name, int out_fd, const char *out_name,
                     struct reporter *reporter, enum copy_method *ret_method, struct error **err);

/* Writes the virtual contents of a block source into the empty file out_fd as a raw sparse image of
 * the same size. */
int copy_block_to_raw(struct block *block, int out_fd, const char *out_name,
                      struct reporter *reporter, struct error **err);

/*
 * A digest (hexadecimal, DIGEST_MAX_HEX) of the virtual contents: of each 512-byte sector that is
 * not zero its offset (64-bit little-endian) and its bytes, then the size. The same for a raw image
 * and its qcow2 form; time follows the data, not the size. It is not what sha256sum(1) prints,
 * which would have to hash every hole.
 */
int block_digest(struct block *block, enum digest_kind kind, char *hex, struct error **err);
