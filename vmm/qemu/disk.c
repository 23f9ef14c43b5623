#include "vmm/qemu/disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/tempfile.h"
#include "image/nodes.h"
#include "image/qcow2.h"
#include "image/seal.h"

enum { sector = 512 };

static int add_image(struct qemu_command *command, const struct image_chain *chain,
                     const char *name, bool writable, struct error **err)
{
    const struct image_node_options options = {.name = name, .writable = writable};
    _cleanup_free_ char *nodes = image_nodes(chain, &options, err);
    return nodes ? qemu_command_add(command, err, "-blockdev", "%s", nodes) : -ENOMEM;
}

static int add_overlay(struct qemu_command *command, size_t index, const struct block *image,
                       struct error **err)
{
    _cleanup_free_ char *path = NULL;
    int fd = temp_file("kiln-overlay", err);
    if (fd < 0)
        return error_wrap(err, "no room for the throw-away overlay");
    /* The names in the overlay's header do not count: the backing node is given below. */
    int r = qcow2_create_overlay(fd, "throw-away overlay", round_up(image->size, sector),
                                 image->name, "raw", err);
    if (r < 0) {
        close(fd);
        return r;
    }
    r = qemu_command_add_file(command, fd, true, &path, err);
    if (r < 0)
        return r;
    /* It is discarded after the run: flushes of the guest need not reach a disk. */
    return qemu_command_add(command, err, "-blockdev",
                            "driver=qcow2,node-name=disk%zu,cache.no-flush=on,discard=unmap,"
                            "file.driver=file,file.filename=%s,backing=image%zu",
                            index, path, index);
}

/* QEMU is the one that locks an image which the guest writes to: our own lock would keep it out. */
static int check_writable(const struct vm_disk *disk, const struct image_chain *chain,
                          struct block **image, struct error **err)
{
    int r = seal_check_unsealed(disk->path, err);
    if (r == 0)
        r = image_check_writable(chain, err);
    if (r < 0)
        return r;
    block_close(TAKE_PTR(*image));
    if (access(disk->path, W_OK) < 0)
        return error_sys(err, errno, "%s: cannot be written to", disk->path);
    return 0;
}

/* Opens the image for its lock and its size, and checks it. */
static int open_image(struct qemu_command *command, const struct vm_disk *disk,
                      const struct image_trust *trust, struct error **err)
{
    const struct image_open_options options = {
        .format = disk->format, .lock = true, .trust = trust};
    size_t index = command->image_count;
    if (index == QEMU_MAX_DISKS)
        return error_set(err, E2BIG, "%s: a machine has at most %d disks", disk->path,
                         QEMU_MAX_DISKS);
    int r = image_open(disk->path, &options, &command->images[index], err);
    if (r < 0)
        return r;
    command->image_count++;
    return image_check_path(disk->path, disk->format, trust, &command->chains[index], err);
}

int qemu_disk_add(struct qemu_command *command, const struct vm_disk *disk,
                  const struct qemu_disk_options *how, struct error **err)
{
    size_t index = command->image_count;
    bool overlay = !disk->seed && !how->persist;
    char name[32];
    int r = open_image(command, disk, how->trust, err);
    if (r == 0 && how->persist)
        r = check_writable(disk, &command->chains[index], &command->images[index], err);
    snprintf(name, sizeof(name), "%s%zu", overlay ? "image" : "disk", index);
    if (r == 0)
        r = add_image(command, &command->chains[index], name, how->persist, err);
    if (r == 0 && overlay)
        r = add_overlay(command, index, command->images[index], err);
    return r < 0 ? r
                 : qemu_command_add(command, err, "-device", "virtio-blk-pci,drive=disk%zu%s",
                                    index, how->bootable ? ",bootindex=0" : "");
}
