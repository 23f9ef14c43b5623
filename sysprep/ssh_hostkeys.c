#include "sysprep/operations.h"
#include "sysprep/ssh_keygen.h"

/* Behind the customizations, which may install an SSH server. */
static int finish(struct sysprep_context *context, struct error **err)
{
    return ssh_keygen_ensure(context->customize, err);
}

const struct sysprep_operation sysprep_ssh_hostkeys = {
    .name = "ssh-hostkeys",
    .help = "remove the SSH host keys, and have new ones made at the next boot",
    .manual =
        "Remove /etc/ssh/*_host_*, and make sure that the guest makes new keys when it boots. "
        "Fedora, SUSE, Arch, Alpine and their kin do so by themselves, which is checked; "
        "where nothing would (Debian, Ubuntu), the unit kiln-ssh-hostkeys.service is put in. "
        "It runs ssh-keygen -A before sshd starts, if there are no keys by then.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/ssh/*_host_*")},
    .finish = finish,
};
