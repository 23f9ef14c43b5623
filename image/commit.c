#include "image/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/str.h"
#include "base/zero.h"
#include "image/undo.h"

enum { CLUSTER = UNDO_CLUSTER, PIECE = UNDO_RECORD_MAX };

/* What is to be written. */
struct change {
    uint64_t offset;
    uint32_t length; /* at most PIECE */
    bool zero;
    bool guarded;
};

struct commit {
    struct block *disk;
    const struct commit_source *source;
    struct commit_options options;
    struct change *changes;
    size_t count, capacity;
    struct commit_run *late; /* runs of zeroes for the end */
    size_t late_count;
    struct undo_writer *undo;
    char *journal;  /* its path; NULL: there is none */
    bool started;   /* the disk may have been written to */
    uint8_t *fresh; /* PIECE bytes each: of the source, and of the disk */
    uint8_t *old;
};

static const struct commit_guard *guard_of(const struct commit *commit, uint64_t cluster)
{
    for (size_t i = 0; i < commit->options.guard_count; i++)
        if (commit->options.guards[i].offset / CLUSTER == cluster)
            return &commit->options.guards[i];
    return NULL;
}

static int add_change(struct commit *commit, const struct change *change, struct error **err)
{
    if (commit->count == commit->capacity) {
        size_t capacity = commit->capacity ? 2 * commit->capacity : 64;
        struct change *changes = reallocarray(commit->changes, capacity, sizeof(*changes));
        if (!changes)
            return error_oom(err);
        commit->changes = changes;
        commit->capacity = capacity;
    }
    commit->changes[commit->count++] = *change;
    return 0;
}

/* How much of [offset, offset + length) is guarded, or not, as its first cluster is. */
static uint32_t alike(const struct commit *commit, uint64_t offset, uint32_t length,
                      bool *ret_guarded)
{
    uint64_t first = offset / CLUSTER, end = (offset + length + CLUSTER - 1) / CLUSTER;
    uint64_t at = first + 1;
    *ret_guarded = guard_of(commit, first) != NULL;
    while (at < end && (guard_of(commit, at) != NULL) == *ret_guarded)
        at++;
    return (uint32_t)min_u64(length, (at - first) * CLUSTER);
}

/* What the guards make of a cluster that holds `old`. */
static int note_guarded(struct commit *commit, uint64_t offset, const uint8_t *old, size_t size,
                        struct error **err)
{
    uint8_t cluster[CLUSTER];
    memcpy(cluster, old, size);
    int r = 0;
    for (size_t i = 0; r == 0 && i < commit->options.guard_count; i++) {
        const struct commit_guard *guard = &commit->options.guards[i];
        if (guard->offset / CLUSTER != offset / CLUSTER)
            continue;
        memcpy(cluster + guard->offset % CLUSTER, guard->bytes, guard->size);
        r = undo_add_guard(commit->undo, offset, undo_code(cluster, size), err);
    }
    return r;
}

/* What the source has for a piece, and what the disk holds there. *ret_hole: it is known to hold
 * zeroes. */
static int read_piece(struct commit *commit, const struct change *piece, bool *ret_hole,
                      struct error **err)
{
    enum block_state state;
    uint64_t length;
    int r = block_extent(commit->disk, piece->offset, piece->length, &state, &length, err);
    *ret_hole = r == 0 && state == BLOCK_ZERO && length >= piece->length;
    if (r == 0 && *ret_hole)
        memset(commit->old, 0, piece->length);
    else if (r == 0)
        r = block_pread(commit->disk, commit->old, piece->length, piece->offset, err);
    if (r == 0 && piece->zero)
        memset(commit->fresh, 0, piece->length);
    else if (r == 0)
        r = block_pread(commit->source->contents, commit->fresh, piece->length, piece->offset, err);
    return r;
}

/* What is of one kind: clusters from `from` of a piece on that change and held zeroes, or did not;
 * or that do not change. */
struct part {
    uint32_t length;
    bool changes;
    bool held_zeroes;
};

static void judge_cluster(const struct commit *commit, const struct change *piece, bool hole,
                          uint32_t at, struct part *ret)
{
    size_t size = (size_t)min_u64(CLUSTER, piece->length - at);
    ret->length = (uint32_t)size;
    ret->held_zeroes = hole || bytes_are_zero(commit->old + at, size);
    /* Zeroes that take space are let go. */
    ret->changes = piece->guarded || (piece->zero && !hole) ||
                   memcmp(commit->old + at, commit->fresh + at, size) != 0;
}

