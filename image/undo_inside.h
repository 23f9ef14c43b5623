/* What the files of the undo journal share. Internal to image/. */
#pragma once

#include "base/cleanup.h"
#include "image/undo.h"
#include "image/undo_format.h"

DEFINE_CLEANUP(struct undo_writer *, undo_abort);

/* Beside the image itself, where `image` is a link to it. Caller frees. */
char *undo_path(const char *image, struct error **err);
/* Fills in which file the image is. *ret_file: it is a regular one. */
int undo_describe(const char *path, struct undo_header *ret, bool *ret_file, struct error **err);
