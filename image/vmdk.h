/* VMDK images: the files that they consist of. Internal to image/. */
#pragma once

#include "image/vmdk_descriptor.h"

/* What the image open as fd says of itself. */
struct vmdk {
    struct vmdk_descriptor descriptor;
    bool alone;        /* the extents named are the data; else the image holds all data itself */
    const char *fixed; /* why the sparse extents can only be read, NULL: they can be written */
};

/* Reads and parses the descriptor, as a file of its own or inside an image. -EINVAL: it has none,
 * or one that is not understood in full. Nothing else is opened. */
int vmdk_read(int fd, const char *name, struct vmdk *ret, struct error **err);
void vmdk_free(struct vmdk *vmdk);
#define _cleanup_vmdk_ _cleanup_(vmdk_free)

/* What kiln has to know of an image that was checked. */
struct vmdk_facts {
    const char *fixed;   /* why nothing can be written into it ("is compressed"), NULL: it can be */
    char *parent;        /* what the image names as its parent, owned by the caller; NULL: none */
    uint32_t cid;        /* changes with the contents */
    uint32_t parent_cid; /* what the parent's was when the image was made */
};

/*
 * A VMDK names other files: those that hold its data, and the parent of a snapshot. QEMU opens
 * whatever they name. This refuses, with -EUNTRUSTED, an image whose data lies anywhere but in its
 * own folder (that of `path`, as QEMU takes it), reached without a symbolic link; with -EINVAL
 * extents that are no regular files or name further files. The parent is for the caller to judge.
 */
int vmdk_check(int fd, const char *path, struct vmdk_facts *ret, struct error **err);