static void find_part(const struct commit *commit, const struct change *piece, bool hole,
                      uint32_t from, struct part *ret)
{
    struct part next;
    judge_cluster(commit, piece, hole, from, ret);
    while (from + ret->length < piece->length) {
        judge_cluster(commit, piece, hole, from + ret->length, &next);
        if (next.changes != ret->changes || next.held_zeroes != ret->held_zeroes)
            break;
        ret->length += next.length;
    }
}

static int note_part(struct commit *commit, const struct change *change, const uint8_t *fresh,
                     const uint8_t *old, bool held_zeroes, struct error **err)
{
    uint64_t codes[PIECE / CLUSTER];
    int r = 0;
    for (uint32_t at = 0; at < change->length; at += CLUSTER)
        codes[at / CLUSTER] = undo_code(fresh + at, min_u64(CLUSTER, change->length - at));
    for (uint32_t at = 0; r == 0 && change->guarded && at < change->length; at += CLUSTER)
        r = note_guarded(commit, change->offset + at, old + at,
                         (size_t)min_u64(CLUSTER, change->length - at), err);
    return r < 0 ? r
                 : undo_add(commit->undo, change->offset, change->length, change->guarded, codes,
                            held_zeroes ? NULL : old, err);
}

/* Notes those parts of a piece that do change. */
static int note_piece(struct commit *commit, const struct change *piece, struct error **err)
{
    bool hole;
    struct part part;
    int r = read_piece(commit, piece, &hole, err);
    for (uint32_t at = 0; r == 0 && at < piece->length; at += part.length) {
        find_part(commit, piece, hole, at, &part);
        if (!part.changes)
            continue;
        struct change change = *piece;
        change.offset += at;
        change.length = part.length;
        r = note_part(commit, &change, commit->fresh + at, commit->old + at, part.held_zeroes, err);
        if (r == 0)
            r = add_change(commit, &change, err);
    }
    return r;
}

static int add_late(struct commit *commit, const struct commit_run *run, struct error **err)
{
    struct commit_run *late = reallocarray(commit->late, commit->late_count + 1, sizeof(*late));
    if (!late)
        return error_oom(err);
    commit->late = late;
    late[commit->late_count++] = *run;
    return 0;
}

static int take_run(struct commit *commit, const struct commit_run *run, struct error **err)
{
    if (run->zero && commit->options.late_zeroes)
        return add_late(commit, run, err);
    int r = 0;
    uint64_t end = run->offset + run->length;
    for (uint64_t at = run->offset; r == 0 && at < end;) {
        struct change piece = {.offset = at, .zero = run->zero};
        piece.length = alike(commit, at, (uint32_t)min_u64(end - at, PIECE), &piece.guarded);
        r = commit->undo ? note_piece(commit, &piece, err) : add_change(commit, &piece, err);
        at += piece.length;
    }
    return r;
}

