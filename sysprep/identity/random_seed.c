#include "sysprep/operations.h"
#include "sysprep/remove.h"

/* The partition of the firmware is FAT, which not every engine reaches. What systemd-boot keeps
 * there counts only together with a secret in the firmware's variables, which clones do not share.
 */
static int perform(struct sysprep_context *context, struct error **err)
{
    static const char *const seeds[] = {"/{boot,boot/efi,efi}/loader/random-seed", NULL};
    static const struct sysprep_removal removal = {.files = seeds};
    _cleanup_error_ struct error *cause = NULL;
    (void)err;
    if (sysprep_remove(context->customize->guest, &removal, NULL, &cause) < 0)
        report(context->customize->reporter, REPORT_DEBUG,
               "The random seed of systemd-boot was not looked for: %s", error_message(cause));
    return 0;
}

const struct sysprep_operation sysprep_random_seed = {
    .name = "random-seed",
    .help = "remove the random seed",
    .manual = "Remove the seeds that a system saves for its next boot, in "
              "/var/lib/systemd/random-seed, in the places that init scripts used before, and "
              "where systemd-boot keeps its own, if that can be reached. Clones that share a seed "
              "may make the same keys; without one the kernel gathers entropy from the virtual "
              "machine. Runs behind the customizations, which set a seed.",
    .by_default = true,
    .removes = {.files = PATHS("/var/lib/systemd/random-seed", "/var/lib/random-seed",
                               "/var/lib/urandom/random-seed", "/var/lib/misc/random-seed",
                               "/etc/random-seed")},
    .perform = perform,
};
