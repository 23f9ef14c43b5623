/*
 * Output files that appear complete or not at all.
 *
 * The file is written without a name (O_TMPFILE), or under a hidden temporary name where the file
 * system has no such thing, and gets its final name by rename once its data is on disk. A process
 * that is killed leaves nothing under the final name, and with O_TMPFILE nothing at all. The one
 * failure behind the rename, that of syncing the directory, is told apart: see outfile_commit().
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct outfile;

/* Begins an output that is to appear at `path`. An existing regular file there stays as it is until
 * the commit replaces it; a directory, device or socket there is refused, with a hint. */
int outfile_open(const char *path, mode_t mode, struct outfile **ret, struct error **err);

/* Open for reading and writing; owned by the outfile. */
int outfile_fd(const struct outfile *out);

/* The path given to outfile_open(). */
const char *outfile_path(const struct outfile *out);

/* Gives the unfinished file its hidden temporary name now, for programs that cannot open
 * outfile_child_path(): those that resolve links first. A process that is killed leaves that name
 * behind. NULL on error. */
const char *outfile_give_name(struct outfile *out, struct error **err);

/* A path by which a child process can open the unfinished file, while this process lives. */
const char *outfile_child_path(const struct outfile *out);

/* Whether the output stands under its name. */
enum outfile_state {
    OUTFILE_ABSENT, /* what was there before is there still */
    OUTFILE_PLACED, /* complete and under its name; after a failure, a crash of the host may undo it
                     */
};

/* Writes the data to disk, gives the file its name and frees `out`, also on failure. With
 * `exclusive`, an existing file at the path is -EEXIST. *ret_state is set in any case; NULL: not
 * wanted, the message tells it as well. */
int outfile_commit(struct outfile *out, bool exclusive, enum outfile_state *ret_state,
                   struct error **err);

/* Abandons the output: nothing of it remains. Accepts NULL. */
void outfile_abort(struct outfile *out);

DEFINE_CLEANUP(struct outfile *, outfile_abort);
#define _cleanup_outfile_ _cleanup_(outfile_abortp)

/* A whole small file in one call, through an outfile. */
int file_write_atomic(const char *path, const void *data, size_t size, mode_t mode,
                      struct error **err);
