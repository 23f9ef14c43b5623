/* A processor of a machine of KVM. Private to vmm/. */
#pragma once

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vmm/kvm/cpuid.h"
#include "vmm/kvm/vm.h"
#include "vmm/pc/boot_load.h"

struct kvm_cpu {
    int fd; /* -1: not made */
    unsigned index;
    struct kvm_run *run;
    size_t run_size;
};

int kvm_cpu_create(struct kvm_cpu *cpu, struct kvm_vm *vm, const struct kvm_cpuid2 *supported,
                   const struct kvm_cpuid_place *place, struct error **err);
void kvm_cpu_destroy(struct kvm_cpu *cpu);

/* Sets the entry point; for the boot processor. The others wait for its INIT and SIPI. */
int kvm_cpu_set_entry(struct kvm_cpu *cpu, const struct guest_memory *memory,
                      const struct boot_entry *entry, struct error **err);

/* By the thread that runs the processor, while it does not: */

/* True when it is halted without a chance of an interrupt, or was never started. */
bool kvm_cpu_is_dead(const struct kvm_cpu *cpu);
/* True when it stands where a reset puts it. */
bool kvm_cpu_was_reset(const struct kvm_cpu *cpu);
/* "rip=0xffffffff81000000 rsp=..." Caller frees; NULL: out of memory. */
char *kvm_cpu_registers(const struct kvm_cpu *cpu);
