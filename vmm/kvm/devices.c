#include "vmm/kvm/devices.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/str.h"
#include "image/image.h"
#include "image/staged.h"
#include "vmm/results.h"
#include "vmm/virtio/blk.h"
#include "vmm/virtio/console.h"
#include "vmm/virtio/net.h"
#include "vmm/virtio/pci.h"
#include "vmm/virtio/rng.h"

struct kvm_devices {
    pthread_mutex_t lock; /* of what follows, which the devices' threads write */
    struct str results;
    size_t results_taken;
    int failure; /* negative errno of the first one */
    char *failure_message, *failure_hint;

    struct virtio_device *net; /* the bus's; NULL: none */
};

/* On the console's thread. */
static void take_results(void *context, const void *bytes, size_t count)
{
    struct kvm_devices *devices = context;
    pthread_mutex_lock(&devices->lock);
    str_append_n(&devices->results, bytes,
                 (size_t)min_u64(count, RESULTS_MAX - devices->results.length));
    pthread_mutex_unlock(&devices->lock);
}

/* On a disk's thread. */
static void note_failure(void *context, const struct error *error)
{
    struct kvm_devices *devices = context;
    pthread_mutex_lock(&devices->lock);
    if (devices->failure == 0) {
        devices->failure = -error_errno(error);
        devices->failure_message = strdup(error_message(error));
        devices->failure_hint = error_remedy(error) ? strdup(error_remedy(error)) : NULL;
    }
    pthread_mutex_unlock(&devices->lock);
}

static int open_disk(const struct vm_disk *disk, const struct image_trust *trust, bool persist,
                     struct block **ret, struct error **err)
{
    const struct image_open_options options = {
        .format = disk->format, .writable = persist, .lock = true, .trust = trust};
    const struct staged_options defaults = {0};
    struct block *image = NULL;
    int r = image_open(disk->path, &options, &image, err);
    if (r == 0 && !persist && !disk->seed)
        return staged_open(image, &defaults, ret, err);
    if (r == 0)
        *ret = image;
    return r;
}

static int add_disk(struct kvm_devices *devices, const struct vm_config *config, size_t index,
                    struct pci_bus *bus, struct error **err)
{
    const struct vm_disk *disk = &config->disks[index];
    char serial[32];
    snprintf(serial, sizeof(serial), "kiln-%s%zu", disk->seed ? "seed" : "disk", index);
    const struct virtio_blk_config blk = {.serial = serial,
                                          .read_only = disk->seed,
                                          .queues = config->cpus,
                                          .failed = note_failure,
                                          .context = devices};
    struct virtio_device *device = NULL;
    struct block *block = NULL;
    int r = open_disk(disk, config->trust, config->persist && index == 0, &block, err);
    if (r == 0)
        r = virtio_blk_new(block, &blk, &device, err);
    return r < 0 ? r : virtio_pci_add(bus, device, err);
}

static int add_network(struct kvm_devices *devices, const struct vm_config *config,
                       struct pci_bus *bus, struct error **err)
{
    /* The address that QEMU gives its first card: a guest sees no difference between runners. */
    const struct virtio_net_config net = {.mac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56},
                                          .forwards = config->forwards,
                                          .forward_count = config->forward_count};
    struct virtio_device *device = NULL;
    int r = virtio_net_new(&net, &device, err);
    if (r == 0)
        r = virtio_pci_add(bus, device, err);
    if (r == 0)
        devices->net = device;
    return r;
}

static int add_results(struct kvm_devices *devices, struct pci_bus *bus, struct error **err)
{
    const struct virtio_console_port port = {
        .name = RESULTS_PORT, .output = take_results, .context = devices};
    struct virtio_device *device = NULL;
    int r = virtio_console_new(&port, 1, &device, err);
    return r < 0 ? r : virtio_pci_add(bus, device, err);
}

static int add_entropy(struct pci_bus *bus, struct error **err)
{
    struct virtio_device *device = NULL;
    int r = virtio_rng_new(&device, err);
    return r < 0 ? r : virtio_pci_add(bus, device, err);
}

int kvm_devices_add(const struct vm_config *config, struct pci_bus *bus, struct kvm_devices **ret,
                    struct error **err)
{
    struct kvm_devices *devices = calloc(1, sizeof(*devices));
    if (!devices)
        return error_oom(err);
    pthread_mutex_init(&devices->lock, NULL);
    *ret = devices; /* also where this fails: devices on the bus may know it already */
    int r = 0;
    for (size_t i = 0; i < config->disk_count && r == 0; i++)
        r = add_disk(devices, config, i, bus, err);
    if (r == 0 && config->network)
        r = add_network(devices, config, bus, err);
    if (r == 0 && config->results)
        r = add_results(devices, bus, err);
    return r < 0 ? r : add_entropy(bus, err);
}

size_t kvm_devices_take_results(struct kvm_devices *devices, char *buffer, size_t size)
{
    pthread_mutex_lock(&devices->lock);
    size_t count = (size_t)min_u64(size, devices->results.length - devices->results_taken);
    if (count > 0)
        memcpy(buffer, devices->results.data + devices->results_taken, count);
    devices->results_taken += count;
    pthread_mutex_unlock(&devices->lock);
    return count;
}

char *kvm_devices_connections(struct kvm_devices *devices)
{
    return devices->net ? virtio_net_connections(devices->net) : strdup("");
}

int kvm_devices_failure(struct kvm_devices *devices, struct error **err)
{
    pthread_mutex_lock(&devices->lock);
    int r = devices->failure;
    if (r < 0) {
        error_set(err, -r, "%s", devices->failure_message ? devices->failure_message : "a disk");
        if (devices->failure_hint)
            error_hint(err, "%s", devices->failure_hint);
    }
    pthread_mutex_unlock(&devices->lock);
    return r;
}

void kvm_devices_free(struct kvm_devices *devices)
{
    if (!devices)
        return;
    str_free(&devices->results);
    free(devices->failure_message);
    free(devices->failure_hint);
    pthread_mutex_destroy(&devices->lock);
    free(devices);
}
