/* --copy-in LOCALPATH:REMOTEDIR */

#include <errno.h>
#include <sys/stat.h>

#include "customize/ops/argument.h"
#include "customize/ops/operations.h"
#include "customize/unpack/local_tree.h"

static int copy_in_parse(const char *argument, void **ret_data, struct error **err)
{
    _cleanup_argument_pair_ struct argument_pair *pair = NULL;
    int r = argument_split("copy-in", copy_in_operation.metavar, argument, &pair, err);
    if (r == 0)
        r = argument_guest_path("copy-in", pair->right, err);
    if (r < 0)
        return r;
    struct stat st;
    if (lstat(pair->left, &st) < 0)
        return error_sys(err, errno, "--copy-in: cannot read the local file %s", pair->left);
    *ret_data = TAKE_PTR(pair);
    return 0;
}

static int copy_in_apply(const void *data, const char *argument, struct customize_context *context,
                         struct error **err)
{
    (void)argument;
    const struct argument_pair *pair = data;
    report(context->reporter, REPORT_INFO, "Copying %s into %s", pair->left, pair->right);
    _cleanup_unpack_ struct unpack *unpack = NULL;
    int r = unpack_new(context->guest, pair->right, &unpack, err);
    if (r == 0)
        r = local_tree_unpack(pair->left, unpack, context->reporter, err);
    return r < 0 ? r : unpack_finish(unpack, err);
}

const struct customize_operation copy_in_operation = {
    .name = "copy-in",
    .metavar = "LOCALPATH:REMOTEDIR",
    .help = "copy a local file or a whole directory into a directory of the guest",
    .manual =
        "Copy LOCALPATH, a local file or a directory with all it holds, into REMOTEDIR, a "
        "directory that the guest has. It keeps its own name there. Modes, times, numeric owners, "
        "links and hard links are kept, so set them to what the guest shall see; a build that "
        "does not run as root keeps the user ids of the files. Files in the guest "
        "are replaced; a directory of the same name gets the mode and owner of the local one.",
    .example = "--copy-in ./site:/var/www",
    .parse = copy_in_parse,
    .apply = copy_in_apply,
    .free_data = argument_pair_free,
};
