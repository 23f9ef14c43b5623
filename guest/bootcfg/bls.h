/* Boot Loader Specification entries, type 1
 * (https://uapi-group.org/specifications/specs/boot_loader_specification/). */
#pragma once

#include <stddef.h>

#include "base/str.h"
#include "guest/guest.h"

struct bls_entry {
    char *id;    /* the file's name without ".conf" */
    char *title; /* each of these "" where it is missing */
    char *version;
    char *sort_key;
    char *machine_id;
    char *architecture;
    char *kernel;
    char *efi;           /* a program of the firmware, which is started instead of a kernel */
    struct strv initrds; /* in the order of the lines */
    char *options;       /* of all lines, joined by spaces; variables as they stand */
};

/* Reads the text of one file. */
int bls_parse(const char *id, const char *text, struct bls_entry *ret, struct error **err);
void bls_entry_free(struct bls_entry *entry);
#define _cleanup_bls_entry_ _cleanup_(bls_entry_free)

struct bls_list {
    struct bls_entry *items;
    size_t count;
};

void bls_list_free(struct bls_list *list);
#define _cleanup_bls_list_ _cleanup_(bls_list_free)

/* Adds what a directory of the guest has, in no order. A file that cannot be read, or more than 500
 * of them, is a failure; a directory that does not exist is empty. */
int bls_read_dir(struct guest *guest, const char *dir, struct bls_list *list, struct error **err);

/* Best first, as the specification sorts a menu: entries that have been tried too often (boot
 * counting, "NAME+0-3.conf") come last. For qsort(). */
int bls_compare(const void *a, const void *b);
/* Best first, as GRUB's blscfg sorts: by file name. For qsort(). */
int bls_compare_by_id(const void *a, const void *b);
