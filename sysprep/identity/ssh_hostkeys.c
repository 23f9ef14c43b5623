#include "guest/text/glob.h"
#include "sysprep/identity/ssh_keygen.h"
#include "sysprep/operations.h"

#define KEYS "/etc/ssh/*_host_*"

/* Keys that a customization wrote are wanted. Those that a package made when it was installed are
 * not, and cannot be told from them. */
static int warn_of_shared_keys(struct sysprep_context *context, struct error **err)
{
    const struct customize_plan *plan = context->settings->customizations;
    _cleanup_strv_ struct strv keys = {0};
    if (!plan || !(customize_plan_needs(plan) & GUEST_CAN_RUN))
        return 0;
    int r = glob_expand(context->customize->guest, KEYS, &keys, err);
    if (r == 0 && keys.count > 0)
        report(context->customize->reporter, REPORT_WARNING,
               "The customizations left SSH host keys, which all clones will share; `kiln sysprep "
               "--operations ssh-hostkeys` removes them");
    return r;
}

/* Behind the customizations, which may install an SSH server. */
static int finish(struct sysprep_context *context, struct error **err)
{
    int r = warn_of_shared_keys(context, err);
    return r < 0 ? r : ssh_keygen_ensure(context->customize, err);
}

const struct sysprep_operation sysprep_ssh_hostkeys = {
    .name = "ssh-hostkeys",
    .help = "remove the SSH host keys, and have new ones made at the next boot",
    .manual = "Remove " KEYS ", and make sure that the guest makes new keys when it boots. Fedora, "
              "SUSE, Arch, Alpine and their kin do so by themselves, which is checked; where "
              "nothing would (Debian, Ubuntu), the unit kiln-ssh-hostkeys.service is put in. It "
              "runs ssh-keygen -A before sshd starts, if there are no keys by then.",
    .by_default = true,
    .removes = {.files = PATHS(KEYS)},
    .finish = finish,
};
