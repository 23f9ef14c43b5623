/* Where the paths that operations get really lead in the guest. */
#pragma once

#include "base/error.h"
#include "guest/guest.h"

/* DIRECTORY/NAME with one slash between them. Caller frees; NULL on error. */
char *place_join(const char *directory, const char *name, struct error **err);

/* The path without slashes at its end; "/" stays. Caller frees; NULL on error. */
char *place_trim(const char *path, struct error **err);

/*
 * The path that an object at `source` gets at `dest`, as cp(1), mv(1) and ln(1) see it: within
 * `dest` under its own name where that is a directory or a link to one, else `dest` itself.
 * `source` may be a path of the host. Caller frees.
 */
int place_destination(struct guest *guest, const char *dest, const char *source, char **ret,
                      struct error **err);

/* What is at `path` itself (links not followed): 1 and *ret, or 0 where there is nothing. */
int place_look(struct guest *guest, const char *path, struct guest_stat *ret, struct error **err);

/* Appends the names in the directory, sorted by bytes. */
int place_list(struct guest *guest, const char *directory, struct strv *names, struct error **err);

struct place_entry {
    char *name;
    mode_t type; /* S_IFREG, ...; 0: not known, see guest_dirent_fn */
};

struct place_entries {
    struct place_entry *items;
    size_t count;
};

void place_entries_free(struct place_entries *entries);

/* What is in the directory, sorted by name; caller frees with place_entries_free(). */
int place_entries(struct guest *guest, const char *directory, struct place_entries *ret,
                  struct error **err);
