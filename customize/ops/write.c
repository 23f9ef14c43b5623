/* --write FILE:CONTENT */

#include <string.h>

#include "customize/ops/argument.h"
#include "customize/ops/operations.h"

static int write_parse(const char *argument, void **ret_data, struct error **err)
{
    _cleanup_argument_pair_ struct argument_pair *pair = NULL;
    int r = argument_split("write", write_operation.metavar, argument, &pair, err);
    if (r == 0)
        r = argument_guest_path("write", pair->left, err);
    if (r < 0)
        return r;
    *ret_data = TAKE_PTR(pair);
    return 0;
}

static int write_apply(const void *data, const char *argument, struct customize_context *context,
                       struct error **err)
{
    (void)argument;
    static const struct guest_file_attr attr = {.mode = 0644};
    const struct argument_pair *pair = data;
    report(context->reporter, REPORT_INFO, "Writing %s", pair->left);
    return guest_write(context->guest, pair->left, pair->right, strlen(pair->right), &attr, err);
}

const struct customize_operation write_operation = {
    .name = "write",
    .metavar = "FILE:CONTENT",
    .help = "write CONTENT into a file of the guest",
    .manual = "Make CONTENT, exactly as given and without a newline added, the whole content of "
              "FILE in the guest. A file that exists keeps its mode and owner; a new one gets mode "
              "0644 and belongs to root. The directory must exist.",
    .example = "--write /etc/motd:Welcome",
    .parse = write_parse,
    .apply = write_apply,
    .free_data = argument_pair_free,
};
