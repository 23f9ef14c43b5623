/* Writing without the zeroes. Internal to image/. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { SPARSE_BLOCK = 4096 };

/* Writes buf at `offset` into a file that is a hole from there on: each SPARSE_BLOCK bytes of buf
 * that are zero are left out. The file may end before offset + count; see sparse_finish(). */
int sparse_write(int fd, const void *buf, size_t count, uint64_t offset, const char *name,
                 struct error **err);

/* -EINVAL where fd is not an empty regular file open for writing. */
int sparse_check_empty(int fd, const char *name, struct error **err);

/* Gives the file its final size, which makes the holes at its end. */
int sparse_finish(int fd, uint64_t size, const char *name, struct error **err);
