/* Making the guest use a larger disk: the partition, then the file system in it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/report.h"
#include "repos/index.h"

struct grow_result {
    char device[24]; /* "/dev/sda3", or "/dev/sda" for a disk without partitions */
    uint64_t length; /* bytes that the partition (or disk) now has */
    bool filesystem; /* the file system was grown too */
};

/*
 * Works on the raw image at `path`, already of its new size. The entry's expand= names the
 * partition as virt-builder does ("/dev/sda3"), NULL: the last one on the disk, which must not be
 * swap. Grows ext2/3/4 by resize2fs; another file system, or the logical volume of lvexpand=, stays
 * as it is, with a message.
 */
int build_grow(const char *path, const char *name, const struct index_entry *entry,
               struct reporter *reporter, struct grow_result *ret, struct error **err);

/* The partition number of "/dev/sda3" (or vda, hda, xvda): 3; 0 for a whole disk. -EINVAL for
 * anything else. */
int grow_parse_device(const char *device, unsigned *ret, struct error **err);
