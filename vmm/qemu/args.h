/* From a vm_config to QEMU's command line. Private to vmm/. */
#pragma once

#include "vmm/qemu/command.h"
#include "vmm/runner.h"

extern const char qemu_program[];

/* The child's ends of socket pairs; they stay the caller's. */
struct qemu_channels {
    int console;
    int monitor;
    int results; /* -1: none */
};

/* kvm: use KVM, else emulate. */
int qemu_args_build(const struct vm_config *config, bool kvm, const struct qemu_channels *channels,
                    struct qemu_command *ret, struct error **err);
