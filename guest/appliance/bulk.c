/* The appliance engine's way to many small files: one archive, where each file by itself would take
 * several calls. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fdio.h"
#include "guest/appliance/appliance.h"
#include "guest/appliance/tar_stream.h"

/* The directory that was resolved last. */
struct parent {
    char *path; /* as given, with its slash at the end; NULL: none */
    char *real; /* the same in the guest, without */
};

static void parent_release(struct parent *parent)
{
    free(parent->path);
    free(parent->real);
}

/* tar(1) runs outside of the guest's root, where links would lead elsewhere. */
static int resolve(struct guest *guest, const char *path, struct parent *parent, struct error **err)
{
    size_t length = (size_t)(path_name(path) - path);
    if (parent->path && strlen(parent->path) == length && memcmp(parent->path, path, length) == 0)
        return 0;
    free(TAKE_PTR(parent->path));
    free(TAKE_PTR(parent->real));
    char *real = appliance_resolve_parent(guest, path, err);
    if (!real)
        return -EIO;
    real[path_name(real) - real - 1] = '\0';
    parent->real = real;
    parent->path = strndup(path, length);
    return parent->path ? 0 : error_oom(err);
}

static int add_file(struct guest *guest, const struct guest_new_file *file, struct parent *parent,
                    struct tar_stream *stream, struct error **err)
{
    struct error *error = NULL;
    int r = resolve(guest, file->path, parent, &error);
    if (r < 0)
        return error_move(err, error);
    _cleanup_free_ char *name = str_printf(err, "%s/%s", parent->real, path_name(file->path));
    return name ? tar_stream_add(stream, name + strspn(name, "/"), file, err) : -ENOMEM;
}

static int send_archive(struct guest *guest, const struct str *archive, struct error **err)
{
    char name[32];
    _cleanup_close_ int fd = memfd_create("files", MFD_CLOEXEC);
    if (fd < 0)
        return error_sys(err, errno, "cannot make a temporary file");
    int r = fd_pwrite_full(fd, archive->data, archive->length, 0, "files", err);
    if (r < 0)
        return r;
    snprintf(name, sizeof(name), "/dev/fd/%d", fd);
    return appliance_done(guest, guestfs_tar_in_opts(appliance_handle(guest), name, "/", -1), err);
}

int appliance_create_files(struct guest *guest, const struct guest_new_file *files, size_t count,
                           struct error **err)
{
    _cleanup_(parent_release) struct parent parent = {0};
    _cleanup_str_ struct str archive = {0};
    _cleanup_tar_stream_ struct tar_stream *stream = NULL;
    int r = tar_stream_new(&archive, &stream, err);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = add_file(guest, &files[i], &parent, stream, err);
    if (r == 0)
        r = tar_stream_end(stream, err);
    return r < 0 ? r : send_archive(guest, &archive, err);
}
