#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/str.h"

struct outfile {
    int fd;
    char *path;
    char *temporary; /* the hidden name, NULL while the file has none */
    char *child_path;
};

static char *temporary_name(const char *path, struct error **err)
{
    uint8_t salt[8];
    char hex[2 * sizeof(salt) + 1];
    if (getrandom(salt, sizeof(salt), 0) != sizeof(salt)) {
        error_sys(err, errno, "%s: no random numbers", path);
        return NULL;
    }
    hex_encode(salt, sizeof(salt), hex);
    _cleanup_free_ char *parent = path_parent(path);
    if (!parent) {
        error_oom(err);
        return NULL;
    }
    return str_printf(err, "%s/.%.200s.%s.tmp", parent, path_name(path), hex);
}

static int refuse_non_file(const char *path, struct error **err)
{
    struct stat st;
    if (str_empty(path_name(path)))
        return error_set(err, EISDIR, "%s: names a directory; a file name is needed", path);
    if (stat(path, &st) < 0)
        return errno == ENOENT ? 0 : error_sys(err, errno, "%s: cannot be written", path);
    if (S_ISREG(st.st_mode))
        return 0;
    int r = error_set(err, S_ISDIR(st.st_mode) ? EISDIR : EEXIST, "%s: is %s, not a file", path,
                      S_ISDIR(st.st_mode) ? "a directory" : "a device or another special file");
    error_hint(err, "name a file inside a directory where you may write");
    return r;
}

static int open_unnamed(struct outfile *out, mode_t mode, struct error **err)
{
    _cleanup_free_ char *parent = path_parent(out->path);
    if (!parent)
        return error_oom(err);
    out->fd = open(parent, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
    if (out->fd >= 0) {
        out->child_path = str_printf(err, "/proc/%ld/fd/%d", (long)getpid(), out->fd);
        return out->child_path ? 0 : -ENOMEM;
    }
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
        return error_sys(err, errno, "%s: cannot create", out->path);
    out->temporary = temporary_name(out->path, err);
    if (!out->temporary)
        return err && *err ? -error_errno(*err) : -ENOMEM;
    out->fd = file_open(out->temporary, O_RDWR | O_CREAT | O_EXCL, mode, err);
    if (out->fd < 0) {
        int r = out->fd;
        free(TAKE_PTR(out->temporary));
        return r;
    }
    return str_replace(&out->child_path, out->temporary, err);
}

int outfile_open(const char *path, mode_t mode, struct outfile **ret, struct error **err)
{
    int r = refuse_non_file(path, err);
    if (r < 0)
        return r;
    _cleanup_outfile_ struct outfile *out = calloc(1, sizeof(*out));
    if (!out)
        return error_oom(err);
    out->fd = -1;
    r = str_replace(&out->path, path, err);
    if (r < 0)
        return r;
    r = open_unnamed(out, mode, err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(out);
    return 0;
}

int outfile_fd(const struct outfile *out)
{
    return out->fd;
}

const char *outfile_path(const struct outfile *out)
{
    return out->path;
}

const char *outfile_child_path(const struct outfile *out)
{
    return out->child_path;
}

static int link_nameless(const struct outfile *out, const char *name, struct error **err)
{
    char self[32];
    snprintf(self, sizeof(self), "/proc/self/fd/%d", out->fd);
    if (linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0)
        return error_sys(err, errno, "%s: cannot create", out->path);
    return 0;
}

const char *outfile_give_name(struct outfile *out, struct error **err)
{
    if (out->temporary)
        return out->temporary;
    _cleanup_free_ char *name = temporary_name(out->path, err);
    if (!name || link_nameless(out, name, err) < 0)
        return NULL;
    out->temporary = TAKE_PTR(name);
    return out->temporary;
}

/* rename() replaces what is there, link() does not: a nameless file needs a name of its own first,
 * unless nothing may be replaced anyway. */
static int give_final_name(struct outfile *out, bool exclusive, struct error **err)
{
    if (exclusive && !out->temporary)
        return link_nameless(out, out->path, err);
    const char *name = outfile_give_name(out, err);
    if (!name)
        return error_wrap(err, "cannot finish the output");
    if (renameat2(AT_FDCWD, name, AT_FDCWD, out->path, exclusive ? RENAME_NOREPLACE : 0) < 0)
        return error_sys(err, errno, "%s: cannot create", out->path);
    free(TAKE_PTR(out->temporary));
    return 0;
}

int outfile_commit(struct outfile *out, bool exclusive, enum outfile_state *ret_state,
                   struct error **err)
{
    _cleanup_outfile_ struct outfile *owned = out;
    enum outfile_state ignored, *state = ret_state ? ret_state : &ignored;
    *state = OUTFILE_ABSENT;
    int r = refuse_non_file(out->path, err);
    if (r < 0)
        return r;
    _cleanup_close_ int directory = dir_open_of(out->path, err);
    if (directory < 0)
        return directory;
    if (fsync(out->fd) < 0)
        return error_sys(err, errno, "%s: cannot write", out->path);
    r = give_final_name(owned, exclusive, err);
    if (r < 0)
        return r;
    *state = OUTFILE_PLACED;
    r = dir_sync(directory, out->path, err);
    return r < 0 ? error_wrap(err, "the output is complete, but a crash of this host may undo it")
                 : 0;
}

void outfile_abort(struct outfile *out)
{
    if (!out)
        return;
    if (out->temporary)
        unlink(out->temporary);
    if (out->fd >= 0)
        close(out->fd);
    free(out->path);
    free(out->temporary);
    free(out->child_path);
    free(out);
}

int file_write_atomic(const char *path, const void *data, size_t size, mode_t mode,
                      struct error **err)
{
    _cleanup_outfile_ struct outfile *out = NULL;
    int r = outfile_open(path, mode, &out, err);
    if (r < 0)
        return r;
    r = fd_write_full(out->fd, data, size, path, err);
    if (r < 0)
        return r;
    return outfile_commit(TAKE_PTR(out), false, NULL, err);
}
