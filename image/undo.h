/*
 * The undo journal: what a disk held before changes were written into it, kept beside its image as
 * NAME.kiln-undo for as long as they are under way. Whoever opens the image next and finds the
 * journal puts the old contents back, so that a commit that was cut short by SIGKILL, a full disk
 * or a loss of power has made no change at all.
 *
 * The journal gets its name when it is complete and on disk, before the first change, and loses it
 * when all changes are on disk. It also has a code for what each cluster was to become: what holds
 * neither the one nor the other was changed by another program since, and nothing is undone then.
 */
#pragma once

#include "image/image.h"

enum {
    UNDO_CLUSTER = 4096,      /* bytes */
    UNDO_RECORD_MAX = 1 << 20 /* bytes of the disk that one record is about */
};

/* Of a cluster. */
uint64_t undo_code(const void *bytes, size_t size);

struct undo_writer;

/* Begins the journal of the image at `path`, whose disk has `size` bytes. *ret is NULL where none
 * can be: on a block device, and where no file can be made beside the image. */
int undo_begin(const char *path, enum image_format format, uint64_t size, struct undo_writer **ret,
               struct error **err);
/*
 * A run of clusters in ascending order, whose last one may be the disk's short last one. `codes`:
 * of what they are to become. `bytes`: what they hold; NULL: zeroes. `guarded`: to be put back
 * after all others.
 */
int undo_add(struct undo_writer *undo, uint64_t offset, uint32_t length, bool guarded,
             const uint64_t *codes, const void *bytes, struct error **err);
/* Something else that the cluster at `offset` holds meanwhile. */
int undo_add_guard(struct undo_writer *undo, uint64_t offset, uint64_t code, struct error **err);
/* Gives the journal its name. Frees the writer, on failure too. *ret_path is the caller's. */
int undo_commit(struct undo_writer *undo, char **ret_path, struct error **err);
void undo_abort(struct undo_writer *undo);

/* All changes are on disk, or none is any more. */
int undo_remove(const char *journal, struct error **err);
/* Puts back what the journal has, into a disk that this process was writing to. */
int undo_apply(const char *journal, struct block *disk, struct error **err);

/*
 * To be called before an image is opened: where there is a journal, its changes are undone, and
 * *ret_undone is true (NULL: not wanted). -EBUSY: another process uses the image, which may be the
 * one whose commit is under way. -EUCLEAN: it was changed since; the message has the remedy.
 */
int undo_recover(const char *path, const struct image_trust *trust, bool *ret_undone,
                 struct error **err);

/* -EUCLEAN where there is a journal: for images on which others are based, which the caller has no
 * business with changing. */
int undo_refuse(const char *path, struct error **err);

/* The gate: checks a journal's structure against the size of its disk. Each record is told. For
 * tests and undo_apply(). */
struct undo_record {
    uint64_t offset;
    uint32_t length;
    bool guarded;
    bool guard;        /* `codes` has one more that the cluster may have, and there are no bytes */
    uint64_t *codes;   /* one a cluster */
    const void *bytes; /* NULL: zeroes */
};
typedef int undo_record_fn(void *context, const struct undo_record *record, struct error **err);
int undo_read(struct block *journal, uint64_t disk_size, undo_record_fn *call, void *context,
              struct error **err);
