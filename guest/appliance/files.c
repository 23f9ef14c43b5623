/* The appliance engine: what goes beyond making, reading and removing files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "base/str.h"
#include "guest/appliance/appliance.h"
#include "guest/sink.h"

#define CHUNK ((uint64_t)2 << 20) /* libguestfs's messages have at most 4 MiB */

char *appliance_resolve_parent(struct guest *guest, const char *path, struct error **err)
{
    _cleanup_free_ char *parent = path_parent(path);
    if (!parent) {
        error_oom(err);
        return NULL;
    }
    _cleanup_free_ char *real = guestfs_realpath(appliance_handle(guest), parent);
    if (!real) {
        appliance_fail(appliance_of(guest), err);
        return NULL;
    }
    return str_printf(err, "%s/%s", strcmp(real, "/") == 0 ? "" : real, path_name(path));
}

int appliance_check_new(struct guest *guest, const char *path, struct error **err)
{
    struct guest_stat st;
    _cleanup_error_ struct error *absent = NULL;
    int r = guest->ops->stat(guest, path, false, &st, &absent);
    if (r == 0)
        return error_set(err, EEXIST, "already exists");
    if (r != -ENOENT)
        return error_move(err, TAKE_PTR(absent));
    if (str_ends(path, "/"))
        return error_set(err, ENOENT, "ends with a slash, where no directory is to be made");
    return 0;
}

int appliance_check_regular(const struct guest_stat *st, struct error **err)
{
    if (S_ISDIR(st->mode))
        return error_set(err, EISDIR, "is a directory");
    return S_ISREG(st->mode) ? 0 : error_set(err, EINVAL, "is not a regular file");
}

static int find_file(struct guest *guest, const char *path, bool follow, struct guest_stat *ret,
                     struct error **err)
{
    int r = guest->ops->stat(guest, path, follow, ret, err);
    return r < 0 ? r : appliance_check_regular(ret, err);
}

/* The failure of a program in the appliance, by its last output. */
static int program_failed(struct appliance *appliance, struct error **err)
{
    static const int known[] = {EOPNOTSUPP, EPERM, EACCES,  ENOSPC, EDQUOT, E2BIG, EINVAL,
                                ENOENT,     EROFS, ENODATA, ERANGE, EMLINK, EXDEV, EEXIST};
    const char *text = guestfs_last_error(appliance->handle);
    size_t length = text ? strlen(text) : 0;
    while (length > 0 && text[length - 1] == '\n')
        length--;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        const char *words = strerror(known[i]);
        size_t n = strlen(words);
        if (n <= length && strncmp(text + length - n, words, n) == 0)
            return error_set(err, known[i], "%s", words);
    }
    return appliance_fail(appliance, err);
}

int appliance_lchown(struct guest *guest, const char *path, uid_t uid, gid_t gid,
                     struct error **err)
{
    int r = guestfs_lchown(appliance_handle(guest), (int)uid, (int)gid, path);
    return appliance_done(guest, r, err);
}

int appliance_set_times(struct guest *guest, const char *path, const struct guest_times *times,
                        struct error **err)
{
    int r = guestfs_utimens(appliance_handle(guest), path, times->atime, 0, times->mtime, 0);
    return appliance_done(guest, r, err);
}

int appliance_list_xattrs(struct guest *guest, const char *path, guest_xattr_fn *attribute,
                          void *context, struct error **err)
{
    struct guestfs_xattr_list *list = guestfs_lgetxattrs(appliance_handle(guest), path);
    int r = 0;
    if (!list)
        return appliance_fail(appliance_of(guest), err);
    for (uint32_t i = 0; r >= 0 && i < list->len; i++) {
        const struct guestfs_xattr *item = &list->val[i];
        /* XFS shows its ACLs twice. */
        if (!str_starts(item->attrname, "trusted.SGI_ACL_"))
            r = attribute(context, item->attrname, item->attrval_len ? item->attrval : "",
                          item->attrval_len);
    }
    guestfs_free_xattr_list(list);
    return r < 0 ? r : 0;
}

/* Within a shell's single quotes. */
static void append_quoted(struct str *text, const char *word)
{
    str_append(text, "'");
    for (; *word; word++)
        str_append_n(text, *word == '\'' ? "'\\''" : word, *word == '\'' ? 4 : 1);
    str_append(text, "'");
}

/* guestfs_lsetxattr() takes a value for a string. What is none is set by the appliance's
 * setfattr(1), outside of the guest's root. */
