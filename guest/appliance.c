/* The appliance engine: libguestfs. Starting it, finding the guest, mounting. */
#include "guest/appliance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fdio.h"
#include "base/str.h"

/* Keeps the last lines: they say why the appliance did not start. */
static void keep_lines(guestfs_h *handle, void *opaque, uint64_t event, int event_handle, int flags,
                       const char *buf, size_t length, const uint64_t *array, size_t array_length)
{
    (void)handle, (void)event, (void)event_handle, (void)flags, (void)array, (void)array_length;
    struct appliance *appliance = opaque;
    for (size_t at = 0; at < length;) {
        const char *end = memchr(buf + at, '\n', length - at);
        size_t n = end ? (size_t)(end - buf) - at : length - at;
        char *line = n > 0 && n < 1000 ? strndup(buf + at, n) : NULL;
        at += n + 1;
        if (!line)
            continue;
        size_t last = APPLIANCE_LINES - 1;
        if (appliance->lines[last]) {
            free(appliance->lines[0]);
            memmove(appliance->lines, appliance->lines + 1, last * sizeof(*appliance->lines));
            appliance->lines[last] = NULL;
        }
        for (size_t i = 0; i <= last; i++)
            if (!appliance->lines[i]) {
                appliance->lines[i] = line;
                break;
            }
    }
}

int appliance_fail(struct appliance *appliance, struct error **err)
{
    int errnum = guestfs_last_errno(appliance->handle);
    if (errnum > 0)
        return error_set(err, errnum, "%s", strerror(errnum));
    const char *text = guestfs_last_error(appliance->handle);
    _cleanup_free_ char *shown = str_printable(text ? text : "libguestfs does not say why");
    return error_set(err, EIO, "%s", shown ? shown : "libguestfs failed");
}

/* What to do about an appliance that does not start, as far as its words tell. */
static int explain_launch(struct appliance *appliance, struct error **err)
{
    _cleanup_str_ struct str said = {0};
    const char *text = guestfs_last_error(appliance->handle);
    _cleanup_free_ char *first = strndup(text ? text : "", strcspn(text ? text : "", "\n"));
    for (size_t i = 0; i < APPLIANCE_LINES && appliance->lines[i]; i++)
        str_appendf(&said, "%s%s", i ? " / " : "", appliance->lines[i]);
    _cleanup_free_ char *lines = str_take(&said, err);
    if (!lines || !first)
        return -ENOMEM;
    _cleanup_free_ char *shown = str_printable(*lines ? lines : first);
    error_set(err, EIO, "libguestfs's appliance did not start: %s", shown ? shown : "");
    bool kernel = strstr(lines, "supermin") || strstr(first, "supermin") ||
                  strstr(lines, "kernel") || strstr(first, "appliance");
    if (strstr(lines, "qemu-system") || strstr(first, "qemu"))
        return error_hint(err, "Install qemu-system-x86.");
    if (strstr(lines, "Failed to get") && strstr(lines, "lock"))
        return error_hint(err, "The image is in use: shut the machine down that uses it.");
    if (kernel)
        return error_hint(err, "libguestfs needs a kernel of the host: install "
                               "linux-image-amd64, and make /boot/vmlinuz-* readable for you.");
    return error_hint(err, "libguestfs-test-tool shows where it stops.");
}

static int configure(struct appliance *appliance, const struct guest_open_options *options,
                     struct error **err)
{
    guestfs_h *g = appliance->handle;
    uint64_t events = GUESTFS_EVENT_APPLIANCE | GUESTFS_EVENT_LIBRARY | GUESTFS_EVENT_WARNING |
                      GUESTFS_EVENT_TRACE;
    guestfs_set_error_handler(g, NULL, NULL);
    if (guestfs_set_event_callback(g, keep_lines, events, 0, appliance) < 0 ||
        guestfs_set_program(g, "kiln") < 0 || guestfs_set_network(g, 0) < 0 ||
        guestfs_set_autosync(g, 1) < 0)
        return appliance_fail(appliance, err);
    /* libvirt adds nothing here but a daemon that has to run. */
    if (!getenv("LIBGUESTFS_BACKEND") && guestfs_set_backend(g, "direct") < 0)
        return appliance_fail(appliance, err);
    /* A /dev/kvm that is there and does not work makes QEMU hang for ever. */
    if (!getenv("LIBGUESTFS_BACKEND_SETTINGS") && !options->kvm_healthy &&
        guestfs_set_backend_setting(g, "force_tcg", "1") < 0)
        return appliance_fail(appliance, err);
    return 0;
}

