#include <errno.h>

#include "sysprep/operations.h"

static int perform(struct sysprep_context *context, struct error **err)
{
    const struct strv *scripts = &context->settings->scripts;
    if (scripts->count == 0)
        return 0;
    error_set(err, EOPNOTSUPP, "%s cannot be run: the %s engine cannot mount the guest on the host",
              scripts->items[0], guest_engine_used(context->customize->guest));
    return error_hint(err, "Run it in the guest with --run, or make its changes with options such "
                           "as --edit, --delete and --upload.");
}

const struct sysprep_operation sysprep_script = {
    .name = "script",
    .help = "run programs of the host on the guest's files",
    .manual = "Run the programs given with --script on the host, in the directory where the "
              "guest's root directory is mounted: --scriptdir, or a temporary one. No engine can "
              "mount a guest so far; what the programs do can mostly be done with --run.",
    .by_default = true,
    .perform = perform,
};
