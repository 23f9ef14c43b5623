/* --truncate FILE and --truncate-recursive PATH */

#include <errno.h>
#include <sys/stat.h>

#include "customize/ops/argument.h"
#include "customize/ops/operations.h"
#include "guest/text/place.h"

/* Deeper trees are not expected in a guest's file system. */
enum { depth_max = 1000 };

static int truncate_parse(const char *argument, void **ret_data, struct error **err)
{
    (void)ret_data;
    return argument_guest_path("truncate", argument, err);
}

static int truncate_apply(const void *data, const char *argument, struct customize_context *context,
                          struct error **err)
{
    (void)data;
    report(context->reporter, REPORT_INFO, "Truncating %s", argument);
    return guest_truncate(context->guest, argument, 0, err);
}

static int recursive_parse(const char *argument, void **ret_data, struct error **err)
{
    (void)ret_data;
    return argument_guest_path("truncate-recursive", argument, err);
}

static int truncate_below(struct guest *guest, const char *directory, unsigned depth,
                          struct error **err);

static int truncate_at(struct guest *guest, const char *path, unsigned depth, struct error **err)
{
    struct guest_stat st;
    int r = guest_stat(guest, path, false, &st, err);
    if (r < 0)
        return r;
    if (S_ISDIR(st.mode))
        return truncate_below(guest, path, depth + 1, err);
    /* What is empty already keeps its times. */
    return S_ISREG(st.mode) && st.size > 0 ? guest_truncate(guest, path, 0, err) : 0;
}

static int truncate_below(struct guest *guest, const char *directory, unsigned depth,
                          struct error **err)
{
    if (depth >= depth_max)
        return error_set(err, ELOOP, "%s in the guest: is nested too deeply", directory);
    _cleanup_strv_ struct strv names = {0};
    int r = place_list(guest, directory, &names, err);
    for (size_t i = 0; r == 0 && i < names.count; i++) {
        _cleanup_free_ char *path = place_join(directory, names.items[i], err);
        r = path ? truncate_at(guest, path, depth, err) : -ENOMEM;
    }
    return r;
}

static int recursive_apply(const void *data, const char *argument,
                           struct customize_context *context, struct error **err)
{
    (void)data;
    report(context->reporter, REPORT_INFO, "Truncating all files below %s", argument);
    return truncate_below(context->guest, argument, 0, err);
}

const struct customize_operation truncate_operation = {
    .name = "truncate",
    .metavar = "FILE",
    .help = "make a file of the guest empty",
    .manual = "Cut FILE in the guest to no bytes at all. It must exist; mode and owner stay. A "
              "symbolic link is followed.",
    .example = "--truncate /var/log/wtmp",
    .parse = truncate_parse,
    .apply = truncate_apply,
};

const struct customize_operation truncate_recursive_operation = {
    .name = "truncate-recursive",
    .metavar = "PATH",
    .help = "make all files below a directory of the guest empty",
    .manual = "Cut every regular file below the directory PATH in the guest to no bytes at all; "
              "directories and links stay. Links below PATH are not followed.",
    .example = "--truncate-recursive /var/log",
    .parse = recursive_parse,
    .apply = recursive_apply,
};
