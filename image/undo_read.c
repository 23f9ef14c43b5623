/* Reading an undo journal, and putting back what it has. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "base/str.h"
#include "base/zero.h"
#include "image/undo_inside.h"

/* A guard is put on one superblock of each file system. */
enum { guards_max = 65536 };

static int malformed(const struct block *journal, struct error **err)
{
    return error_set(err, EINVAL, "%s: is not an undo journal of kiln", journal->name);
}

static int read_header(struct block *journal, struct undo_header *ret, struct error **err)
{
    if (journal->size < sizeof(*ret))
        return malformed(journal, err);
    int r = block_pread(journal, ret, sizeof(*ret), 0, err);
    if (r < 0)
        return r;
    if (memcmp(ret->magic, UNDO_MAGIC, sizeof(ret->magic)) != 0 ||
        le32_get(ret->version) != UNDO_VERSION || le32_get(ret->format) > IMAGE_VPC)
        return malformed(journal, err);
    return 0;
}

/* Room for one record. */
struct buffers {
    le64_t raw[UNDO_RECORD_MAX / UNDO_CLUSTER];
    uint64_t codes[UNDO_RECORD_MAX / UNDO_CLUSTER];
    uint8_t bytes[UNDO_RECORD_MAX];
};

/* *at: where the record begins, and then where it ends. */
static int read_record(struct block *journal, uint64_t disk_size, uint64_t *at,
                       struct buffers *buffers, struct undo_record *ret, struct error **err)
{
    struct undo_entry entry;
    if (!range_within(*at, sizeof(entry), journal->size))
        return malformed(journal, err);
    int r = block_pread(journal, &entry, sizeof(entry), *at, err);
    if (r < 0)
        return r;
    *at += sizeof(entry);
    uint32_t flags = le32_get(entry.flags);
    *ret = (struct undo_record){.offset = le64_get(entry.offset),
                                .length = le32_get(entry.length),
                                .guarded = flags & UNDO_GUARDED,
                                .guard = flags & UNDO_GUARD,
                                .codes = buffers->codes};
    bool bytes = !(flags & (UNDO_ZERO | UNDO_GUARD));
    size_t count = (size_t)(round_up(ret->length, UNDO_CLUSTER) / UNDO_CLUSTER);
    if (ret->length == 0 || ret->length > UNDO_RECORD_MAX || ret->offset % UNDO_CLUSTER ||
        !range_within(ret->offset, ret->length, disk_size) ||
        !range_within(*at, count * sizeof(le64_t) + (bytes ? ret->length : 0), journal->size))
        return malformed(journal, err);
    r = block_pread(journal, buffers->raw, count * sizeof(le64_t), *at, err);
    *at += count * sizeof(le64_t);
    for (size_t i = 0; i < count; i++)
        buffers->codes[i] = le64_get(buffers->raw[i]);
    if (r < 0 || !bytes)
        return r;
    r = block_pread(journal, buffers->bytes, ret->length, *at, err);
    *at += ret->length;
    ret->bytes = buffers->bytes;
    return r;
}

int undo_read(struct block *journal, uint64_t disk_size, undo_record_fn *call, void *context,
              struct error **err)
{
    struct undo_header header;
    struct undo_record record;
    int r = read_header(journal, &header, err);
    if (r == 0 && le64_get(header.disk_size) != disk_size)
        r = error_set(err, EINVAL, "%s: is about a disk of another size", journal->name);
    _cleanup_free_ struct buffers *buffers = r == 0 ? malloc(sizeof(*buffers)) : NULL;
    if (r == 0 && !buffers)
        r = error_oom(err);
    uint64_t at = sizeof(header);
    for (uint64_t i = 0; r == 0 && i < le64_get(header.records); i++) {
        r = read_record(journal, disk_size, &at, buffers, &record, err);
        if (r == 0)
            r = call(context, &record, err);
    }
    return r;
}

/* Putting back. */

