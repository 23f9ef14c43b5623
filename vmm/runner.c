#include "vmm/runner.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "vmm/kvm/runner.h"
#include "vmm/qemu/qemu.h"

const struct vm_runner *const vm_runners[] = {&kvm_runner, &qemu_runner, NULL};

void vm_result_free(struct vm_result *result)
{
    free(result->reason);
    free(result->tail);
    free(result->results);
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
    /* The last runner serves any machine: what it lacks is what is reported. */
    struct error *cause = NULL;
    for (size_t i = 0; vm_runners[i]; i++) {
        error_clear(&cause);
        if (vm_runners[i]->available(config, &cause) == 0) {
            *ret = vm_runners[i];
            return 0;
        }
        report(config->reporter, REPORT_DEBUG, "Not by %s: %s", vm_runners[i]->name,
               error_message(cause));
    }
    return error_move(err, cause);
}
