#include "vmm/qemu/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "base/tempfile.h"
#include "image/qcow2.h"
#include "image/seal.h"

enum { max_chain = 64, sector = 512 };

/* An image of a chain as QEMU is to open it. */
struct layer {
    char *path;
    char *backing;
    enum image_format format;
    enum image_format backing_format;
};

static void layer_free(struct layer *layer)
{
    free(layer->path);
    free(layer->backing);
    *layer = (struct layer){0};
}
#define _cleanup_layer_ _cleanup_(layer_free)

/* Relative names of backing files begin beside the image. */
static char *resolve_backing(const char *path, const char *backing, struct error **err)
{
    if (*backing == '/')
        return str_printf(err, "%s", backing);
    _cleanup_free_ char *parent = path_parent(path);
    if (!parent) {
        error_oom(err);
        return NULL;
    }
    return str_printf(err, "%s/%s", parent, backing);
}

static int probe_format(const char *path, enum image_format *ret, struct error **err)
{
    _cleanup_close_ int fd = file_open(path, O_RDONLY | O_NONBLOCK, 0, err);
    return fd < 0 ? fd : image_probe(fd, path, ret, err);
}

static int read_layer(const char *path, enum image_format format, struct layer *ret,
                      struct error **err)
{
    _cleanup_layer_ struct layer layer = {.format = format};
    int r = str_replace(&layer.path, path, err);
    if (r == 0 && format == IMAGE_AUTO)
        r = probe_format(path, &layer.format, err);
    if (r == 0 && layer.format == IMAGE_QCOW2) {
        _cleanup_(image_info_free) struct image_info info = {0};
        r = image_info_read(path, layer.format, &info, err);
        if (r == 0 && info.backing_format)
            r = image_format_parse(info.backing_format, &layer.backing_format, err);
        if (r == 0 && info.backing_file &&
            !(layer.backing = resolve_backing(path, info.backing_file, err)))
            r = -ENOMEM;
    }
    if (r < 0)
        return r;
    *ret = layer;
    layer = (struct layer){0};
    return 0;
}

static const char *protocol_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISBLK(st.st_mode) ? "host_device" : "file";
}

/*
 * Adds the image and its backing files as nodes, the image itself as node `name`. Every
 * layer is named here with its format, so that QEMU neither guesses formats nor follows names that
 * stand in images: image_open() has looked at all of them.
 */
static int add_layers(struct qemu_command *command, const char *name, const char *path,
                      enum image_format format, bool writable, unsigned depth, struct error **err)
{
    _cleanup_layer_ struct layer layer = {0};
    char below[32];
    if (depth == max_chain)
        return error_set(err, ELOOP, "%s: the chain of backing files is too long", path);
    int r = read_layer(path, format, &layer, err);
    if (r == 0 && layer.backing) {
        snprintf(below, sizeof(below), "image%zu-%u", command->image_count, depth + 1);
        r = add_layers(command, below, layer.backing, layer.backing_format, false, depth + 1, err);
    }
    if (r < 0)
        return r;
    _cleanup_free_ char *escaped = qemu_escape(path, err);
    if (!escaped)
        return -ENOMEM;
    return qemu_command_add(
        command, err, "-blockdev", "driver=%s,node-name=%s,%s,file.driver=%s,file.filename=%s%s%s",
        image_format_name(layer.format), name,
        writable ? "read-only=off,discard=unmap" : "read-only=on", protocol_of(path), escaped,
        layer.backing ? ",backing=" : "", layer.backing ? below : "");
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
static int check_writable(const struct vm_disk *disk, struct block **image, struct error **err)
{
    int r = seal_check_unsealed(disk->path, err);
    if (r < 0)
        return r;
    block_close(TAKE_PTR(*image));
    if (access(disk->path, W_OK) < 0)
        return error_sys(err, errno, "%s: cannot be written to", disk->path);
    return 0;
}

int qemu_disk_add(struct qemu_command *command, const struct vm_disk *disk,
                  const struct qemu_disk_options *how, struct error **err)
{
    const struct image_open_options options = {.format = disk->format, .lock = true};
    size_t index = command->image_count;
    char name[32];
    if (index == QEMU_MAX_DISKS)
        return error_set(err, E2BIG, "%s: a machine has at most %d disks", disk->path,
                         QEMU_MAX_DISKS);
    struct block *image;
    int r = image_open(disk->path, &options, &image, err);
    if (r < 0)
        return r;
    command->images[command->image_count++] = image;
    bool overlay = !disk->seed && !how->persist;
    if (how->persist)
        r = check_writable(disk, &command->images[index], err);
    snprintf(name, sizeof(name), "%s%zu", overlay ? "image" : "disk", index);
    if (r == 0)
        r = add_layers(command, name, disk->path, disk->format, how->persist, 0, err);
    if (r == 0 && overlay)
        r = add_overlay(command, index, image, err);
    return r < 0 ? r
                 : qemu_command_add(command, err, "-device", "virtio-blk-pci,drive=disk%zu%s",
                                    index, how->bootable ? ",bootindex=0" : "");
}