struct restore {
    struct block *disk;
    bool guarded; /* this pass is for the guarded clusters */
    struct guard {
        uint64_t offset, code;
    } * guards;
    size_t guard_count;
    uint8_t *now; /* what the disk holds */
};

static bool is_old(const uint8_t *now, const uint8_t *old, size_t size)
{
    return old ? memcmp(now, old, size) == 0 : bytes_are_zero(now, size);
}

static int write_old(const struct restore *restore, const struct undo_record *record,
                     struct error **err)
{
    if (!record->bytes)
        return block_discard(restore->disk, record->offset, record->length, err);
    return block_pwrite(restore->disk, record->bytes, record->length, record->offset, err);
}

static bool holds_old(const struct restore *restore, const struct undo_record *record)
{
    uint8_t now[UNDO_CLUSTER];
    for (uint32_t at = 0; at < record->length; at += UNDO_CLUSTER) {
        const uint8_t *old = record->bytes ? (const uint8_t *)record->bytes + at : NULL;
        size_t size = (size_t)min_u64(UNDO_CLUSTER, record->length - at);
        if (block_pread(restore->disk, now, size, record->offset + at, NULL) < 0 ||
            !is_old(now, old, size))
            return false;
    }
    return true;
}

/* Written whatever the disk seems to hold: what is read may not have reached it. Where it cannot be
 * written, and was not before for the same reason (no space, ulimit -f), there is nothing to put
 * back. */
static int restore_record(void *context, const struct undo_record *record, struct error **err)
{
    struct restore *restore = context;
    struct error *error = NULL;
    if (record->guard || record->guarded != restore->guarded ||
        write_old(restore, record, &error) == 0)
        return 0;
    if (!holds_old(restore, record))
        return error_move(err, error);
    error_free(error);
    return 0;
}

static int collect_guard(void *context, const struct undo_record *record, struct error **err)
{
    struct restore *restore = context;
    if (!record->guard)
        return 0;
    if (restore->guard_count == guards_max)
        return error_set(err, EINVAL, "an undo journal has more than %d guards", guards_max);
    struct guard *guards =
        reallocarray(restore->guards, restore->guard_count + 1, sizeof(*restore->guards));
    if (!guards)
        return error_oom(err);
    restore->guards = guards;
    guards[restore->guard_count++] = (struct guard){record->offset, record->codes[0]};
    return 0;
}

static bool is_guard(const struct restore *restore, uint64_t offset, uint64_t code)
{
    for (size_t i = 0; i < restore->guard_count; i++)
        if (restore->guards[i].offset == offset && restore->guards[i].code == code)
            return true;
    return false;
}

/* Each cluster holds what it held before the change, what it was to hold, or a guard. */
static int check_record(void *context, const struct undo_record *record, struct error **err)
{
    struct restore *restore = context;
    if (record->guard)
        return 0;
    int r = block_pread(restore->disk, restore->now, record->length, record->offset, err);
    for (uint32_t at = 0; r == 0 && at < record->length; at += UNDO_CLUSTER) {
        const uint8_t *now = restore->now + at;
        const uint8_t *old = record->bytes ? (const uint8_t *)record->bytes + at : NULL;
        size_t size = (size_t)min_u64(UNDO_CLUSTER, record->length - at);
        if (is_old(now, old, size))
            continue;
        uint64_t code = undo_code(now, size);
        if (code != record->codes[at / UNDO_CLUSTER] &&
            !is_guard(restore, record->offset + at, code))
            r = error_set(err, EUCLEAN, "it was changed by another program since");
    }
    return r;
}

static int restore_all(struct block *journal, struct restore *restore, struct error **err)
{
    int r = 0;
    for (int pass = 0; r == 0 && pass < 2; pass++) {
        restore->guarded = pass == 1;
        r = undo_read(journal, restore->disk->size, restore_record, restore, err);
        if (r == 0)
            r = block_flush(restore->disk, err);
    }
    return r;
}