/* Refuses an image in use, before a minute was spent. QEMU takes its own locks later. */
static int check_unused(const char *path, const struct guest_open_options *options,
                        enum image_format *ret, struct error **err)
{
    _cleanup_close_ int fd = file_open(path, options->writable ? O_RDWR : O_RDONLY, 0, err);
    if (fd < 0)
        return fd;
    int r = options->lock ? image_lock(fd, options->writable, path, err) : 0;
    *ret = options->format;
    if (r == 0 && options->format == IMAGE_AUTO)
        r = image_probe(fd, path, ret, err);
    return r;
}

static int launch(struct appliance *appliance, enum image_format format,
                  const struct guest_open_options *options, struct error **err)
{
    int r = guestfs_add_drive_opts(appliance->handle, appliance->guest.path,
                                   GUESTFS_ADD_DRIVE_OPTS_READONLY, !options->writable,
                                   GUESTFS_ADD_DRIVE_OPTS_FORMAT, image_format_name(format), -1);
    if (r < 0)
        return appliance_fail(appliance, err);
    if (guestfs_launch(appliance->handle) < 0)
        return explain_launch(appliance, err);
    guestfs_umask(appliance->handle, 0);
    return 0;
}

static void free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static void cleanup_list(char ***list)
{
    free_list(*list);
}
#define _cleanup_list_ _cleanup_(cleanup_list)

static int find_root(struct appliance *appliance, struct error **err)
{
    _cleanup_list_ char **roots = guestfs_inspect_os(appliance->handle);
    if (!roots)
        return appliance_fail(appliance, err);
    if (!roots[0]) {
        error_set(err, ENOENT, "no operating system was found");
        return error_hint(err, "Where the disk is encrypted, its contents cannot be seen.");
    }
    if (roots[1])
        return error_set(err, EMLINK, "several operating systems were found: on %s and %s",
                         roots[0], roots[1]);
    appliance->root = strdup(roots[0]);
    return appliance->root ? 0 : error_oom(err);
}

struct mount_point {
    char *dir, *device;
};

static int by_depth(const void *a, const void *b)
{
    const struct mount_point *x = a, *y = b;
    size_t m = strlen(x->dir), n = strlen(y->dir);
    return (m > n) - (m < n);
}

static int mount_all(struct appliance *appliance, struct reporter *reporter, struct error **err)
{
    guestfs_h *g = appliance->handle;
    _cleanup_list_ char **table = guestfs_inspect_get_mountpoints(g, appliance->root);
    if (!table)
        return appliance_fail(appliance, err);
    size_t count = 0;
    while (table[2 * count])
        count++;
    struct mount_point *points = (struct mount_point *)table;
    _Static_assert(sizeof(*points) == 2 * sizeof(*table), "pairs of strings");
    qsort(points, count, sizeof(*points), by_depth);
    for (size_t i = 0; i < count; i++) {
        bool writable = appliance->guest.writable;
        int r = writable ? guestfs_mount(g, points[i].device, points[i].dir)
                         : guestfs_mount_ro(g, points[i].device, points[i].dir);
        if (r == 0)
            continue;
        if (strcmp(points[i].dir, "/") == 0)
            return appliance_fail(appliance, err);
        report(reporter, REPORT_WARNING, "%s: cannot be mounted on %s in the guest: %s",
               points[i].device, points[i].dir, guestfs_last_error(g));
    }
    return 0;
}

int appliance_open(const char *path, const struct guest_open_options *options, struct guest **ret,
                   struct error **err)
{
    enum image_format format;
    int r = check_unused(path, options, &format, err);
    if (r < 0)
        return r;
    struct appliance *appliance = calloc(1, sizeof(*appliance));
    if (!appliance)
        return error_oom(err);
    appliance->guest.ops = &appliance_ops;
    appliance->guest.writable = options->writable;
    appliance->guest.path = strdup(path);
    appliance->handle = guestfs_create();
    if (!appliance->guest.path || !appliance->handle)
        r = error_oom(err);
    report(options->reporter, REPORT_INFO, "Starting the appliance");
    if (r == 0)
        r = configure(appliance, options, err);
    if (r == 0)
        r = launch(appliance, format, options, err);
    if (r == 0)
        r = find_root(appliance, err);
    if (r == 0)
        r = mount_all(appliance, options->reporter, err);
    if (r < 0) {
        error_wrap(err, "%s", path);
        guest_discard(&appliance->guest);
        return r;
    }
    *ret = &appliance->guest;
    return 0;
}
