/* The devices that a vm_config asks for, on the PCI bus of a machine of ours. Private to vmm/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "vmm/pc/pci.h"
#include "vmm/runner.h"

struct kvm_devices;

/* Plugs in the disks, in their order, and then the network, the port for results and a source of
 * entropy. *ret, which is set on failure too, must outlive the bus: free it after
 * pci_bus_free(). */
int kvm_devices_add(const struct vm_config *config, struct pci_bus *bus, struct kvm_devices **ret,
                    struct error **err);

/* Up to `size` bytes of what the guest has told through RESULTS_PORT since the last call; beyond
 * RESULTS_MAX, nothing more comes. */
size_t kvm_devices_take_results(struct kvm_devices *devices, char *buffer, size_t size);
/* libslirp's list of connections, for vm_watch_connections(); "" without a network. Caller frees.
 * While the bus is there. NULL: out of memory. */
char *kvm_devices_connections(struct kvm_devices *devices);
/* The first fault of the host that a disk met, such as a full file system under its overlay; 0 when
 * there was none. */
int kvm_devices_failure(struct kvm_devices *devices, struct error **err);

/* Accepts NULL. */
void kvm_devices_free(struct kvm_devices *devices);
DEFINE_CLEANUP(struct kvm_devices *, kvm_devices_free);
