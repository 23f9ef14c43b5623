/* --delete PATH */

#include <errno.h>
#include <string.h>

#include "customize/ops/argument.h"
#include "customize/ops/operations.h"
#include "guest/text/glob.h"

static int delete_parse(const char *argument, void **ret_data, struct error **err)
{
    (void)ret_data;
    int r = argument_guest_path("delete", argument, err);
    if (r < 0)
        return r;
    size_t length = strlen(argument);
    while (length > 0 && argument[length - 1] == '/')
        length--;
    _cleanup_free_ char *trimmed = strndup(argument, length);
    if (!trimmed)
        return error_oom(err);
    if (length == 0 || str_ends(trimmed, "/.") || str_ends(trimmed, "/.."))
        return error_set(err, EINVAL, "--delete: %s is no file or directory that can be deleted",
                         argument);
    return 0;
}

static int delete_apply(const void *data, const char *argument, struct customize_context *context,
                        struct error **err)
{
    (void)data;
    report(context->reporter, REPORT_INFO, "Deleting %s", argument);
    _cleanup_strv_ struct strv paths = {0};
    int r = glob_expand(context->guest, argument, &paths, err);
    if (r == 0 && paths.count == 0)
        report(context->reporter, REPORT_DEBUG, "Nothing in the guest matches %s", argument);
    for (size_t i = 0; r == 0 && i < paths.count; i++)
        r = guest_remove(context->guest, paths.items[i], err);
    return r;
}

const struct customize_operation delete_operation = {
    .name = "delete",
    .metavar = "PATH",
    .help = "delete a file, or a directory with all it holds",
    .manual = "Delete the file PATH from the guest, or the directory PATH with everything below "
              "it. PATH may be a shell pattern with *, ?, [...] and {a,b}; protect it from your "
              "own shell by quotes. Symbolic links are deleted, not followed. That nothing "
              "matches is not an error.",
    .example = "--delete '/var/log/*.log'",
    .parse = delete_parse,
    .apply = delete_apply,
};
