#include <errno.h>

#include "sysprep/operations.h"

/*
 * Swap space has no place in the guest's tree, so its own tools must do it. UUID and label are
 * kept, since fstab and resume= go by them. blkid also reports a hibernated system ("swsuspend"),
 * which swaplabel would refuse.
 */
static const char renew[] =
    "set -e\n"
    "while read -r device _ type _; do\n"
    "    case $device in '#'*) continue ;; esac\n"
    "    [ \"$type\" = swap ] || continue\n"
    "    case $device in *=*) device=$(blkid -l -o device -t \"$device\") ;; esac\n"
    "    [ -e \"$device\" ] || { echo \"swap space $device: not found\"; exit 1; }\n"
    "    uuid=$(blkid -p -o value -s UUID \"$device\" || :)\n"
    "    label=$(blkid -p -o value -s LABEL \"$device\" || :)\n"
    "    mkswap -f ${uuid:+-U \"$uuid\"} ${label:+-L \"$label\"} \"$device\"\n"
    "done </etc/fstab\n";

static int perform(struct sysprep_context *context, struct error **err)
{
    _cleanup_guest_run_result_ struct guest_run_result result = {0};
    int r = guest_run(context->customize->guest, renew, &result, err);
    if (r < 0 || result.status == 0)
        return r;
    _cleanup_free_ char *output = str_printable(result.output);
    return error_set(err, EIO, "cannot renew the swap space: %s", output ? output : "?");
}

const struct sysprep_operation sysprep_swap_header = {
    .name = "swap-header",
    .help = "make the swap space that fstab names anew",
    .manual =
        "Write new headers to the swap space that the guest's fstab names, with the UUID and "
        "label that it had. The image of a hibernated system is lost, which every clone would "
        "resume otherwise. Off by default, since the guest's own mkswap has to run.",
    .needs = GUEST_CAN_RUN,
    .perform = perform,
};
