/* --scrub FILE */

#include <errno.h>
#include <sys/stat.h>

#include "customize/ops/argument.h"
#include "customize/ops/operations.h"
#include "guest/text/place.h"

static int scrub_parse(const char *argument, void **ret_data, struct error **err)
{
    (void)ret_data;
    return argument_guest_path("scrub", argument, err);
}

static int scrub_apply(const void *data, const char *argument, struct customize_context *context,
                       struct error **err)
{
    (void)data;
    report(context->reporter, REPORT_INFO, "Scrubbing %s", argument);
    /* A link hides nothing: it is the file behind it that goes. */
    _cleanup_free_ char *path = NULL;
    int r = guest_resolve(context->guest, argument, true, &path, err);
    if (r < 0)
        return r;
    struct guest_stat st;
    r = guest_stat(context->guest, path, false, &st, err);
    if (r < 0)
        return r;
    if (!S_ISREG(st.mode)) {
        error_set(err, EINVAL, "%s is not a regular file in the guest", argument);
        return error_hint(err, "directories can be deleted: --delete %s", argument);
    }
    if (st.links > 1)
        report(context->reporter, REPORT_WARNING,
               "%s has other names in the guest: they keep the scrubbed data", argument);
    r = guest_overwrite(context->guest, path, err);
    return r < 0 ? r : guest_unlink(context->guest, path, err);
}

const struct customize_operation scrub_operation = {
    .name = "scrub",
    .metavar = "FILE",
    .help = "overwrite the data of a file of the guest, then delete it",
    .manual = "Overwrite the data of FILE in the guest where it lies on the disk, then delete "
              "FILE, so that its data cannot be had back from the free blocks. FILE must be a "
              "regular file; a symbolic link is followed, and stays. Copies that the file system "
              "or the format of the image made earlier, such as snapshots, are not reached.",
    .example = "--scrub /root/license.key",
    .parse = scrub_parse,
    .apply = scrub_apply,
};
