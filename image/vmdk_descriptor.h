/*
 * The text of a VMDK descriptor: which files hold the disk, and which image it is based on.
 *
 * QEMU reads that text with sscanf() and strstr(), so that it finds extents and keys where a reader
 * of lines would not (in the middle of a comment, on the line after next). A text is accepted here
 * only where both ways of reading come to the same result. Everything else is refused: lines of
 * unknown meaning, repeated keys, NUL bytes, keys behind the part in which QEMU looks for them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    VMDK_SECTOR = 512,
    VMDK_DESCRIPTOR_MAX = (1 << 20) - 1,  /* bytes that QEMU reads of a descriptor file */
    VMDK_EMBEDDED_MAX = 20 * VMDK_SECTOR, /* and of a descriptor inside an image */
    VMDK_EXTENT_NAME_MAX = 511,           /* longer names QEMU cuts off */
};

enum vmdk_access { VMDK_RW, VMDK_RDONLY, VMDK_NOACCESS };

enum vmdk_extent_type {
    VMDK_FLAT,
    VMDK_VMFS,
    VMDK_SPARSE,
    VMDK_VMFSSPARSE,
    VMDK_SESPARSE,
    /* QEMU skips extents of these types. */
    VMDK_ZERO,
    VMDK_VMFSRDM,
    VMDK_VMFSRDMP,
    VMDK_VMFSRAW,
};

struct vmdk_extent {
    enum vmdk_access access;
    uint64_t sectors;
    enum vmdk_extent_type type;
    char *name;      /* as it stands in the descriptor; NULL for VMDK_ZERO */
    uint64_t offset; /* sectors from the beginning of the file; VMDK_FLAT only, else 0 */
};

/* Zero-initialise. */
struct vmdk_descriptor {
    char *create_type;
    char *parent; /* parentFileNameHint; NULL: none */
    uint32_t cid;
    uint32_t parent_cid;
    struct vmdk_extent *extents; /* in the order of the disk */
    size_t count;
    uint64_t sectors; /* of all extents; in bytes they fit in an int64_t */
};

/* Parses the text, which ends with its first NUL byte; only padding may follow. `name` names the
 * image in messages. -EINVAL: not understood in full. */
int vmdk_descriptor_parse(const char *text, size_t size, const char *name,
                          struct vmdk_descriptor *ret, struct error **err);

/*
 * Whether QEMU reads all extents, and reads nothing but files beside the descriptor: at least one
 * extent, all of a type that QEMU knows and with a plain file name. `alone` says that the extents
 * are the image's data: then all must be writable, since QEMU skips the others, and the type of the
 * disk must be one that QEMU knows. Else the descriptor stands inside its only extent, which QEMU
 * reads whatever the descriptor says of it. -EINVAL where it is not so.
 */
int vmdk_descriptor_check(const struct vmdk_descriptor *descriptor, bool alone, const char *name,
                          struct error **err);

void vmdk_descriptor_free(struct vmdk_descriptor *descriptor);
#define _cleanup_vmdk_descriptor_ _cleanup_(vmdk_descriptor_free)
