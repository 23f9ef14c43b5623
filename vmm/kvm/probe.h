/*
 * Whether /dev/kvm runs guests at full speed. Some hosts have one that opens and creates machines
 * but runs guests through an instruction emulator, thousands of times too slow; a stock kernel
 * never boots on it. So the probe runs a known loop in a tiny machine against a deadline.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

enum kvm_health {
    KVM_HEALTHY,
    KVM_ABSENT,    /* no /dev/kvm */
    KVM_FORBIDDEN, /* no permission */
    KVM_BROKEN,    /* an ioctl fails, or the loop gives a wrong result */
    KVM_TOO_SLOW,  /* the loop missed its deadline */
};

struct kvm_report {
    enum kvm_health health;
    char *reason;        /* one sentence */
    char *remedy;        /* what to do about it, NULL where nothing helps */
    uint64_t elapsed_us; /* of the loop; 0 where it was not run */
};

/* Runs the probe: some milliseconds on a real KVM, a quarter of a second on one that is too slow,
 * about a second at most where /dev/kvm does not answer at all. Or returns the answer cached for
 * this boot of the host (keyed by the kernel's boot id, under $XDG_RUNTIME_DIR or the user's
 * cache). KILN_KVM_DEVICE names another device than /dev/kvm; its answer is never cached. */
int kvm_probe(struct kvm_report *ret, struct error **err);
void kvm_report_free(struct kvm_report *report);
#define _cleanup_kvm_report_ _cleanup_(kvm_report_free)

/* Opens the device that kvm_probe() looks at. */
int kvm_open(struct error **err);
