#include "sysprep/services/ca_store.h"

#include <errno.h>
#include <string.h>

#include "customize/firstboot.h"
#include "customize/program.h"
#include "sysprep/remove.h"

static const struct {
    const char *program;
    const char *command;
} makers[] = {
    {"/usr/bin/update-ca-trust", "update-ca-trust extract"},        /* Red Hat, Arch */
    {"/usr/sbin/update-ca-certificates", "update-ca-certificates"}, /* Debian, SUSE, Alpine */
};

static int run_at_first_boot(struct sysprep_context *context, const char *command,
                             struct error **err)
{
    _cleanup_free_ char *script = str_printf(err, "#!/bin/sh\n%s\n", command);
    if (!script)
        return -ENOMEM;
    report(context->customize->reporter, REPORT_DEBUG, "%s will run at the first boot", command);
    return firstboot_add(context->customize, command, script, strlen(script), err);
}

static int run(struct sysprep_context *context, const char *command, struct error **err)
{
    _cleanup_guest_run_result_ struct guest_run_result result = {0};
    struct error *cause = NULL;
    int r = program_require(context->customize->info, &cause);
    if (r == 0)
        r = guest_run(context->customize->guest, command, &result, &cause);
    if (r == -EOPNOTSUPP) {
        error_free(cause);
        return run_at_first_boot(context, command, err);
    }
    if (r < 0)
        return error_move(err, cause);
    if (result.status == 0)
        return 0;
    _cleanup_free_ char *output = str_printable(result.output);
    return error_set(err, EIO, "%s in the guest failed with status %d: %s", command, result.status,
                     output ? output : "");
}

static int update(struct sysprep_context *context, struct error **err)
{
    for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
        if (guest_exists(context->customize->guest, makers[i].program))
            return run(context, makers[i].command, err);
    return 0;
}

int ca_store_remove(struct sysprep_context *context, const struct sysprep_removal *removal,
                    struct error **err)
{
    size_t removed = 0;
    int r = sysprep_remove(context->customize->guest, removal, &removed, err);
    return r < 0 || removed == 0 ? r : update(context, err);
}
