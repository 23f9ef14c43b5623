/* Whether KVM may be used, for layers that cannot ask vmm/ themselves. */
#pragma once

#include <stdbool.h>

/* False when the probe fails, too: emulation always works. */
bool cli_kvm_healthy(void);
