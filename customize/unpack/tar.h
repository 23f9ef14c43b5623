/* Tar archives (ustar, pax and GNU's), plain or compressed. */
#pragma once

#include "base/error.h"
#include "customize/unpack/unpack.h"

/* That the descriptor holds such an archive, by its first entry. `name` names it in messages. */
int tar_probe(int fd, const char *name, struct error **err);

/* Puts every entry of the archive into the guest. Extended attributes and ACLs in it are left out,
 * as tar(1) does by itself. */
int tar_unpack(int fd, const char *name, struct unpack *unpack, struct error **err);
