#include "vmm/verdict.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = {
    [VERDICT_NONE] = "none",
    [VERDICT_CLOUD_INIT_DONE] = "cloud-init-done",
    [VERDICT_CLOUD_INIT_DEGRADED] = "cloud-init-degraded",
    [VERDICT_CLOUD_INIT_FAILED] = "cloud-init-failed",
    [VERDICT_LOGIN_PROMPT] = "login-prompt",
    [VERDICT_LINE_SEEN] = "line-seen",
    [VERDICT_PORT_OPEN] = "port-open",
    [VERDICT_PANIC] = "panic",
    [VERDICT_NO_ROOT_DEVICE] = "no-root-device",
    [VERDICT_EMERGENCY_SHELL] = "emergency-shell",
    [VERDICT_NO_BOOTLOADER] = "no-bootloader",
    [VERDICT_RESET_LOOP] = "reset-loop",
    [VERDICT_TRIPLE_FAULT] = "triple-fault",
    [VERDICT_HANG] = "hang",
    [VERDICT_POWER_OFF] = "power-off",
    [VERDICT_INTERRUPTED] = "interrupted",
    [VERDICT_TIMEOUT] = "timeout",
};

const char *vm_verdict_name(enum vm_verdict verdict)
{
    return names[verdict];
}

int vm_verdict_parse(const char *name, enum vm_verdict *ret, struct error **err)
{
    for (size_t i = VERDICT_NONE + 1; i < ARRAY_SIZE(names); i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        *ret = (enum vm_verdict)i;
        return 0;
    }
    return error_set(
        err, EINVAL,
        "'%s' is not a verdict; these are: cloud-init-done, cloud-init-degraded, "
        "cloud-init-failed, login-prompt, line-seen, port-open, panic, no-root-device, "
        "emergency-shell, no-bootloader, reset-loop, triple-fault, hang, power-off, interrupted, "
        "timeout",
        name);
}

bool vm_verdict_good(enum vm_verdict verdict)
{
    return verdict == VERDICT_CLOUD_INIT_DONE || verdict == VERDICT_CLOUD_INIT_DEGRADED ||
           verdict == VERDICT_LOGIN_PROMPT || verdict == VERDICT_LINE_SEEN ||
           verdict == VERDICT_PORT_OPEN;
}
