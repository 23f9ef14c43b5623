/* --chmod PERMISSIONS:FILE */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "customize/ops/argument.h"
#include "customize/ops/operations.h"

/* Octal behind a leading 0, else decimal: what virt-customize makes of the same text. */
static int parse_mode(const char *text, unsigned *ret, struct error **err)
{
    char *end;
    unsigned long value = strtoul(text, &end, *text == '0' ? 8 : 10);
    if (!isdigit((unsigned char)*text) || *end || value > 07777) {
        error_set(err, EINVAL, "--chmod: the permissions must be a number from 0 to 07777");
        return error_hint(err, "write them in octal with a leading 0, as in 0644:/etc/motd");
    }
    *ret = (unsigned)value;
    return 0;
}

static int chmod_parse(const char *argument, void **ret_data, struct error **err)
{
    _cleanup_argument_pair_ struct argument_pair *pair = NULL;
    unsigned mode;
    int r = argument_split("chmod", chmod_operation.metavar, argument, &pair, err);
    if (r == 0)
        r = parse_mode(pair->left, &mode, err);
    if (r == 0)
        r = argument_guest_path("chmod", pair->right, err);
    if (r == 0)
        *ret_data = TAKE_PTR(pair);
    return r;
}

static int chmod_apply(const void *data, const char *argument, struct customize_context *context,
                       struct error **err)
{
    (void)argument;
    const struct argument_pair *pair = data;
    unsigned mode;
    int r = parse_mode(pair->left, &mode, err);
    if (r < 0)
        return r;
    report(context->reporter, REPORT_INFO, "Changing the permissions of %s to %04o", pair->right,
           mode);
    if (mode > 0 && *pair->left != '0')
        report(context->reporter, REPORT_WARNING,
               "--chmod %s is decimal and means %04o: write 0%s for the octal number", pair->left,
               mode, pair->left);
    return guest_chmod(context->guest, pair->right, mode, err);
}

const struct customize_operation chmod_operation = {
    .name = "chmod",
    .metavar = "PERMISSIONS:FILE",
    .help = "change the permissions of a file of the guest",
    .manual = "Change the permissions of FILE in the guest to PERMISSIONS, an octal number with a "
              "leading 0, at most 07777. Without the 0 the number is decimal, as virt-customize "
              "has it, which is seldom meant; kiln warns then. A symbolic link is followed.",
    .example = "--chmod 0600:/etc/app/secret.conf",
    .parse = chmod_parse,
    .apply = chmod_apply,
    .free_data = argument_pair_free,
};
