/* Regular files as a tar archive, for what takes many at once. GNU's form of the ustar format (GNU
 * tar manual, "Basic Tar Format"): names of any length, numbers of any size. */
#pragma once

#include "base/str.h"
#include "guest/guest.h"

/* Adds a file under the name, which must not begin with a slash. Failures stick to the archive. */
void tar_stream_add(struct str *archive, const char *name, const struct guest_new_file *file);

/* To be called once, behind the last file. */
void tar_stream_end(struct str *archive);
