/*
 * A whole machine over KVM: processors in threads of their own, the devices of a small PC, and a
 * PCI bus for others. Its owner's thread reads its output and decides when it ends. Private to
 * vmm/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "vmm/identity.h"
#include "vmm/pc/pci.h"

struct kvm_machine_config {
    int device; /* /dev/kvm; the descriptors stay the caller's, and open while the machine lives */
    int kernel_fd;
    int initrd_fd; /* -1: none */
    const char *command_line;
    uint64_t memory; /* bytes */
    bool hugepages;
    unsigned cpus;
    bool pci; /* tell the guest of the bus: there will be devices on it */
    struct vm_identity identity;
};

enum kvm_machine_state {
    KVM_MACHINE_RUNNING,
    KVM_MACHINE_OFF,          /* the guest switched it off */
    KVM_MACHINE_RESET,        /* the guest wants it reset: kvm_machine_restart() */
    KVM_MACHINE_TRIPLE_FAULT, /* or KVM cannot go on with the guest */
    KVM_MACHINE_HUNG,         /* every processor is halted for good */
    KVM_MACHINE_FAILED,       /* a fault of the host */
};

struct kvm_machine;

int kvm_machine_new(const struct kvm_machine_config *config, struct kvm_machine **ret,
                    struct error **err);

/* Where devices are plugged in, before the start. */
struct pci_bus *kvm_machine_pci(struct kvm_machine *machine);

/* Loads the kernel and lets the processors go. */
int kvm_machine_start(struct kvm_machine *machine, struct error **err);

/* Waits at most timeout_ms for an event; reads up to `size` bytes of the console. Must be called
 * often: a guest that prints much waits meanwhile. *ret_state is not RUNNING only when nothing of
 * the console is left. */
size_t kvm_machine_take(struct kvm_machine *machine, uint64_t timeout_ms, char *buffer, size_t size,
                        enum kvm_machine_state *ret_state);

/* Input for the console. Returns how many of the bytes had room; the rest has to be passed again
 * later. */
size_t kvm_machine_type(struct kvm_machine *machine, const char *keys, size_t count);

/* Signals a press of the power button to the guest. */
int kvm_machine_press_power(struct kvm_machine *machine, struct error **err);

/* Why it does not run any more, and the registers; "" while it does. */
const char *kvm_machine_reason(const struct kvm_machine *machine);

/* Stops the processors; returns once none runs. Harmless when called again. False: one of them does
 * not stop, as it hangs in the host; then only kvm_machine_halt() and kvm_machine_reason() are left
 * to be called. */
bool kvm_machine_stop(struct kvm_machine *machine);

/* After a stop: the same machine with the same devices, from the beginning. -ETIMEDOUT where a
 * device hangs in the host. */
int kvm_machine_restart(struct kvm_machine *machine, struct error **err);

/* "io 1034, mmio 20, ...": how often KVM handed over, by reason; after a stop. NULL: out of
 * memory. */
char *kvm_machine_exits(const struct kvm_machine *machine);

/* Registers of a processor; after a stop. Caller frees; NULL: out of memory. */
char *kvm_machine_registers(const struct kvm_machine *machine, unsigned cpu);

/* Time that no processor has done anything visible, in milliseconds. */
uint64_t kvm_machine_idle_ms(struct kvm_machine *machine);

/* Stops the processors and the devices for good. False: something hangs in the host. The machine,
 * and all that its devices use, must then be left as they are. Accepts NULL. */
bool kvm_machine_halt(struct kvm_machine *machine);

/* Halts it as well. Accepts NULL. */
void kvm_machine_free(struct kvm_machine *machine);
DEFINE_CLEANUP(struct kvm_machine *, kvm_machine_free);
