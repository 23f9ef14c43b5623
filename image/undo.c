/* Writing an undo journal. */
#include "image/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "base/outfile.h"
#include "base/str.h"
#include "image/undo_format.h"
#include "image/undo_inside.h"

struct undo_writer {
    struct outfile *file;
    char *path;
    struct undo_header header;
    uint64_t records;
};

uint64_t undo_code(const void *bytes, size_t size)
{
    /* FNV-1a over words of 64 bits; the multiplication alone would not carry downwards. */
    const uint8_t *from = bytes;
    uint64_t code = UINT64_C(0xcbf29ce484222325);
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, from + at, min_u64(size - at, sizeof(word)));
        code = (code ^ le64toh(word)) * UINT64_C(0x100000001b3);
        code ^= code >> 29;
    }
    return code;
}

int undo_describe(const char *path, struct undo_header *ret, bool *ret_file, struct error **err)
{
    struct statx st;
    if (statx(AT_FDCWD, path, 0, STATX_TYPE | STATX_INO | STATX_BTIME, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", path);
    *ret_file = S_ISREG(st.stx_mode);
    ret->inode = le64_put(st.stx_ino);
    if (st.stx_mask & STATX_BTIME) {
        ret->born_seconds = le64_put((uint64_t)st.stx_btime.tv_sec);
        ret->born_nanoseconds = le32_put(st.stx_btime.tv_nsec);
    }
    return 0;
}

char *undo_path(const char *image, struct error **err)
{
    _cleanup_free_ char *real = realpath(image, NULL);
    return str_printf(err, "%s.kiln-undo", real ? real : image);
}

/* Whether a file cannot be made there for a reason that lies in the place, not in its space. */
static bool is_no_place(int r)
{
    return r == -EACCES || r == -EPERM || r == -EROFS || r == -EOPNOTSUPP || r == -ENOENT ||
           r == -ENAMETOOLONG;
}

int undo_begin(const char *path, enum image_format format, uint64_t size, struct undo_writer **ret,
               struct error **err)
{
    struct error *error = NULL;
    bool file;
    *ret = NULL;
    _cleanup_(undo_abortp) struct undo_writer *undo = calloc(1, sizeof(*undo));
    if (!undo)
        return error_oom(err);
    undo->header = (struct undo_header){.version = le32_put(UNDO_VERSION),
                                        .format = le32_put((uint32_t)format),
                                        .disk_size = le64_put(size)};
    memcpy(undo->header.magic, UNDO_MAGIC, sizeof(undo->header.magic));
    int r = undo_describe(path, &undo->header, &file, err);
    if (r < 0 || !file)
        return r;
    undo->path = undo_path(path, err);
    if (!undo->path)
        return -ENOMEM;
    r = outfile_open(undo->path, 0600, &undo->file, &error);
    if (is_no_place(r)) {
        error_free(error);
        return 0;
    }
    if (r < 0)
        return error_move(err, error);
    /* Its room is known at the end. */
    r = fd_write_full(outfile_fd(undo->file), &undo->header, sizeof(undo->header), undo->path, err);
    if (r == 0)
        *ret = TAKE_PTR(undo);
    return r;
}

static int add_entry(struct undo_writer *undo, uint64_t offset, uint32_t length, uint32_t flags,
                     const uint64_t *codes, struct error **err)
{
    struct {
        struct undo_entry entry;
        le64_t codes[UNDO_RECORD_MAX / UNDO_CLUSTER];
    } head;
    size_t count = (size_t)(round_up(length, UNDO_CLUSTER) / UNDO_CLUSTER);
    head.entry = (struct undo_entry){le64_put(offset), le32_put(length), le32_put(flags)};
    for (size_t i = 0; i < count; i++)
        head.codes[i] = le64_put(codes[i]);
    undo->records++;
    return fd_write_full(outfile_fd(undo->file), &head,
                         sizeof(head.entry) + count * sizeof(*head.codes), undo->path, err);
}

int undo_add(struct undo_writer *undo, uint64_t offset, uint32_t length, bool guarded,
             const uint64_t *codes, const void *bytes, struct error **err)
{
    uint32_t flags = (bytes ? 0 : UNDO_ZERO) | (guarded ? UNDO_GUARDED : 0);
    int r = add_entry(undo, offset, length, flags, codes, err);
    if (r == 0 && bytes)
        r = fd_write_full(outfile_fd(undo->file), bytes, length, undo->path, err);
    return r;
}

int undo_add_guard(struct undo_writer *undo, uint64_t offset, uint64_t code, struct error **err)
{
    return add_entry(undo, offset, 1, UNDO_GUARD, &code, err);
}

int undo_commit(struct undo_writer *undo, char **ret_path, struct error **err)
{
    _cleanup_(undo_abortp) struct undo_writer *owned = undo;
    enum outfile_state state;
    undo->header.records = le64_put(undo->records);
    int r = fd_pwrite_full(outfile_fd(undo->file), &undo->header, sizeof(undo->header), 0,
                           undo->path, err);
    if (r < 0)
        return r;
    r = outfile_commit(TAKE_PTR(undo->file), true, &state, err);
    if (r < 0 && state == OUTFILE_PLACED)
        unlink(undo->path);
    if (r == 0)
        *ret_path = TAKE_PTR(undo->path);
    return r;
}

void undo_abort(struct undo_writer *undo)
{
    if (!undo)
        return;
    outfile_abort(undo->file);
    free(undo->path);
    free(undo);
}

int undo_remove(const char *journal, struct error **err)
{
    _cleanup_close_ int directory = dir_open_of(journal, err);
    if (directory < 0)
        return directory;
    if (unlink(journal) < 0)
        return error_sys(err, errno, "%s: cannot be removed", journal);
    return dir_sync(directory, journal, err);
}
