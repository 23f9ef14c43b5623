/* ISO 9660 images with Joliet and Rock Ridge, through libarchive, whose types stay inside iso.c. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* A regular file in the root directory. */
struct iso_file {
    const char *name;
    const void *data;
    size_t size;
};

/*
 * Makes the image in memory: the same bytes for the same label and files, whatever the user, time
 * and place. Label: at most 16 characters. Files are owned by root and have mode 0644. Caller frees
 * *ret_data.
 */
int iso_make(const char *label, const struct iso_file *files, size_t count, char **ret_data,
             size_t *ret_size, struct error **err);

/*
 * iso_make()'s last step (iso_pin.c): overwrites what libarchive takes from the clock, the time
 * zone, the user and its own version. -EBADMSG where the image is not laid out as expected.
 */
int iso_pin(char *data, size_t size, struct error **err);

/* What iso_read() looks for: name is set by the caller, the rest by the call. */
struct iso_found {
    const char *name; /* in the root directory */
    char *data;       /* a NUL follows; caller frees. NULL: there is no such file */
    size_t size;
};

struct iso_wanted {
    const char *label; /* of the image, in any case */
    size_t max;        /* bytes of each file */
    struct iso_found *files;
    size_t count;
};

/* Reads those regular files out of an image in memory. `name` is for messages. -EINVAL: not an
 * image with that label. */
int iso_read(const char *data, size_t size, const char *name, const struct iso_wanted *wanted,
             struct error **err);
