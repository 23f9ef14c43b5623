/* The appliance engine's disks: locks, layers over images, and what is written back. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/proc.h"
#include "base/str.h"
#include "guest/appliance/appliance.h"
#include "image/qcow2.h"
#include "image/seal.h"

/* The commit of an overlay writes no more than was changed; a slow disk may still take its time. */
static const uint64_t commit_timeout_ms = 3600 * 1000;

/* Refuses an image in use, before a minute was spent. With a layer over it, the image is then read
 * only, and kept from changing until the layer is committed; else QEMU takes its own locks. */
static int lock_drive(struct appliance_drive *drive, const struct guest_open_options *options,
                      struct error **err)
{
    bool writes = options->writable && options->staging != GUEST_THROW_AWAY;
    int r = writes && !options->unseal ? seal_check_unsealed(drive->path, err) : 0;
    if (r < 0)
        return r;
    _cleanup_close_ int fd = file_open(drive->path, writes ? O_RDWR : O_RDONLY, 0, err);
    if (fd < 0)
        return fd;
    if (drive->format == IMAGE_AUTO)
        r = image_probe(fd, drive->path, &drive->format, err);
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

static int make_overlay(struct appliance_drive *drive, struct error **err)
{
    struct image_info info;
    int r = image_info_read(drive->path, drive->format, &info, err);
    if (r < 0)
        return r;
    uint64_t size = info.virtual_size;
    image_info_free(&info);
    const char *dir = getenv("TMPDIR");
    drive->backing = realpath(drive->path, NULL);
    if (!drive->backing)
        return error_sys(err, errno, "%s", drive->path);
    _cleanup_free_ char *name =
        str_printf(err, "%s/kiln-overlay.XXXXXX", str_empty(dir) ? "/var/tmp" : dir);
    if (!name)
        return -ENOMEM;
    drive->overlay_fd = mkostemp(name, O_CLOEXEC);
    if (drive->overlay_fd < 0)
        return error_sys(err, errno, "cannot make %s", name);
    r = qcow2_create_overlay(drive->overlay_fd, name, size, drive->backing,
                             image_format_name(drive->format), err);
    if (r < 0) {
        unlink(name);
        return r;
    }
    drive->overlay = TAKE_PTR(name);
    return 0;
}

/* A path by which other processes reach one of our descriptors. */
static char *path_of(int fd, struct error **err)
{
    return str_printf(err, "/proc/%ld/fd/%d", (long)getpid(), fd);
}

/* What is attached is neither locked nor changed. */
static int attach(struct appliance *appliance, const struct guest_drive *drive, struct error **err)
{
    guestfs_h *g = appliance->handle;
    _cleanup_close_ int fd = file_open(drive->path, O_RDONLY, 0, err);
    enum image_format format = drive->format;
    int r = fd < 0 ? fd : 0;
    if (r == 0 && format == IMAGE_AUTO)
        r = image_probe(fd, drive->path, &format, err);
    if (r < 0)
        return r;
    r = guestfs_add_drive_opts(g, drive->path, GUESTFS_ADD_DRIVE_OPTS_READONLY, 1,
                               GUESTFS_ADD_DRIVE_OPTS_FORMAT, image_format_name(format), -1);
    if (r < 0) {
        appliance_fail(appliance, err);
        return error_wrap(err, "%s", drive->path);
    }
    return 0;
}

static int add_drive(struct appliance *appliance, struct appliance_drive *drive,
                     const struct guest_open_options *options, struct error **err)
{
    const char *path = drive->path, *format;
    bool readonly = !options->writable || options->staging == GUEST_THROW_AWAY;
    int r = lock_drive(drive, options, err);
    if (r == 0 && options->staging == GUEST_STAGED)
        r = make_overlay(drive, err);
    if (r < 0)
        return r;
    format = image_format_name(drive->format);
    if (drive->overlay) {
        path = drive->overlay;
        format = "qcow2";
    }
    /* What is discarded in the guest is to become holes of the image. */
    r = readonly ? guestfs_add_drive_opts(appliance->handle, path, GUESTFS_ADD_DRIVE_OPTS_READONLY,
                                          1, GUESTFS_ADD_DRIVE_OPTS_FORMAT, format, -1)
                 : guestfs_add_drive_opts(appliance->handle, path, GUESTFS_ADD_DRIVE_OPTS_FORMAT,
                                          format, GUESTFS_ADD_DRIVE_OPTS_DISCARD, "besteffort", -1);
    return r < 0 ? appliance_fail(appliance, err) : 0;
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
        drive->format = i == 0 ? options->format : options->drives[i - 1].format;
        int r = str_replace(&drive->path, path, err);
        if (r == 0)
            r = add_drive(appliance, drive, options, err);
        if (r < 0)
            return i == 0 ? r : error_wrap(err, "%s", path);
    }
    const struct guest_resources *resources = &options->resources;
    bool programs = options->capabilities & GUEST_CAN_RUN;
    for (size_t i = 0; programs && i < resources->attached_count; i++) {
        int r = attach(appliance, &resources->attached[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

void appliance_hide_overlays(struct appliance *appliance)
{
    for (size_t i = 0; i < appliance->drive_count; i++) {
        struct appliance_drive *drive = &appliance->drives[i];
        if (drive->overlay)
            unlink(drive->overlay);
        free(TAKE_PTR(drive->overlay));
    }
}

/* The value of an option of QEMU's: commas doubled. */
static char *option_value(const char *path, struct error **err)
{
    _cleanup_str_ struct str value = {0};
    for (; *path; path++)
        str_append_n(&value, *path == ',' ? ",," : path, *path == ',' ? 2 : 1);
    return str_take(&value, err);
}

/* Nobody has come between: the readers' lock that we had is now a writer's. The image is told to
 * qemu-img together with its layer, since the locks are ours. */
static int commit_drive(const struct appliance_drive *drive, bool lock, struct error **err)
{
    int r = lock ? image_lock(drive->image_fd, true, drive->path, err) : 0;
    if (r < 0)
        return r;
    struct stat st;
    bool device = fstat(drive->image_fd, &st) == 0 && S_ISBLK(st.st_mode);
    _cleanup_free_ char *overlay = path_of(drive->overlay_fd, err);
    _cleanup_free_ char *image = overlay ? option_value(drive->backing, err) : NULL;
    if (!image)
        return -ENOMEM;
    _cleanup_free_ char *layers = str_printf(
        err,
        "driver=qcow2,file.driver=file,file.locking=off,file.filename=%s,backing.driver=%s,"
        "backing.file.driver=%s,backing.file.locking=off,backing.file.filename=%s",
        overlay, image_format_name(drive->format), device ? "host_device" : "file", image);
    if (!layers)
        return -ENOMEM;
    const char *argv[] = {"qemu-img", "commit", "-q", "-d", "--image-opts", layers, NULL};
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
    r = proc_check(&options, NULL, 0, 1 << 16, commit_timeout_ms, NULL, err);
    if (r == -ENOENT)
        error_hint(err, "install qemu-utils (Debian) or qemu-img (Fedora)");
    if (r == 0 && fdatasync(drive->image_fd) < 0)
        r = error_sys(err, errno, "cannot flush");
    return r < 0 ? error_wrap(err, "%s: the changes cannot be written into it", drive->path) : 0;
}

int appliance_commit(struct guest *guest, struct error **err)
{
    struct appliance *appliance = appliance_of(guest);
    if (appliance->staging != GUEST_STAGED)
        return 0;
    /* With its end, the appliance has written everything into the layers. */
    int r = guestfs_umount_all(appliance->handle);
    if (r == 0)
        r = guestfs_shutdown(appliance->handle);
    if (r < 0)
        return appliance_fail(appliance, err);
    for (size_t i = 0; i < appliance->drive_count; i++) {
        r = commit_drive(&appliance->drives[i], appliance->lock, err);
        if (r < 0)
            return r;
    }
    return 0;
}

void appliance_free_drives(struct appliance *appliance)
{
    appliance_hide_overlays(appliance);
    for (size_t i = 0; i < appliance->drive_count; i++) {
        struct appliance_drive *drive = &appliance->drives[i];
        if (drive->image_fd >= 0)
            close(drive->image_fd);
        if (drive->overlay_fd >= 0)
            close(drive->overlay_fd);
        free(drive->path);
        free(drive->backing);
    }
    free(appliance->drives);
}
