/* The internals of a machine: the processors' threads, and what they share with its owner's.
 * Private to machine.c, take.c and threads.c. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/str.h"
#include "vmm/kvm/cpu.h"
#include "vmm/kvm/machine.h"
#include "vmm/kvm/vm.h"
#include "vmm/pc/pm.h"
#include "vmm/pc/rtc.h"
#include "vmm/pc/serial.h"
#include "vmm/worker.h"

enum { KVM_EXIT_REASONS = 64 };

struct kvm_thread {
    struct kvm_machine *machine;
    struct kvm_cpu cpu;
    struct worker worker;
    /* Written by the thread alone. */
    _Atomic uint64_t exits;
    uint64_t exits_by[KVM_EXIT_REASONS];
    /* A question to the thread, and its answer. */
    _Atomic bool asked;
    _Atomic bool dead;
};

struct kvm_machine {
    struct kvm_machine_config config;
    struct kvm_cpuid2 *supported;
    struct guest_memory memory;
    struct kvm_vm vm;
    struct pci_bus *pci;
    struct kvm_thread *threads; /* config.cpus of them */
    int news;                   /* eventfd: the owner should look */
    _Atomic bool stopping;

    /* Guards all that follows, the buses and their devices. A processor keeps it while it waits for
     * a device, which may be at work on a disk that hangs: its owner takes it by worker_lock(). */
    pthread_mutex_t lock;
    pthread_cond_t room; /* `output` was taken */
    struct bus ports, mmio;
    struct serial serial;
    struct rtc rtc;
    struct machine_events events;
    bool batches_ier;  /* see kvm_machine_tune() */
    struct str output; /* of the console, not taken yet */
    size_t output_taken;
    enum kvm_machine_state state;
    char *reason;

    /* Of the owner's thread. */
    uint64_t seen_exits, seen_at;
    bool asked;
};

/* Bytes of output that make the guest wait. */
enum { KVM_OUTPUT_MARK = 64 << 10 };

int kvm_threads_start(struct kvm_machine *machine, struct error **err);
/* False: the deadline came first. */
bool kvm_threads_stop(struct kvm_machine *machine, uint64_t deadline);
/* Makes every thread answer whether its processor is dead. */
void kvm_threads_ask(struct kvm_machine *machine);

/* With the lock held: writes that KVM kept back reach their devices. To be called before any other
 * access, so that each device sees things in their order. */
void kvm_machine_drain(struct kvm_machine *machine);
/* With the lock held, after accesses. */
void kvm_machine_tune(struct kvm_machine *machine);
/* With the lock held: the machine has come to its end. The first call counts. */
void kvm_machine_end(struct kvm_machine *machine, enum kvm_machine_state state, const char *fmt,
                     ...) _printf_(3, 4);
/* Wakes the owner out of kvm_machine_take(). */
void kvm_machine_look(struct kvm_machine *machine);
