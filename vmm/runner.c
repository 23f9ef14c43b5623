#include "vmm/runner.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "vmm/qemu.h"

const struct vm_runner *const vm_runners[] = {&qemu_runner, NULL};

void vm_result_free(struct vm_result *result)
{
    free(result->reason);
    free(result->tail);
    *result = (struct vm_result){0};
}

static int find_named(const char *name, const struct vm_config *config,
                      const struct vm_runner **ret, struct error **err)
{
    _cleanup_str_ struct str known = {0};
    for (size_t i = 0; vm_runners[i]; i++) {
        if (strcmp(vm_runners[i]->name, name) != 0) {
            str_appendf(&known, ", %s", vm_runners[i]->name);
            continue;
        }
        int r = vm_runners[i]->available(config, err);
        if (r == 0)
            *ret = vm_runners[i];
        return r;
    }
    return error_set(err, EINVAL, "'%s' is not an engine that runs machines; these are: auto%s",
                     name, known.data ? known.data : "");
}

int vm_runner_find(const char *name, const struct vm_config *config, const struct vm_runner **ret,
                   struct error **err)
{
    if (strcmp(name, "auto") != 0)
        return find_named(name, config, ret, err);
    /* The first one is the one to have: what it lacks is what to tell. */
    struct error *first = NULL;
    for (size_t i = 0; vm_runners[i]; i++) {
        struct error *cause = NULL;
        if (vm_runners[i]->available(config, &cause) == 0) {
            error_free(first);
            *ret = vm_runners[i];
            return 0;
        }
        if (first)
            error_free(cause);
        else
            first = cause;
    }
    return error_move(err, first);
}
