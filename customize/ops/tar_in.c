/* --tar-in TARFILE:REMOTEDIR */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "customize/ops/argument.h"
#include "customize/ops/operations.h"
#include "customize/unpack/tar.h"

static int check_archive(const char *path, struct error **err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return error_sys(err, errno, "cannot read the local file %s", path);
    if (S_ISDIR(st.st_mode)) {
        error_set(err, EISDIR, "%s is a directory where an archive is expected", path);
        return error_hint(err, "use --copy-in for directories");
    }
    /* A pipe can be read only once. */
    if (!S_ISREG(st.st_mode))
        return 0;
    _cleanup_close_ int fd = file_open(path, O_RDONLY, 0, err);
    return fd < 0 ? fd : tar_probe(fd, path, err);
}

static int tar_in_parse(const char *argument, void **ret_data, struct error **err)
{
    _cleanup_argument_pair_ struct argument_pair *pair = NULL;
    int r = argument_split("tar-in", tar_in_operation.metavar, argument, &pair, err);
    if (r == 0)
        r = argument_guest_path("tar-in", pair->right, err);
    if (r < 0)
        return r;
    r = check_archive(pair->left, err);
    if (r < 0)
        return error_wrap(err, "--tar-in");
    *ret_data = TAKE_PTR(pair);
    return 0;
}

static int tar_in_apply(const void *data, const char *argument, struct customize_context *context,
                        struct error **err)
{
    (void)argument;
    const struct argument_pair *pair = data;
    report(context->reporter, REPORT_INFO, "Unpacking %s into %s", pair->left, pair->right);
    _cleanup_close_ int fd = file_open(pair->left, O_RDONLY, 0, err);
    if (fd < 0)
        return fd;
    _cleanup_unpack_ struct unpack *unpack = NULL;
    int r = unpack_new(context->guest, pair->right, &unpack, err);
    if (r == 0)
        r = tar_unpack(fd, pair->left, unpack, err);
    return r < 0 ? r : unpack_finish(unpack, err);
}

const struct customize_operation tar_in_operation = {
    .name = "tar-in",
    .metavar = "TARFILE:REMOTEDIR",
    .help = "unpack a local tar archive into a directory of the guest",
    .manual =
        "Unpack the local archive TARFILE into REMOTEDIR, a directory that the guest has. The "
        "archive may be compressed with gzip, bzip2, xz, lzma, zstd, lz4 or compress. Modes, times "
        "and numeric owners are those in the archive; its extended attributes are left out. Files "
        "in the guest give way; a directory gets the mode and owner in the archive, but a "
        "symbolic link of the guest that leads to a directory stays, so that bin/tool goes where "
        "/bin leads. Entries that would leave REMOTEDIR, by '..' or through a link in the archive, "
        "are an error.",
    .example = "--tar-in overlay.tar.xz:/",
    .parse = tar_in_parse,
    .apply = tar_in_apply,
    .free_data = argument_pair_free,
};
