/* The known loop that tells KVM on hardware from an instruction emulator, run in a child that can
 * be killed. Private to vmm/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { kvm_loop_instructions = 200001 };

enum kvm_step {
    KVM_STEP_VERSION,
    KVM_STEP_CREATE_VM,
    KVM_STEP_MEMORY,
    KVM_STEP_CREATE_VCPU,
    KVM_STEP_REGISTERS,
    KVM_STEP_RUN,
    KVM_STEP_DONE,
};

struct kvm_loop_result {
    enum kvm_step step;  /* the one that failed or was not finished in time; DONE: the loop ran */
    int errnum;          /* of that step; 0: it did not return in time, or gave a wrong result */
    bool finished;       /* the child said all that it had to say; false: it was killed */
    uint64_t elapsed_us; /* of the loop, by the clock; of all until the child was killed */
    uint64_t cpu_us; /* time that a processor worked for it: less where others kept it waiting */
};

/* Runs the loop twice and gives the better result: the first one of a boot finds everything cold.
 * `device` is an open /dev/kvm; stays the caller's. Takes at most setup_ms to make the machine,
 * run_ms for the loops, and a little for the clearing up. */
int kvm_loop_run(int device, uint64_t setup_ms, uint64_t run_ms, struct kvm_loop_result *ret,
                 struct error **err);
