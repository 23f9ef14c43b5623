/* The appliance engine's disks: locks, layers over images, and what is written back. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/str.h"
#include "guest/appliance/appliance.h"
#include "image/nbd.h"
#include "image/qcow2.h"
#include "image/seal.h"

/* Refuses an image in use before the appliance is started. With a layer over it, the image is then
 * read only, and kept from changing until the layer is committed; else QEMU takes its own locks. */
static int lock_drive(struct appliance_drive *drive, const struct guest_open_options *options,
                      struct error **err)
{
    bool writes = options->writable && options->staging != GUEST_THROW_AWAY;
    _cleanup_close_ int fd = file_open(drive->path, writes ? O_RDWR : O_RDONLY, 0, err);
    int r = fd < 0 ? fd : 0;
    if (r == 0 && options->lock)
        r = image_lock(fd, writes, drive->path, err);
    if (r < 0 || options->staging != GUEST_STAGED)
        return r;
    /* A new descriptor: the writer's lock would keep QEMU from reading. */
    drive->image_fd = file_open(drive->path, O_RDWR, 0, err);
    if (drive->image_fd < 0)
        return drive->image_fd;
    close(TAKE_FD(fd));
    return options->lock ? image_lock(drive->image_fd, false, drive->path, err) : 0;
}

/* Before anything is started: sealed, not to be trusted, or in use. */
static int check_drive(struct appliance_drive *drive, enum image_format format,
                       const struct guest_open_options *options, struct error **err)
{
    bool writes = options->writable && options->staging != GUEST_THROW_AWAY;
    int r = writes && !options->unseal ? seal_check_unsealed(drive->path, err) : 0;
    if (r == 0)
        r = image_check_path(drive->path, format, options->resources.trust, &drive->chain, err);
    if (r == 0 && writes)
        r = image_check_writable(&drive->chain, err);
    if (r == 0)
        r = lock_drive(drive, options, err);
    /* Once more: it may have been sealed before the lock was taken. */
    return r == 0 && writes && !options->unseal ? seal_check_unsealed(drive->path, err) : r;
}

/* A path by which other processes reach one of our descriptors. */
static char *path_of(int fd, struct error **err)
{
    return str_printf(err, "/proc/%ld/fd/%d", (long)getpid(), fd);
}

static int make_overlay(struct appliance_drive *drive, struct error **err)
{
    const struct image_layer *image = &drive->chain.layers[0];
    struct image_info info;
    int r = image_info_read(drive->path, image->format, &info, err);
    if (r < 0)
        return r;
    uint64_t size = info.virtual_size;
    image_info_free(&info);
    const char *dir = getenv("TMPDIR");
    /* The file that was checked, whatever has its name by now. */
    _cleanup_free_ char *backing = path_of(image->fd, err);
    _cleanup_free_ char *name =
        str_printf(err, "%s/kiln-overlay.XXXXXX", str_empty(dir) ? "/var/tmp" : dir);
    if (!name || !backing)
        return -ENOMEM;
    drive->overlay_fd = mkostemp(name, O_CLOEXEC);
    if (drive->overlay_fd < 0)
        return error_sys(err, errno, "cannot make %s", name);
    r = qcow2_create_overlay(drive->overlay_fd, name, size, backing,
                             image_format_name(image->format), err);
    if (r == 0) {
        int fd = fcntl(drive->overlay_fd, F_DUPFD_CLOEXEC, 0);
        r = fd < 0 ? error_sys(err, errno, "%s: cannot duplicate a descriptor", name)
                   : image_chain_cover(&drive->chain, fd, name, err);
    }
    if (r < 0) {
        unlink(name);
        return r;
    }
    drive->overlay = TAKE_PTR(name);
    return 0;
}

static int keep_server(struct appliance *appliance, struct block *server, struct error **err)
{
    struct block **servers =
        reallocarray(appliance->servers, appliance->server_count + 1, sizeof(struct block *));
    if (!servers) {
        block_close(server);
        return error_oom(err);
    }
    appliance->servers = servers;
    servers[appliance->server_count++] = server;
    return 0;
}

/* libguestfs takes one file and one format, and leaves it to QEMU to follow what the file names. So
 * what may name other files is opened by a qemu-nbd that is told all of them. */
static int serve(struct appliance *appliance, const struct image_chain *chain, bool writable,
                 char **ret_address, struct error **err)
{
    const struct nbd_options options = {.writable = writable, .shared = true};
    struct image_chain copy = {0};
    struct block *server;
    int r = image_chain_copy(chain, &copy, err);
    if (r == 0)
        r = nbd_block_open(&copy, &options, &server, err);
    if (r == 0)
        r = keep_server(appliance, server, err);
    if (r < 0)
        return r;
    *ret_address = str_printf(err, "unix:%s", nbd_block_socket(server));
    return *ret_address ? 0 : -ENOMEM;
}