static int take_all(struct commit *commit, struct error **err)
{
    struct commit_run run = {0};
    for (uint64_t at = 0; at < commit->disk->size; at = run.offset + run.length) {
        int r = commit->source->next(commit->source->context, at, &run, err);
        if (r < 0 || run.length == 0)
            return r;
        r = take_run(commit, &run, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int prepare(struct commit *commit, struct error **err)
{
    commit->fresh = malloc(PIECE);
    commit->old = malloc(PIECE);
    if (!commit->fresh || !commit->old)
        return error_oom(err);
    int r = commit->options.image ? undo_begin(commit->options.image, commit->options.format,
                                               commit->disk->size, &commit->undo, err)
                                  : 0;
    if (r == 0)
        r = take_all(commit, err);
    if (r == 0 && commit->undo && commit->count > 0)
        r = undo_commit(TAKE_PTR(commit->undo), &commit->journal, err);
    return r;
}

int commit_prepare(struct block *disk, const struct commit_source *source,
                   const struct commit_options *options, struct commit **ret, struct error **err)
{
    if (!disk->writable)
        return error_set(err, EROFS, "%s: was opened for reading only", disk->name);
    _cleanup_commit_ struct commit *commit = calloc(1, sizeof(*commit));
    if (!commit)
        return error_oom(err);
    commit->disk = disk;
    commit->source = source;
    commit->options = *options;
    int r = prepare(commit, err);
    if (r == 0)
        *ret = TAKE_PTR(commit);
    return r;
}

/* Guards. */

static bool changes_guarded(const struct commit *commit, uint64_t cluster)
{
    for (size_t i = 0; i < commit->count; i++) {
        const struct change *change = &commit->changes[i];
        if (change->guarded && cluster >= change->offset / CLUSTER &&
            cluster * CLUSTER < change->offset + change->length)
            return true;
    }
    return false;
}

static int write_guards(struct commit *commit, struct error **err)
{
    bool any = false;
    int r = 0;
    for (size_t i = 0; r == 0 && i < commit->options.guard_count; i++) {
        const struct commit_guard *guard = &commit->options.guards[i];
        /* It may only stand where the commit writes behind it. */
        if (!changes_guarded(commit, guard->offset / CLUSTER))
            continue;
        r = block_pwrite(commit->disk, guard->bytes, guard->size, guard->offset, err);
        any = true;
    }
    return r == 0 && any ? block_flush(commit->disk, err) : r;
}

/* Changes. */

/* Those from `first` on that are alike and lie together, as far as they can be written at once. */
static size_t join(const struct commit *commit, size_t first, struct change *ret)
{
    size_t i = first + 1;
    *ret = commit->changes[first];
    for (; i < commit->count; i++) {
        const struct change *next = &commit->changes[i];
        if (next->guarded != ret->guarded || next->zero != ret->zero ||
            next->offset != ret->offset + ret->length || next->length > PIECE - ret->length)
            break;
        ret->length += next->length;
    }
    return i;
}

static int write_changes(struct commit *commit, bool guarded, struct error **err)
{
    struct change change;
    bool any = false;
    int r = 0;
    for (size_t i = 0; r == 0 && i < commit->count;) {
        i = join(commit, i, &change);
        if (change.guarded != guarded)
            continue;
        any = true;
        if (change.zero) {
            r = block_discard(commit->disk, change.offset, change.length, err);
            continue;
        }
        r = block_pread(commit->source->contents, commit->fresh, change.length, change.offset, err);
        if (r == 0)
            r = block_pwrite(commit->disk, commit->fresh, change.length, change.offset, err);
    }
    return r == 0 && any ? block_flush(commit->disk, err) : r;
}

int commit_write(struct commit *commit, struct error **err)
{
    commit->started = true;
    int r = write_guards(commit, err);
    if (r == 0)
        r = write_changes(commit, false, err);
    return r < 0 ? r : write_changes(commit, true, err);
}

int commit_roll_back(struct commit *commit, struct error **err)
{
    struct error *error = NULL;
    if (!commit->started || commit->count == 0)
        return commit->journal ? undo_remove(commit->journal, err) : 0;
    if (!commit->journal)
        return error_set(err, ETORN, "%s: some of the changes were written, and others were not",
                         commit->disk->name);
    int r = undo_apply(commit->journal, commit->disk, &error);
    if (r == 0)
        return 0;
    error_set(err, ETORN,
              "%s: some of the changes were written, and taking them back failed as well: %s",
              commit->disk->name, error_message(error));
    error_free(error);
    return error_hint(err,
                      "free some space; the next use of the image by kiln takes them back "
                      "with %s",
                      commit->journal);
}

static int let_go(struct commit *commit, struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < commit->late_count; i++)
        r = block_discard(commit->disk, commit->late[i].offset, commit->late[i].length, err);
    return r == 0 && commit->late_count > 0 ? block_flush(commit->disk, err) : r;
}

/* What fails now does not take the changes back. */
static int made_but(const struct commit *commit, const char *what, struct error *cause,
                    struct error **err)
{
    int r = error_set(err, ETORN, "%s: the changes were made, but %s: %s", commit->disk->name, what,
                      error_message(cause));
    error_free(cause);
    return r;
}

int commit_finish(struct commit *commit, struct error **err)
{
    struct error *error = NULL;
    if (commit->journal && undo_remove(commit->journal, &error) < 0)
        return made_but(commit, "their undo journal may take them back", error, err);
    free(TAKE_PTR(commit->journal));
    if (let_go(commit, &error) < 0)
        return made_but(commit, "not all space that they freed was given back", error, err);
    return 0;
}

void commit_free(struct commit *commit)
{
    if (!commit)
        return;
    undo_abort(commit->undo);
    free(commit->changes);
    free(commit->late);
    free(commit->journal);
    free(commit->fresh);
    free(commit->old);
    free(commit);
}

int commit_all(struct commit *const *commits, size_t count, struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = commit_write(commits[i], err);
    if (r == 0) {
        for (size_t i = 0; r == 0 && i < count; i++)
            r = commit_finish(commits[i], err);
        return r;
    }
    for (size_t i = 0; i < count; i++) {
        struct error *worse = NULL;
        int back = commit_roll_back(commits[i], &worse);
        if (back < 0 && r != -ETORN) {
            error_wrap(&worse, "%s", err && *err ? error_message(*err) : "the commit failed");
            error_free(err ? *err : NULL);
            if (err)
                *err = NULL;
            r = error_move(err, worse);
        } else {
            error_free(worse);
        }
    }
    return r;
}
