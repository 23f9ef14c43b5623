/*
 * A block source that takes the writes to another one and keeps them apart: thrown away with it, or
 * written into the base by staged_commit(). The native engine uses it for edits that must succeed
 * as a whole and for dry runs, our own runner (vmm/kvm/) for disks that a guest must not change.
 * The appliance and QEMU have qcow2 overlays instead. For one thread at a time.
 */
#pragma once

#include "image/image.h"

/* Bytes of changed clusters that are kept in memory; what goes beyond is kept in a nameless file in
 * $TMPDIR (else /var/tmp). Clusters of zeroes take no room. 0: the default of 32 MiB. */
struct staged_options {
    uint64_t memory_max;
};

/* `base` is then owned by the new block (closed on failure too). Its `writable` matters to
 * staged_commit() alone. A temporary file that cannot grow is -ENOSPC and names its directory. */
int staged_open(struct block *base, const struct staged_options *options, struct block **ret,
                struct error **err);

/* Writes every change into the base by image/commit.h, which keeps an undo journal beside `image`
 * (NULL: none); nothing is kept apart then, and the block can take the next changes. -ETORN: some
 * may have been written; committing again is safe. After any other failure the base is as it was.
 * What was discarded is let go when all else is done: nothing may refer to it any more. */
int staged_commit(struct block *staged, const char *image, enum image_format format,
                  struct error **err);

/*
 * For a commit that is cut short by SIGKILL or a loss of power: the next staged_commit() first
 * writes `bytes` (copied; within one 4 KiB cluster) to the base and flushes it, and writes the
 * changes of that cluster behind all others. So a file system can be marked as not clean for as
 * long as it is not. Without effect where nothing is staged in that cluster.
 */
int staged_guard(struct block *staged, uint64_t offset, const void *bytes, size_t size,
                 struct error **err);

/* Bytes of clusters that differ, or may differ, from the base. */
uint64_t staged_size(const struct block *staged);
