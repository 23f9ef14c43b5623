/* The built-in runner over /dev/kvm. Private to vmm/. */
#pragma once

#include "vmm/runner.h"

extern const struct vm_runner kvm_runner;