/* What is discarded in the guest is to become holes of the image. */
static int hand_over(struct appliance *appliance, const char *path, const char *format,
                     const char *server, bool writable, struct error **err)
{
    char *servers[] = {(char *)server, NULL};
    struct guestfs_add_drive_opts_argv options = {
        .bitmask = GUESTFS_ADD_DRIVE_OPTS_FORMAT_BITMASK,
        .format = format,
        .readonly = 1,
        .discard = "besteffort",
        .protocol = "nbd",
        .server = servers,
    };
    options.bitmask |=
        writable ? GUESTFS_ADD_DRIVE_OPTS_DISCARD_BITMASK : GUESTFS_ADD_DRIVE_OPTS_READONLY_BITMASK;
    if (server)
        options.bitmask |=
            GUESTFS_ADD_DRIVE_OPTS_PROTOCOL_BITMASK | GUESTFS_ADD_DRIVE_OPTS_SERVER_BITMASK;
    int r = guestfs_add_drive_opts_argv(appliance->handle, server ? "" : path, &options);
    return r < 0 ? appliance_fail(appliance, err) : 0;
}

/* A raw image names no other file, and may be opened by name; so may an overlay over it that was
 * made here. */
static int add_chain(struct appliance *appliance, const struct image_chain *chain, size_t overlays,
                     bool writable, struct error **err)
{
    const struct image_layer *top = &chain->layers[0];
    _cleanup_free_ char *server = NULL;
    if (chain->layers[overlays].format == IMAGE_RAW)
        return hand_over(appliance, top->path, image_format_name(top->format), NULL, writable, err);
    int r = serve(appliance, chain, writable, &server, err);
    return r < 0 ? r : hand_over(appliance, NULL, "raw", server, writable, err);
}

/* What is attached is neither locked nor changed. */
static int attach(struct appliance *appliance, const struct guest_drive *drive,
                  const struct image_trust *trust, struct error **err)
{
    _cleanup_image_chain_ struct image_chain chain = {0};
    int r = image_check_path(drive->path, drive->format, trust, &chain, err);
    if (r < 0)
        return r;
    r = add_chain(appliance, &chain, 0, false, err);
    return r < 0 ? error_wrap(err, "%s", drive->path) : 0;
}

static int add_drive(struct appliance *appliance, struct appliance_drive *drive,
                     enum image_format format, const struct guest_open_options *options,
                     struct error **err)
{
    bool staged = options->staging == GUEST_STAGED;
    bool writable = options->writable && options->staging != GUEST_THROW_AWAY;
    int r = check_drive(drive, format, options, err);
    if (r == 0 && staged)
        r = make_overlay(drive, err);
    return r < 0 ? r : add_chain(appliance, &drive->chain, staged ? 1 : 0, writable, err);
}

int appliance_add_drives(struct appliance *appliance, const struct guest_open_options *options,
                         struct error **err)
{
    size_t count = 1 + options->drive_count;
    appliance->drives = calloc(count, sizeof(*appliance->drives));
    if (!appliance->drives)
        return error_oom(err);
    for (size_t i = 0; i < count; i++)
        appliance->drives[i] = (struct appliance_drive){.image_fd = -1, .overlay_fd = -1};
    appliance->drive_count = count;
    appliance->staging = options->staging;
    appliance->lock = options->lock;
    for (size_t i = 0; i < count; i++) {
        struct appliance_drive *drive = &appliance->drives[i];
        const char *path = i == 0 ? appliance->guest.path : options->drives[i - 1].path;
        enum image_format format = i == 0 ? options->format : options->drives[i - 1].format;
        drive->format = format;
        int r = str_replace(&drive->path, path, err);
        if (r == 0)
            r = add_drive(appliance, drive, format, options, err);
        if (r < 0)
            return i == 0 ? r : error_wrap(err, "%s", path);
    }
    const struct guest_resources *resources = &options->resources;
    bool programs = options->capabilities & GUEST_CAN_RUN;
    for (size_t i = 0; programs && i < resources->attached_count; i++) {
        int r = attach(appliance, &resources->attached[i], resources->trust, err);
        if (r < 0)
            return r;
    }
    return 0;
}

void appliance_hide_drives(struct appliance *appliance)
{
    for (size_t i = 0; i < appliance->drive_count; i++) {
        struct appliance_drive *drive = &appliance->drives[i];
        if (drive->overlay)
            unlink(drive->overlay);
        free(TAKE_PTR(drive->overlay));
    }
    for (size_t i = 0; i < appliance->server_count; i++)
        nbd_block_hide(appliance->servers[i]);
}

void appliance_stop_servers(struct appliance *appliance)
{
    for (size_t i = 0; i < appliance->server_count; i++)
        block_close(appliance->servers[i]);
    free(appliance->servers);
    appliance->servers = NULL;
    appliance->server_count = 0;
}

void appliance_free_drives(struct appliance *appliance)
{
    appliance_hide_drives(appliance);
    appliance_stop_servers(appliance);
    for (size_t i = 0; i < appliance->drive_count; i++) {
        struct appliance_drive *drive = &appliance->drives[i];
        if (drive->image_fd >= 0)
            close(drive->image_fd);
        if (drive->overlay_fd >= 0)
            close(drive->overlay_fd);
        image_chain_free(&drive->chain);
        free(drive->path);
    }
    free(appliance->drives);
}
