/* Files and directories that are gone after the run. They are made in $TMPDIR. */
#pragma once

#include "base/error.h"

/* $TMPDIR, else /var/tmp: for what may be large. Valid until the environment changes. */
const char *temp_directory(void);
/* $TMPDIR, else /tmp: for sockets, mount points and small files. */
const char *temp_directory_small(void);

/*
 * A file of temp_directory(), open for reading and writing, that has no name: nobody else can open
 * it, and nothing is left of it once it is closed. On file systems without nameless files it is
 * called PREFIX.XXXXXX until it has been unlinked. Returns the descriptor, which the caller closes,
 * or a negative errno; the message names the directory and the remedy is another TMPDIR.
 */
int temp_file(const char *prefix, struct error **err);

/* A new directory PREFIX.XXXXXX in `parent`, mode 0700. Caller removes it and frees the path. */
int temp_dir_create(const char *parent, const char *prefix, char **ret, struct error **err);
