/* Regular files as a tar archive in memory (libarchive), for what takes many at once. It is POSIX's
 * pax format, which has names of any length and bytes, and numbers of any size. */
#pragma once

#include "base/str.h"
#include "guest/guest.h"

struct tar_stream;

/* `out` gets the archive, and must outlive it. */
int tar_stream_new(struct str *out, struct tar_stream **ret, struct error **err);

/* Adds a file under the name, which must not begin with a slash. */
int tar_stream_add(struct tar_stream *stream, const char *name, const struct guest_new_file *file,
                   struct error **err);

/* To be called once, behind the last file; `out` is complete then. */
int tar_stream_end(struct tar_stream *stream, struct error **err);

/* Accepts NULL. */
void tar_stream_free(struct tar_stream *stream);
DEFINE_CLEANUP(struct tar_stream *, tar_stream_free);
#define _cleanup_tar_stream_ _cleanup_(tar_stream_freep)
