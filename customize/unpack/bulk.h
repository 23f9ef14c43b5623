/*
 * Many small files on their way into the guest, gathered for engines that take them together. They
 * are there only after bulk_flush().
 */
#pragma once

#include <stdbool.h>

#include "customize/unpack/unpack.h"
#include "guest/text/place.h"

/* Zero-initialise but for the guest. */
struct bulk {
    struct guest *guest;
    struct guest_new_file *files; /* own paths and data */
    size_t count;
    size_t bytes;
    char *directory;            /* of the last file that was asked about; NULL: none */
    struct place_entries names; /* what that directory held, once `listed` */
    bool listed;
};

/* Whether the entry is a file that is better gathered. */
bool bulk_takes(const struct bulk *bulk, const struct unpack_entry *entry);

/* Takes copies of path and contents. mtime: seconds since 1970. */
int bulk_add(struct bulk *bulk, const char *path, const struct unpack_entry *entry, int64_t mtime,
             struct error **err);

/* Puts what was gathered into the guest. */
int bulk_flush(struct bulk *bulk, struct error **err);

/* Whether nothing is at the path, or only what this bulk has put there, as far as that can be told
 * without a look at the path itself: the second question about a directory has it listed. */
bool bulk_knows_absent(struct bulk *bulk, const char *path);

/* To be called where something but a gathered file was put into a directory, or taken away. */
void bulk_forget(struct bulk *bulk);

/* What was not flushed is lost. */
void bulk_release(struct bulk *bulk);
