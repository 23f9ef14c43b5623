/* --upload FILE:DEST */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "customize/ops/argument.h"
#include "customize/ops/operations.h"
#include "guest/text/place.h"

static int upload_parse(const char *argument, void **ret_data, struct error **err)
{
    _cleanup_argument_pair_ struct argument_pair *pair = NULL;
    int r = argument_split("upload", upload_operation.metavar, argument, &pair, err);
    if (r == 0)
        r = argument_guest_path("upload", pair->right, err);
    if (r < 0)
        return r;
    struct stat st;
    if (stat(pair->left, &st) < 0)
        return error_sys(err, errno, "--upload: cannot read the local file %s", pair->left);
    if (S_ISDIR(st.st_mode))
        return error_set(err, EISDIR, "--upload: %s is a directory where a file is expected",
                         pair->left);
    /* A pipe must not be opened twice: only files are tried here. */
    if (S_ISREG(st.st_mode)) {
        _cleanup_close_ int fd = file_open(pair->left, O_RDONLY, 0, err);
        if (fd < 0) {
            error_wrap(err, "--upload");
            return fd;
        }
    }
    *ret_data = TAKE_PTR(pair);
    return 0;
}

static int upload_apply(const void *data, const char *argument, struct customize_context *context,
                        struct error **err)
{
    (void)argument;
    const struct argument_pair *pair = data;
    report(context->reporter, REPORT_INFO, "Uploading %s to %s", pair->left, pair->right);
    _cleanup_close_ int fd = file_open(pair->left, O_RDONLY, 0, err);
    if (fd < 0)
        return fd;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", pair->left);

    _cleanup_free_ char *place = NULL;
    int r = place_destination(context->guest, pair->right, pair->left, &place, err);
    if (r < 0)
        return r;
    const struct guest_file_attr attr = {
        .mode = st.st_mode & 07777,
        .uid = st.st_uid,
        .gid = st.st_gid,
        .force = true,
    };
    return guest_upload(context->guest, fd, place, &attr, err);
}

const struct customize_operation upload_operation = {
    .name = "upload",
    .metavar = "FILE:DEST",
    .help = "copy a local file into the guest, with its mode and owner",
    .manual = "Copy the local FILE to DEST in the guest. Where DEST is a directory of the guest, "
              "the file goes into it under its own name. The mode and the numeric owner and group "
              "of FILE are kept, so set them to what the guest shall see; a build that does not "
              "run as root gives the file its own user id.",
    .example = "--upload app.conf:/etc/app/",
    .parse = upload_parse,
    .apply = upload_apply,
    .free_data = argument_pair_free,
};
