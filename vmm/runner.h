/*
 * Running a virtual machine to learn whether its image boots. The runners (our own over KVM in
 * vmm/kvm/, QEMU in vmm/qemu/; the array is in runner.c) share this interface, the console watcher
 * and the verdicts. Nothing here knows file systems of guests: kernel and initrd come as open
 * descriptors.
 */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/report.h"
#include "image/image.h"
#include "vmm/identity.h"
#include "vmm/verdict.h"

enum vm_boot { VM_BOOT_BIOS, VM_BOOT_UEFI, VM_BOOT_KERNEL };

struct vm_disk {
    const char *path;
    enum image_format format;
    bool seed; /* read-only, attached behind the system disk */
};

/* TCP, from 127.0.0.1 of the host. */
struct vm_forward {
    uint16_t host_port;
    uint16_t guest_port;
};

/* A terminal at the guest's serial console. */
struct vm_terminal {
    int input;  /* what is read here is typed there; where it ends, nothing more is typed */
    int output; /* receives what the guest prints, as it is */
};

/* Ctrl-], as with virsh console and telnet: typing it ends the machine. */
#define VM_TERMINAL_ESCAPE '\x1d'

struct vm_config {
    enum vm_boot boot;
    struct vm_disk
        *disks; /* the first is the system disk; all are kept under throw-away overlays */
    size_t disk_count;
    const struct image_trust *trust; /* which backing files they may have; see image/trust.h */
    bool persist;  /* but what the guest writes to the system disk stays; it is asked to switch
                      itself off after a good sign */
    int kernel_fd; /* VM_BOOT_KERNEL only; -1: none. The caller's */
    int initrd_fd;
    const char *command_line;
    uint64_t memory; /* bytes */
    bool hugepages;  /* of the host's pool */
    unsigned cpus;
    struct vm_identity identity; /* the texts are the caller's */
    bool network; /* user-mode: the guest reaches out, in reaches only what is forwarded */
    const struct vm_forward *forwards;
    size_t forward_count;
    uint64_t timeout_ms;
    int console_fd; /* receives the bytes of the serial console, the first 64 MiB of them; -1: none;
                       the caller's */
    const struct vm_terminal *terminal; /* the machine runs until it ends, VM_TERMINAL_ESCAPE is
                                           typed or the time is over, whatever was decided; NULL:
                                           nobody is there. The caller's */
    /* What is waited for (vmm/watch.h): all that is asked for here. */
    enum vm_verdict expected; /* which good sign is waited for, see console_watcher_new() */
    const regex_t *wait_for;  /* a line of the console that matches; NULL: none. The caller's */
    uint16_t wait_port;       /* a port of the guest that accepts, one of the forwards; 0: none */
    bool results;             /* a port org.kiln.results, see vmm/results.h */
    bool results_needed;      /* nothing is decided before they are complete */
    struct reporter *reporter;
};

struct vm_result {
    enum vm_verdict verdict;
    char *reason;            /* the console line or fact that decided it, or for a timeout what is
                                known instead; printable */
    const char *engine;      /* "qemu" */
    const char *accelerator; /* "kvm" or "tcg" */
    uint64_t duration_ms;    /* from start to verdict */
    uint64_t console_bytes;
    char *tail;    /* the last 50 console lines, printable */
    char *results; /* what came through the results port, at most RESULTS_MAX; NUL-terminated */
    size_t results_size;
};

void vm_result_free(struct vm_result *result);
#define _cleanup_vm_result_ _cleanup_(vm_result_free)

struct vm_runner {
    const char *name;
    /* 0, or why this runner cannot be used here, with the remedy as hint. */
    int (*available)(const struct vm_config *config, struct error **err);
    /* Starts the machine, watches it to a verdict, and leaves no process, socket or file behind.
     * Returns 0 whenever there is a verdict, VERDICT_TIMEOUT among them. */
    int (*run)(const struct vm_config *config, struct vm_result *ret, struct error **err);
};

/* NULL-terminated, in order of preference. */
extern const struct vm_runner *const vm_runners[];

/* "auto" takes the first available runner. -ENOENT with the remedies when there is none. */
int vm_runner_find(const char *name, const struct vm_config *config, const struct vm_runner **ret,
                   struct error **err);