static int set_binary(struct guest *guest, const char *path, const char *name, const void *value,
                      size_t size, struct error **err)
{
    struct error *error = NULL;
    _cleanup_free_ char *real = appliance_resolve_parent(guest, path, &error);
    if (!real)
        return error_move(err, error);
    _cleanup_free_ char *hex = malloc(2 * size + 1);
    if (!hex)
        return error_oom(err);
    hex_encode(value, size, hex);
    _cleanup_str_ struct str command = {0};
    str_append(&command, "setfattr -h -n ");
    append_quoted(&command, name);
    str_appendf(&command, " -v 0x%s -- /sysroot", hex);
    append_quoted(&command, real);
    _cleanup_free_ char *text = str_take(&command, err);
    if (!text)
        return -ENOMEM;
    char *const argv[] = {text, NULL};
    _cleanup_free_ char *said = guestfs_debug(appliance_handle(guest), "sh", argv);
    return said ? 0 : program_failed(appliance_of(guest), err);
}

int appliance_set_xattr(struct guest *guest, const char *path, const char *name, const void *value,
                        size_t size, struct error **err)
{
    guestfs_h *g = appliance_handle(guest);
    if (!value) {
        int r = guestfs_lremovexattr(g, name, path);
        bool absent = r < 0 && guestfs_last_errno(g) == ENODATA;
        return absent ? 0 : appliance_done(guest, r, err);
    }
    const void *nul = memchr(value, '\0', size);
    if (nul && (const char *)nul != (const char *)value + size - 1)
        return set_binary(guest, path, name, value, size, err);
    _cleanup_free_ char *text = strndup(value, size);
    if (!text)
        return error_oom(err);
    return appliance_done(guest, guestfs_lsetxattr(g, name, text, (int)size, path), err);
}

int appliance_truncate(struct guest *guest, const char *path, uint64_t size, struct error **err)
{
    struct guest_stat st;
    int r = find_file(guest, path, true, &st, err);
    if (r < 0)
        return r;
    if (size > INT64_MAX)
        return error_set(err, EFBIG, "a file of this size does not fit the file system");
    r = guestfs_truncate_size(appliance_handle(guest), path, (int64_t)size);
    return appliance_done(guest, r, err);
}

int appliance_download(struct guest *guest, const char *path, int fd, struct error **err)
{
    struct guest_stat st;
    struct sink sink;
    int r = find_file(guest, path, true, &st, err);
    sink_open(fd, &sink);
    for (uint64_t at = 0; r == 0 && at < st.size;) {
        size_t got;
        int want = (int)min_u64(st.size - at, CHUNK);
        _cleanup_free_ char *part =
            guestfs_pread(appliance_handle(guest), path, want, (int64_t)at, &got);
        if (!part)
            return appliance_fail(appliance_of(guest), err);
        if (got == 0)
            break;
        r = sink_data_sparse(&sink, part, got, err);
        at += got;
    }
    return r < 0 ? r : sink_end(&sink, err);
}

int appliance_overwrite(struct guest *guest, const char *path, struct error **err)
{
    struct guest_stat st;
    char name[32];
    int r = find_file(guest, path, false, &st, err);
    if (r < 0)
        return r;
    _cleanup_close_ int zeroes = memfd_create("zeroes", MFD_CLOEXEC);
    if (zeroes < 0 || ftruncate(zeroes, (off_t)st.size) < 0)
        return error_sys(err, errno, "cannot make a temporary file");
    snprintf(name, sizeof(name), "/dev/fd/%d", zeroes);
    r = guestfs_upload_offset(appliance_handle(guest), name, path, 0);
    return appliance_done(guest, r, err);
}

int appliance_mknod(struct guest *guest, const char *path, mode_t mode, dev_t device,
                    struct error **err)
{
    int r = guestfs_mknod(appliance_handle(guest), (int)mode, (int)major(device),
                          (int)minor(device), path);
    return appliance_done(guest, r, err);
}

int appliance_link(struct guest *guest, const char *existing, const char *path, struct error **err)
{
    struct guest_stat st;
    struct error *error = NULL;
    int r = guest->ops->stat(guest, existing, false, &st, err);
    if (r == 0)
        r = appliance_check_new(guest, path, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *from = appliance_resolve_parent(guest, existing, &error);
    _cleanup_free_ char *to = from ? appliance_resolve_parent(guest, path, &error) : NULL;
    if (!to)
        return error_move(err, error);
    if (S_ISDIR(st.mode))
        return error_set(err, EPERM, "is a directory, which can have one name only");
    if (guestfs_ln(appliance_handle(guest), from, to) == 0)
        return 0;
    return program_failed(appliance_of(guest), err);
}
