/* A checked chain of images as QEMU's programs are to open it. */
#pragma once

#include "image/check.h"

struct image_node_options {
    const char *name;  /* node-name of the topmost; NULL: none */
    bool writable;     /* the topmost; what is discarded there is freed */
    bool caller_locks; /* the caller has the locks, and QEMU takes none */
    bool file_name;    /* for programs that take a file name: "json:" is put before it */
};

/*
 * The tree of block nodes, in JSON, as -blockdev takes it. Every layer has its format and its file,
 * and the last one is said to have no backing file: QEMU probes nothing, and follows no name that
 * stands in an image. Files are named by the descriptors of the chain ("/proc/PID/fd/N"), so that
 * nothing can come between check and use, and the chain has to stay open as long as QEMU may open
 * them. VMDK images alone are named by their paths: their extents are looked up beside them.
 * Caller frees.
 */
char *image_nodes(const struct image_chain *chain, const struct image_node_options *options,
                  struct error **err);
