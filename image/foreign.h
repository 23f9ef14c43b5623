/*
 * Files that are no disk images, but hold one or are made to be unpacked: archives, compressed
 * files, and disk images of formats that kiln does not read. Without this they would be taken for
 * raw disks, on which nothing is found.
 */
#pragma once

#include "image/expand.h"

struct foreign_kind {
    const char *what;             /* "compressed with xz" */
    const char *remedy;           /* "xz -dk FILE" */
    enum compression compression; /* which image_expand() knows; else COMPRESSION_NONE */
};

/* By what the file begins with. NULL in *ret: no known kind, so perhaps a raw disk. */
int foreign_probe(int fd, const char *name, const struct foreign_kind **ret, struct error **err);

/* -EINVAL with what it is and how to go on, where foreign_probe() finds a kind. */
int foreign_refuse(int fd, const char *name, struct error **err);
