/*
 * A virtual machine of KVM, without processors and devices: memory, interrupt controllers, timer,
 * doorbells and message-signalled interrupts. Private to vmm/.
 */
#pragma once

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "vmm/pc/machine_hooks.h"

/* A message-signalled interrupt of a device. */
struct kvm_message {
    int eventfd;
    uint32_t gsi;
    uint64_t address;
    uint32_t data;
};

struct kvm_vm {
    struct machine_hooks hooks; /* first, so that it can be found from there */
    int device;                 /* /dev/kvm, the caller's */
    int fd;                     /* -1: not made */
    struct kvm_message *messages;
    size_t message_count;
};

/* Fills in the hooks' functions; its memory and buses are the caller's business. */
void kvm_vm_init(struct kvm_vm *vm, int device);

/* Makes the machine with hooks.memory. May be called again after kvm_vm_destroy(). */
int kvm_vm_create(struct kvm_vm *vm, struct error **err);

/* No processor may run. Doorbells and messages are gone with it. */
void kvm_vm_destroy(struct kvm_vm *vm);

int kvm_vm_set_line(struct kvm_vm *vm, unsigned gsi, bool raised, struct error **err);

/* KVM keeps writes to these ports in a ring, and does not hand over for each of them. Optional:
 * returns false when KVM has no such thing. */
bool kvm_vm_batch_ports(struct kvm_vm *vm, uint16_t port, uint16_t count);
void kvm_vm_unbatch_ports(struct kvm_vm *vm, uint16_t port, uint16_t count);
