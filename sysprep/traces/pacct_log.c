#include <errno.h>

#include "sysprep/operations.h"

/* Where Red Hat and Debian keep it. The accounting can only be switched on while there is one. */
static const char *const directories[] = {"/var/account", "/var/log/account"};

static int perform(struct sysprep_context *context, struct error **err)
{
    struct guest *guest = context->customize->guest;
    static const struct guest_file_attr attr = {.mode = 0600};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(directories); i++) {
        _cleanup_free_ char *path = str_printf(err, "%s/pacct", directories[i]);
        if (!path)
            return -ENOMEM;
        if (guest_exists(guest, path))
            r = guest_replace(guest, path, "", 0, err);
        else if (guest_is_dir(guest, directories[i]))
            r = guest_write(guest, path, "", 0, &attr, err);
    }
    return r;
}

const struct sysprep_operation sysprep_pacct_log = {
    .name = "pacct-log",
    .help = "empty the log of process accounting",
    .manual = "Remove the rotated logs of process accounting in /var/account and "
              "/var/log/account, and leave an empty pacct there.",
    .by_default = true,
    .removes =
        {
            .files = PATHS("/var/account/pacct*", "/var/log/account/pacct*"),
            .keep = PATHS("/var/account/pacct", "/var/log/account/pacct"),
        },
    .perform = perform,
};
