/* What a journal remembers of each path, and how paths are told apart. Private to guest/. */
#pragma once

#include "base/digest.h"
#include "base/hash.h"
#include "guest/engine.h"
#include "guest/journal/journal.h"

enum journal_touch {
    JOURNAL_CONTENTS = 1 << 0, /* contents may have changed */
    JOURNAL_TIMES = 1 << 1,    /* times were set */
    JOURNAL_XATTRS = 1 << 2,   /* extended attributes were set */
    JOURNAL_GONE = 1 << 3,     /* removed, so that its contents matter to a difference alone */
};

/* A path as it was before the first change that concerns it. */
struct journal_record {
    char *path; /* resolved */
    bool existed;
    unsigned touched; /* enum journal_touch, all that happened since */
    struct guest_stat stat;
    char *contents; /* kept contents, or a link's target; NULL: neither */
    size_t size;
    char digest[DIGEST_MAX_HEX]; /* of contents that are not kept; "": not known */
    char *xattrs;                /* as journal_xattrs() tells; NULL: not asked */
};

/* Zero-initialise. Records by path. */
struct journal_records {
    struct hash table; /* of struct journal_record */
};

/* NULL: there is none. */
struct journal_record *journal_find(const struct journal_records *records, const char *path);
/* Adds an empty record for a path that has none. NULL and *err without memory. */
struct journal_record *journal_add(struct journal_records *records, const char *path,
                                   struct error **err);
void journal_records_free(struct journal_records *records);

/* All extended attributes of a path (not followed) as one text; caller frees. NULL where they
 * cannot be read. */
char *journal_xattrs(struct guest *guest, const char *path);

/* Fills the record from the guest as it is. */
int journal_look(struct guest *guest, struct journal_record *record, const struct guest_stat *st,
                 unsigned touch, bool keep, struct error **err);

/* The net changes, sorted by path; caller frees with journal_net_free(). */
int journal_net(struct guest *guest, const struct journal_records *records,
                struct guest_journal *ret, struct error **err);
void journal_net_free(struct guest_journal *net);
