/* --inject-virtio-win METHOD  --inject-qemu-ga METHOD  --inject-blnsvr METHOD */

#include <errno.h>
#include <string.h>

#include "customize/operations.h"

static int inject_parse(const char *argument, void **ret_data, struct error **err)
{
    (void)ret_data;
    if (*argument)
        return 0;
    error_set(err, EINVAL, "the method of injecting is empty");
    return error_hint(err, "Give the path of virtio-win.iso or of a directory with its contents.");
}

/* All three end in the registry: drivers are named in the hive SYSTEM, and the two programs are
 * installed by a service that runs at the first boot. */
static int inject_require(const struct customize_plan *plan, const struct customize_step *step,
                          const struct guest_info *info, struct error **err)
{
    (void)plan, (void)step;
    if (!info->type || strcmp(info->type, "windows") != 0)
        return 0;
    error_set(err, EOPNOTSUPP,
              "drivers and services of a Windows guest are named in its registry, which kiln does "
              "not edit");
    return error_hint(err, "Use virt-customize with the same option, or virt-v2v, which also sets "
                           "up the devices.");
}

static int ignored(const char *option, struct customize_context *context)
{
    report(context->reporter, REPORT_WARNING, "%s is ignored: the guest is no Windows", option);
    return 0;
}

static int virtio_win_apply(const void *data, const char *argument,
                            struct customize_context *context, struct error **err)
{
    (void)data, (void)argument, (void)err;
    return ignored("--inject-virtio-win", context);
}

static int qemu_ga_apply(const void *data, const char *argument, struct customize_context *context,
                         struct error **err)
{
    (void)data, (void)argument, (void)err;
    return ignored("--inject-qemu-ga", context);
}

static int blnsvr_apply(const void *data, const char *argument, struct customize_context *context,
                        struct error **err)
{
    (void)data, (void)argument, (void)err;
    return ignored("--inject-blnsvr", context);
}

const struct customize_operation inject_virtio_win_operation = {
    .name = "inject-virtio-win",
    .metavar = "METHOD",
    .help = "inject virtio drivers into a Windows guest",
    .manual = "METHOD is the path of virtio-win.iso or of a directory with its contents, or "
              "osinfo. Other guests than Windows ignore it with a warning. Drivers have to be "
              "named in Windows' registry, which kiln does not edit: for a Windows guest this is "
              "an error that names the tools that can.",
    .example = "--inject-virtio-win /usr/share/virtio-win/virtio-win.iso",
    .parse = inject_parse,
    .require = inject_require,
    .apply = virtio_win_apply,
};

const struct customize_operation inject_qemu_ga_operation = {
    .name = "inject-qemu-ga",
    .metavar = "METHOD",
    .help = "inject the QEMU guest agent into a Windows guest",
    .manual = "See --inject-virtio-win, whose METHOD and limits this has.",
    .example = "--inject-qemu-ga /usr/share/virtio-win/virtio-win.iso",
    .parse = inject_parse,
    .require = inject_require,
    .apply = qemu_ga_apply,
};

const struct customize_operation inject_blnsvr_operation = {
    .name = "inject-blnsvr",
    .metavar = "METHOD",
    .help = "inject the balloon service into a Windows guest",
    .manual = "See --inject-virtio-win, whose METHOD and limits this has.",
    .example = "--inject-blnsvr /usr/share/virtio-win/virtio-win.iso",
    .parse = inject_parse,
    .require = inject_require,
    .apply = blnsvr_apply,
};
