/* --touch FILE */

#include <errno.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "customize/ops/argument.h"
#include "customize/ops/operations.h"
#include "guest/text/place.h"

static int touch_parse(const char *argument, void **ret_data, struct error **err)
{
    (void)ret_data;
    return argument_guest_path("touch", argument, err);
}

static int touch_apply(const void *data, const char *argument, struct customize_context *context,
                       struct error **err)
{
    (void)data;
    report(context->reporter, REPORT_INFO, "Touching %s", argument);
    struct guest_stat st;
    int r = place_look(context->guest, argument, &st, err);
    if (r > 0 && !S_ISREG(st.mode))
        return error_set(err, EINVAL, "%s is not a regular file in the guest", argument);
    if (r == 0) {
        static const struct guest_file_attr attr = {.mode = 0644};
        r = guest_write(context->guest, argument, "", 0, &attr, err);
    }
    const time_t now = clock_build_time();
    const struct guest_times times = {.atime = now, .mtime = now};
    return r < 0 ? r : guest_set_times(context->guest, argument, &times, err);
}

const struct customize_operation touch_operation = {
    .name = "touch",
    .metavar = "FILE",
    .help = "set the times of a file of the guest, or make it",
    .manual = "Set the times of FILE in the guest to now, or to SOURCE_DATE_EPOCH where that is "
              "set. A FILE that is missing is made, empty, with mode 0644 and owned by root. FILE "
              "cannot be a directory or a symbolic link.",
    .example = "--touch /.autorelabel",
    .parse = touch_parse,
    .apply = touch_apply,
};
