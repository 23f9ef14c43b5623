/* From a vm_config to QEMU's command line. Private to vmm/. */
#pragma once

#include "vmm/qemu_command.h"
#include "vmm/runner.h"

extern const char qemu_program[];

/* kvm: use KVM, else emulate. console_fd and monitor_fd are the child's ends of socket pairs and
 * stay the caller's. */
int qemu_args_build(const struct vm_config *config, bool kvm, int console_fd, int monitor_fd,
                    struct qemu_command *ret, struct error **err);
