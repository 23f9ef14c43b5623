/*
 * A guest that keeps a record of what is changed in another one: what a report lists, what a dry
 * run shows, and which files get labels.
 */
#pragma once

#include "guest/guest.h"

enum guest_change {
    GUEST_CHANGE_CREATED,
    GUEST_CHANGE_CONTENTS,   /* and perhaps attributes */
    GUEST_CHANGE_ATTRIBUTES, /* mode, owner, times, extended attributes */
    GUEST_CHANGE_REMOVED,
};

/* What became of one path, from the opening of the journal until now: a file that was created and
 * removed again is not among them, nor one that was written with what it held before (as far as its
 * contents are at most guest_journal_keep_max bytes; larger ones count as changed once they are
 * written). */
struct guest_journal_entry {
    char *path; /* with the links in it resolved, as far as engines tell */
    enum guest_change change;
    bool remade;     /* was removed in between: what is there now is another file */
    mode_t old_mode; /* type and permissions; 0: did not exist */
    /* The contents before, where the journal keeps them and the file was a regular one of at most
     * guest_journal_keep_max bytes, or the target of a link; NULL otherwise. */
    char *old_contents;
    size_t old_size;
};

struct guest_journal {
    struct guest_journal_entry *entries; /* sorted by path */
    size_t count;
    bool programs_ran; /* programs of the guest changed what the journal cannot know */
};

extern const uint64_t guest_journal_keep_max; /* bytes: 1 MiB */

/*
 * Wraps `inner`, which the new guest then owns (closed on failure too): same engine name, reason
 * and capabilities. keep_contents: for differences.
 */
int guest_journal_open(struct guest *inner, bool keep_contents, struct guest **ret,
                       struct error **err);
/* The record so far, made by looking at the guest as it is now; changes may go on while it is read.
 * Valid until the next call or the closing of the guest. NULL: this guest keeps none, or no memory
 * is left. */
const struct guest_journal *guest_journal_of(struct guest *guest);
/* For rehearsals: programs of the guest are not run from now on; each counts as a success without
 * output. The guest then has GUEST_CAN_RUN and GUEST_CAN_NETWORK, whatever serves it. */
void guest_journal_pretend(struct guest *guest);
/* Ends the record and gives back the guest that was wrapped, for guest_close(). */
struct guest *guest_journal_unwrap(struct guest *guest);
