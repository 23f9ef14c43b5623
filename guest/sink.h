/* Where the contents of a guest's file go: a host descriptor in which holes may stay holes. Private
 * to guest/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sink {
    int fd; /* not owned */
    bool sparse;
    uint64_t skipped; /* zeroes that were left out since the last data */
};

/* From the descriptor's current position on. Zeroes are left out where they would lie behind the
 * end of a regular file. */
void sink_open(int fd, struct sink *ret);
int sink_data(struct sink *sink, const void *data, size_t size, struct error **err);
/* sink_data(), but blocks of it that are all zeroes may become holes. */
int sink_data_sparse(struct sink *sink, const void *data, size_t size, struct error **err);
int sink_zeroes(struct sink *sink, uint64_t count, struct error **err);
/* To be called at the end of the contents: gives the file its size. */
int sink_end(struct sink *sink, struct error **err);
