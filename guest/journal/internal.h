/* A journal's inside: what its files share. */
#pragma once

#include "guest/journal/record.h"

struct journal {
    struct guest guest;
    struct guest_ops ops; /* of this one, as the inner one offers them */
    struct guest *inner;
    bool keep;
    bool programs_ran;
    bool pretend; /* that programs run */
    struct journal_records records;
    struct guest_journal net; /* as last asked for */
    /* The directory that was resolved last: consecutive changes are often in one directory. NULL:
     * none. */
    char *directory, *resolved;
};

static inline struct journal *journal_of(struct guest *guest)
{
    return (struct journal *)guest;
}

/* Remembering (note.c). */

/* To be called where a path may lead elsewhere from now on. */
void journal_forget_directory(struct journal *journal);

/* Remembers what is at `path` now, before it changes. A path that cannot be resolved is left to
 * the operation, which fails on it. `touch`: enum journal_touch. */
int journal_note(struct guest *guest, const char *path, bool follow, unsigned touch,
                 struct error **err);
/* The same where nothing is, or what this journal knows: saves a look. */
int journal_note_new(struct guest *guest, const char *path, struct error **err);
/* The same for all that a rename moves and what it replaces. */
int journal_note_rename(struct journal *journal, const char *from, const char *to,
                        struct error **err);

/* The vtable (ops.c). */

/* The operations that the inner guest has, and those alone. */
struct guest_ops journal_ops_over(const struct guest_ops *inner);
/* Whether the guest is a journal. */
bool journal_is(const struct guest *guest);
/* Programs of the guest are not run from now on. */
void journal_ops_pretend(struct journal *journal);
