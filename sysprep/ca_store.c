#include "sysprep/ca_store.h"

#include <errno.h>

#include "sysprep/remove.h"

static const struct {
    const char *program;
    const char *command;
} makers[] = {
    {"/usr/bin/update-ca-trust", "update-ca-trust extract"},        /* Red Hat, Arch */
    {"/usr/sbin/update-ca-certificates", "update-ca-certificates"}, /* Debian, SUSE, Alpine */
};

static int run(struct sysprep_context *context, const char *command, struct error **err)
{
    _cleanup_guest_run_result_ struct guest_run_result result = {0};
    struct error *cause = NULL;
    int r = guest_run(context->customize->guest, command, &result, &cause);
    if (r == -EOPNOTSUPP) {
        error_free(cause);
        report(context->customize->reporter, REPORT_WARNING,
               "Certificates were removed; run '%s' in the guest to make it forget them", command);
        return 0;
    }
    if (r < 0)
        return error_move(err, cause);
    if (result.status == 0)
        return 0;
    _cleanup_free_ char *output = str_printable(result.output);
    return error_set(err, EIO, "%s in the guest failed with status %d: %s", command, result.status,
                     output ? output : "");
}

int ca_store_update(struct sysprep_context *context, struct error **err)
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
    return r < 0 || removed == 0 ? r : ca_store_update(context, err);
}
