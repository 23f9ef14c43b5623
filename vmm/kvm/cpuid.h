/* The CPUID leaves of a machine's processors. Private to vmm/. */
#pragma once

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* What KVM can offer (KVM_GET_SUPPORTED_CPUID). Caller frees; NULL on error. */
struct kvm_cpuid2 *kvm_cpuid_supported(int device, struct error **err);

struct kvm_cpuid_place {
    unsigned cpu; /* APIC id */
    unsigned cpus;
    bool tsc_deadline; /* KVM has this timer, which is not among what it says is supported */
};

/*
 * The leaves of this processor: one package, a core each with one thread; without what is of use to
 * a host only (virtualization, performance counters, tracing, enclaves). Caller frees; NULL: out of
 * memory.
 */
struct kvm_cpuid2 *kvm_cpuid_make(const struct kvm_cpuid2 *supported,
                                  const struct kvm_cpuid_place *place);

/* Bits of a physical address that a guest may use. */
unsigned kvm_cpuid_address_bits(const struct kvm_cpuid2 *supported);

/* The components of the extended processor state (XCR0) that guests may switch on by themselves.
 * 0: there is no such state. */
uint64_t kvm_cpuid_extended_state(const struct kvm_cpuid2 *supported);
