/* The runner over QEMU: KVM where that is healthy, else emulation. Private to vmm/. */
#pragma once

#include "vmm/runner.h"

extern const struct vm_runner qemu_runner;
