/* Boot Loader Specification entries, type 1
 * (https://uapi-group.org/specifications/specs/boot_loader_specification/). */
#pragma once

#include <stddef.h>

#include "base/error.h"

struct bls_entry {
    char *id;    /* the file's name without ".conf" */
    char *title; /* each of these "" where it is missing */
    char *version;
    char *sort_key;
    char *machine_id;
    char *kernel;
    char *initrd;  /* the last one, where there are several */
    char *options; /* of all lines, joined by spaces; variables as they stand */
};

/* Reads the text of one file. */
int bls_parse(const char *id, const char *text, struct bls_entry *ret, struct error **err);
void bls_entry_free(struct bls_entry *entry);
#define _cleanup_bls_entry_ _cleanup_(bls_entry_free)

/* Best first, as the specification sorts a menu. For qsort(). */
int bls_compare(const void *a, const void *b);
/* Best first, as GRUB's blscfg sorts: by file name. For qsort(). */
int bls_compare_by_id(const void *a, const void *b);
