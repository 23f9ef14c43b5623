/* Where drivers and programs for Windows come from: virtio-win.iso, or a directory of the host with
 * the same files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Larger files are refused: what is injected has at most some 20 MiB. */
extern const size_t windows_source_file_max; /* bytes */

/* Paths are relative to the root of the source, without a leading slash. */
struct windows_source_visitor {
    /* That the file is wanted: its contents are read then. */
    bool (*wants)(void *context, const char *path);
    /* Once for each wanted file. A negative return ends the visit with that value. */
    int (*file)(void *context, const char *path, const char *data, size_t size, struct error **err);
    void *context;
};

/* That there is such a directory or ISO image. `method` is what the user gave. */
int windows_source_check(const char *method, struct error **err);

/* Goes through all regular files: in a directory, in the order of their names; in an image, as they
 * lie. */
int windows_source_visit(const char *method, const struct windows_source_visitor *visitor,
                         struct error **err);

/* The same for an image (iso.c). `name` names it in messages. */
int windows_iso_check(int fd, const char *name, struct error **err);
int windows_iso_visit(int fd, const char *name, const struct windows_source_visitor *visitor,
                      struct error **err);
