/* The journal's memory: what is at a path before it changes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "guest/journal/internal.h"

/* Directories deeper than this are not expected in a guest's file system. */
enum { depth_max = 1000 };

void journal_forget_directory(struct journal *journal)
{
    free(TAKE_PTR(journal->directory));
    free(TAKE_PTR(journal->resolved));
}

/* Resolves the path's directory and puts the last name behind it, without asking what that is. */
static int resolve_parent(struct journal *journal, const char *path, const char *name, char **ret,
                          struct error **err)
{
    size_t length = (size_t)(name - path);
    if (!journal->directory || strlen(journal->directory) != length ||
        memcmp(journal->directory, path, length) != 0) {
        journal_forget_directory(journal);
        journal->directory = strndup(path, length);
        if (!journal->directory)
            return error_oom(err);
        int r = guest_resolve(journal->inner, journal->directory, true, &journal->resolved, err);
        if (r < 0) {
            journal_forget_directory(journal);
            return r;
        }
    }
    bool root = strcmp(journal->resolved, "/") == 0;
    *ret = str_printf(err, "%s/%s", root ? "" : journal->resolved, name);
    return *ret ? 0 : -ENOMEM;
}

/* *ret_exists, *ret_st: what is there, not followed. */
static int resolve(struct journal *journal, const char *path, bool follow, char **ret,
                   bool *ret_exists, struct guest_stat *ret_st, struct error **err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    bool plain = *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    int r = plain ? resolve_parent(journal, path, name, ret, err)
                  : guest_resolve(journal->inner, path, follow, ret, err);
    if (r < 0)
        return r;
    struct guest *inner = journal->inner;
    *ret_exists = inner->ops->stat(inner, *ret, false, ret_st, NULL) == 0;
    if (!*ret_exists || !follow || !S_ISLNK(ret_st->mode))
        return 0;
    free(TAKE_PTR(*ret));
    r = guest_resolve(inner, path, true, ret, err);
    if (r == 0)
        *ret_exists = inner->ops->stat(inner, *ret, false, ret_st, NULL) == 0;
    return r;
}

static int note_resolved(struct journal *journal, const char *path, const struct guest_stat *st,
                         unsigned touch, struct error **err)
{
    struct journal_record *record = journal_find(&journal->records, path);
    bool known = record;
    if (!known)
        record = journal_add(&journal->records, path, err);
    if (!record)
        return -ENOMEM;
    int r = journal_look(journal->inner, record, known ? NULL : st, touch, journal->keep, err);
    record->touched |= touch;
    return r;
}

int journal_note(struct guest *guest, const char *path, bool follow, unsigned touch,
                 struct error **err)
{
    struct journal *journal = journal_of(guest);
    _cleanup_free_ char *resolved = NULL;
    _cleanup_error_ struct error *cause = NULL;
    struct guest_stat st;
    bool exists = false;
    int r = resolve(journal, path, follow, &resolved, &exists, &st, &cause);
    if (r == -ENOMEM)
        return error_move(err, TAKE_PTR(cause));
    if (r < 0)
        return 0;
    r = note_resolved(journal, resolved, exists ? &st : NULL, touch, err);
    /* What leads elsewhere from now on: a link or directory that goes, or one that comes. */
    if ((touch & JOURNAL_CONTENTS) && (!exists || !S_ISREG(st.mode)))
        journal_forget_directory(journal);
    return r;
}

int journal_note_new(struct guest *guest, const char *path, struct error **err)
{
    struct journal *journal = journal_of(guest);
    const char *name = path_name(path);
    _cleanup_free_ char *resolved = NULL;
    _cleanup_error_ struct error *cause = NULL;
    int r = resolve_parent(journal, path, name, &resolved, &cause);
    if (r < 0)
        return r == -ENOMEM ? error_move(err, TAKE_PTR(cause)) : 0;
    return note_resolved(journal, resolved, NULL, JOURNAL_CONTENTS | JOURNAL_TIMES, err);
}

static int add_name(void *context, const char *name, mode_t type)
{
    (void)type;
    return strv_add(context, name, NULL);
}

/* What a tree that moves leaves behind and where it comes to be; both are resolved. */
static int note_move(struct journal *journal, const char *from, const char *to, unsigned depth,
                     struct error **err)
{
    struct guest_stat st, replaced;
    struct guest *inner = journal->inner;
    _cleanup_strv_ struct strv names = {0};
    if (depth > depth_max)
        return error_set(err, ELOOP, "directories are nested too deeply");
    int r = inner->ops->stat(inner, from, false, &st, err);
    bool exists = inner->ops->stat(inner, to, false, &replaced, NULL) == 0;
    unsigned touch = JOURNAL_CONTENTS;
    if (r == 0)
        r = note_resolved(journal, from, &st, touch | JOURNAL_GONE, err);
    if (r == 0)
        r = note_resolved(journal, to, exists ? &replaced : NULL, touch, err);
    if (r == 0 && S_ISDIR(st.mode))
        r = inner->ops->list(inner, from, add_name, &names, err);
    for (size_t i = 0; r == 0 && i < names.count; i++) {
        _cleanup_free_ char *child = str_printf(err, "%s/%s", from, names.items[i]);
        _cleanup_free_ char *moved = str_printf(child ? err : NULL, "%s/%s", to, names.items[i]);
        r = moved ? note_move(journal, child, moved, depth + 1, err) : -ENOMEM;
    }
    return r;
}

int journal_note_rename(struct journal *journal, const char *from, const char *to,
                        struct error **err)
{
    _cleanup_free_ char *source = NULL, *target = NULL;
    struct guest_stat st;
    bool exists = false, replaces;
    int r = resolve(journal, from, false, &source, &exists, &st, err);
    if (r == 0)
        r = resolve(journal, to, false, &target, &replaces, &st, err);
    if (r == 0 && exists)
        r = note_move(journal, source, target, 0, err);
    journal_forget_directory(journal);
    return r;
}
