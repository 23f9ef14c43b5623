/* The appliance engine: libguestfs. Starting it. */
#include "guest/appliance/appliance.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Keeps the last lines: they show why the appliance did not start. */
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
    _cleanup_free_ char *shown = str_printable(text ? text : "no message from libguestfs");
    return error_set(err, EIO, "%s", shown ? shown : "libguestfs failed");
}

/* The remedy for an appliance that does not start, by its messages. */
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
        return error_hint(err, "install qemu-system-x86");
    if (strstr(lines, "Failed to get") && strstr(lines, "lock"))
        return error_hint(err, "the image is in use: shut the machine down that uses it");
    if (kernel)
        return error_hint(err, "libguestfs needs a kernel of the host: install "
                               "linux-image-amd64, and make /boot/vmlinuz-* readable for you");
    return error_hint(err, "libguestfs-test-tool shows where it stops");
}

static int set_resources(guestfs_h *g, const struct guest_resources *resources)
{
    uint64_t megabytes = resources->memory >> 20;
    int r = 0;
    if (resources->memory)
        r = guestfs_set_memsize(g, megabytes > INT_MAX ? INT_MAX : (int)megabytes);
    if (r == 0 && resources->cpus)
        r = guestfs_set_smp(g, resources->cpus > INT_MAX ? INT_MAX : (int)resources->cpus);
    return r;
}

static int configure(struct appliance *appliance, const struct guest_open_options *options,
                     struct error **err)
{
    guestfs_h *g = appliance->handle;
    uint64_t events = GUESTFS_EVENT_APPLIANCE | GUESTFS_EVENT_LIBRARY | GUESTFS_EVENT_WARNING |
                      GUESTFS_EVENT_TRACE;
    guestfs_set_error_handler(g, NULL, NULL);
    bool network = options->capabilities & GUEST_CAN_NETWORK;
    if (guestfs_set_event_callback(g, keep_lines, events, 0, appliance) < 0 ||
        guestfs_set_program(g, "kiln") < 0 || guestfs_set_network(g, network) < 0 ||
        guestfs_set_autosync(g, 1) < 0)
        return appliance_fail(appliance, err);
    if (set_resources(g, &options->resources) < 0) {
        appliance_fail(appliance, err);
        return error_wrap(err, "the appliance cannot have this memory or these processors");
    }
    /* libvirt would only add a daemon that has to run. */
    if (!getenv("LIBGUESTFS_BACKEND") && guestfs_set_backend(g, "direct") < 0)
        return appliance_fail(appliance, err);
    /* A /dev/kvm that is there and does not work makes QEMU hang for ever. */
    if (!getenv("LIBGUESTFS_BACKEND_SETTINGS") && !options->resources.kvm_healthy &&
        guestfs_set_backend_setting(g, "force_tcg", "1") < 0)
        return appliance_fail(appliance, err);
    return 0;
}

void appliance_list_free(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static int launch(struct appliance *appliance, struct error **err)
{
    if (guestfs_launch(appliance->handle) < 0)
        return explain_launch(appliance, err);
    guestfs_umask(appliance->handle, 0);
    appliance_hide_drives(appliance);
    return 0;
}

/* Everything that can fail once there is something to free. */
static int start(struct appliance *appliance, const char *path,
                 const struct guest_open_options *options, struct error **err)
{
    appliance->handle = guestfs_create();
    if (!appliance->handle)
        return error_oom(err);
    int r = str_replace(&appliance->guest.path, path, err);
    if (r == 0)
        r = str_replace(&appliance->mount_options, options->mount_options, err);
    if (r == 0)
        r = appliance_add_drives(appliance, options, err);
    if (r < 0)
        return r;
    report(options->reporter, REPORT_INFO, "Starting the appliance");
    r = configure(appliance, options, err);
    if (r == 0)
        r = launch(appliance, err);
    if (r == 0)
        r = appliance_scan(appliance, err);
    if (r == 0)
        r = appliance_unlock(appliance, options->resources.keys, err);
    if (r == 0)
        r = appliance_find_root(appliance, err);
    /* Before anything is changed. */
    if (r == 0 && options->capabilities & GUEST_CAN_RUN)
        r = appliance_check_arch(appliance, err);
    if (r == 0)
        r = appliance_check_states(appliance, err);
    if (r == 0)
        r = appliance_mount_all(appliance, err);
    return r < 0 ? r : appliance_mount_layout(appliance, err);
}

int appliance_open(const char *path, const struct guest_open_options *options, struct guest **ret,
                   struct error **err)
{
    struct appliance *appliance = calloc(1, sizeof(*appliance));
    if (!appliance)
        return error_oom(err);
    appliance->ops = appliance_ops;
    if (!(options->capabilities & GUEST_CAN_NETWORK))
        appliance->ops.capabilities &= ~(unsigned)GUEST_CAN_NETWORK;
    appliance->guest.ops = &appliance->ops;
    appliance->guest.writable = options->writable;
    appliance->reporter = options->reporter;
    appliance->choice = options->resources.root;
    int r = start(appliance, path, options, err);
    if (r < 0) {
        error_wrap(err, "%s", path);
        guest_discard(&appliance->guest);
        return r;
    }
    *ret = &appliance->guest;
    return 0;
}