static int open_journal(const char *path, struct block **ret, struct error **err)
{
    struct stat st;
    _cleanup_close_ int fd = file_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, err);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", path);
    /* It says what is to be written into the image. */
    if (!S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0))
        return error_set(err, EUNTRUSTED, "%s: is no file of yours or of root", path);
    return block_from_fd(TAKE_FD(fd), path, false, ret, err);
}

int undo_apply(const char *path, struct block *disk, struct error **err)
{
    _cleanup_block_ struct block *journal = NULL;
    struct restore restore = {.disk = disk};
    int r = open_journal(path, &journal, err);
    if (r == 0)
        r = restore_all(journal, &restore, err);
    return r < 0 ? r : undo_remove(path, err);
}

/* The journal may lie beside another image by now. */
static int check_identity(const char *image, const struct undo_header *header, struct error **err)
{
    struct undo_header now = {0};
    bool file;
    int r = undo_describe(image, &now, &file, err);
    if (r < 0)
        return r;
    if (file && le64_get(now.inode) == le64_get(header->inode) &&
        le64_get(now.born_seconds) == le64_get(header->born_seconds) &&
        le32_get(now.born_nanoseconds) == le32_get(header->born_nanoseconds))
        return 0;
    return error_set(err, EUCLEAN, "it is not the file that was being changed");
}

static int check_contents(struct block *journal, struct restore *restore, struct error **err)
{
    int r = undo_read(journal, restore->disk->size, collect_guard, restore, err);
    restore->now = r == 0 ? malloc(UNDO_RECORD_MAX) : NULL;
    if (r == 0 && !restore->now)
        r = error_oom(err);
    return r < 0 ? r : undo_read(journal, restore->disk->size, check_record, restore, err);
}

/* Under the image's lock. */
static int restore_image(const char *image, struct block *journal, const struct undo_header *header,
                         struct block *disk, struct error **err)
{
    struct restore restore = {.disk = disk};
    int r = check_identity(image, header, err);
    if (r == 0)
        r = check_contents(journal, &restore, err);
    if (r == 0)
        r = restore_all(journal, &restore, err);
    free(restore.guards);
    free(restore.now);
    return r;
}

static int explain(int r, const char *image, const char *journal, struct error **err)
{
    error_wrap(err, "%s: a change to it was interrupted, and cannot be undone", image);
    if (r == -EUCLEAN)
        return error_hint(err, "if the image is good as it is, remove %s; else restore it",
                          journal);
    return r;
}

int undo_refuse(const char *path, struct error **err)
{
    _cleanup_free_ char *name = undo_path(path, err);
    if (!name)
        return -ENOMEM;
    if (access(name, F_OK) < 0)
        return 0;
    error_set(err, EUCLEAN, "%s: a change to it was interrupted", path);
    return error_hint(err, "kiln inspect %s takes the change back", path);
}

int undo_recover(const char *path, const struct image_trust *trust, bool *ret_undone,
                 struct error **err)
{
    _cleanup_block_ struct block *journal = NULL, *disk = NULL;
    struct undo_header header;
    _cleanup_free_ char *name = undo_path(path, err);
    if (!name)
        return -ENOMEM;
    if (access(name, F_OK) < 0)
        return 0;
    int r = open_journal(name, &journal, err);
    if (r == 0)
        r = read_header(journal, &header, err);
    if (r < 0)
        return explain(r, path, name, err);
    const struct image_open_options options = {.format = (enum image_format)le32_get(header.format),
                                               .writable = true,
                                               .lock = true,
                                               .unseal = true,
                                               .interrupted = true,
                                               .trust = trust};
    r = image_open(path, &options, &disk, err);
    if (r == 0)
        r = restore_image(path, journal, &header, disk, err);
    if (r == 0)
        r = undo_remove(name, err);
    if (r < 0)
        return explain(r, path, name, err);
    if (ret_undone)
        *ret_undone = true;
    return 0;
}
