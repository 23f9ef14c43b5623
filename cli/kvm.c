#include "cli/kvm.h"

#include "vmm/kvm/probe.h"

bool cli_kvm_healthy(void)
{
    _cleanup_kvm_report_ struct kvm_report report = {0};
    return kvm_probe(&report, NULL) == 0 && report.health == KVM_HEALTHY;
}
