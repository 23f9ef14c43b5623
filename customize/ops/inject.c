/* --inject-virtio-win METHOD  --inject-qemu-ga METHOD  --inject-blnsvr METHOD */

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/fdio.h"
#include "customize/firstboot.h"
#include "customize/ops/operations.h"
#include "customize/windows/drivers.h"
#include "customize/windows/source.h"
#include "customize/windows/windows.h"
#include "guest/inspect/nocase.h"

static int inject_parse(const char *argument, void **ret_data, struct error **err)
{
    (void)ret_data;
    return windows_source_check(argument, err);
}

static int drivers_require(const struct customize_step *step, const struct guest_info *info,
                           struct error **err)
{
    (void)step;
    return info->windows ? windows_require(info, err) : 0;
}

/* Programs are installed by Windows itself, when it first boots. */
static int program_on_boot_require(const struct customize_step *step, const struct guest_info *info,
                                   struct error **err)
{
    (void)step;
    return info->windows ? firstboot_require(info, err) : 0;
}

static int ignored(const char *option, struct customize_context *context)
{
    report(context->reporter, REPORT_WARNING, "%s is ignored: the guest is not Windows", option);
    return 0;
}

static int virtio_win_apply(const void *data, const char *argument,
                            struct customize_context *context, struct error **err)
{
    (void)data;
    if (!context->info->windows)
        return ignored("--inject-virtio-win", context);
    report(context->reporter, REPORT_INFO, "Injecting virtio drivers from %s", argument);
    return windows_drivers_inject(context, argument, err);
}

/* One file that is put into C:\, for the first boot to install it. */
struct program {
    struct customize_context *context;
    bool (*fits)(const struct guest_info *info, const char *path);
    char *name; /* once it was found */
};

static bool wants_program(void *data, const char *path)
{
    const struct program *program = data;
    return !program->name && program->fits(program->context->info, path);
}

static int put_program(void *data, const char *path, const char *contents, size_t size,
                       struct error **err)
{
    static const struct guest_file_attr attr = {.mode = 0755};
    struct program *program = data;
    struct guest *guest = program->context->guest;
    _cleanup_free_ char *target = NULL;
    _cleanup_free_ char *name = strdup(path_name(path));
    if (!name)
        return error_oom(err);
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    int r = guest_nocase(guest, "/", name, &target, err);
    if (r == 0)
        r = guest_write(guest, target, contents, size, &attr, err);
    if (r == 0)
        program->name = TAKE_PTR(name);
    return r;
}

/* Puts the file there, and a script with NAME in it for the first boot. `what` it is. */
static int inject_program(struct customize_context *context, const char *source,
                          bool (*fits)(const struct guest_info *info, const char *path),
                          const char *what, char **ret_name, struct error **err)
{
    struct program program = {.context = context, .fits = fits};
    const struct windows_source_visitor visitor = {
        .wants = wants_program, .file = put_program, .context = &program};
    report(context->reporter, REPORT_INFO, "Injecting %s from %s", what, source);
    int r = windows_source_visit(source, &visitor, err);
    if (r < 0 || program.name) {
        *ret_name = program.name;
        return windows_explain(r, err);
    }
    _cleanup_free_ char *guest = windows_description(context->info, err);
    return guest ? error_set(err, ENOENT, "%s: has no %s for this guest: %s", source, what, guest)
                 : -ENOMEM;
}

/* Windows installs its new devices when it first boots, and runs one installation at a time:
 * virt-customize waits for two minutes as well. */
static int qemu_ga_apply(const void *data, const char *argument, struct customize_context *context,
                         struct error **err)
{
    (void)data;
    if (!context->info->windows)
        return ignored("--inject-qemu-ga", context);
    _cleanup_free_ char *name = NULL;
    int r = inject_program(context, argument, windows_agent_fits, "QEMU guest agent", &name, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *script = str_printf(
        err,
        "ping -n 121 127.0.0.1 >nul\n"
        "start \"\" /wait msiexec.exe /i \"C:\\%s\" /qn /norestart /l*vx \"C:\\%s.log\"\n",
        name, name);
    return script ? firstboot_add(context, "install qemu-ga", script, strlen(script), err)
                  : -ENOMEM;
}

static int blnsvr_apply(const void *data, const char *argument, struct customize_context *context,
                        struct error **err)
{
    (void)data;
    if (!context->info->windows)
        return ignored("--inject-blnsvr", context);
    _cleanup_free_ char *name = NULL;
    int r = inject_program(context, argument, windows_balloon_fits, "balloon service", &name, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *script = str_printf(err, "\"C:\\%s\" -i\n", name);
    return script ? firstboot_add(context, "install blnsvr", script, strlen(script), err) : -ENOMEM;
}

const struct customize_operation inject_virtio_win_operation = {
    .name = "inject-virtio-win",
    .metavar = "METHOD",
    .help = "inject virtio drivers into a Windows guest",
    .manual =
        "METHOD is the path of virtio-win.iso, or of a directory with its contents. All drivers "
        "for the guest's release of Windows and its processor are put into "
        "C:\\Windows\\Drivers\\VirtIO, where Windows then looks for them; the one for disks is "
        "named in the registry, so that the guest boots from a virtio disk. It is an error when "
        "there is no driver for this release. The method osinfo of older virt-customize is "
        "refused, as its newer releases do. The guest has to be shut down: one that is "
        "hibernated, or was cut off, is refused. Should Windows not install all drivers by itself, "
        "--firstboot-command '%SystemRoot%\\Sysnative\\pnputil -i -a "
        "%SystemRoot%\\Drivers\\VirtIO\\*.inf' has it do so. Other guests than Windows ignore all "
        "this with a warning.",
    .example = "--inject-virtio-win /usr/share/virtio-win/virtio-win.iso",
    .parse = inject_parse,
    .require = drivers_require,
    .apply = virtio_win_apply,
};

const struct customize_operation inject_qemu_ga_operation = {
    .name = "inject-qemu-ga",
    .metavar = "METHOD",
    .help = "inject the QEMU guest agent into a Windows guest",
    .manual = "Put the installer of the QEMU guest agent into C:\\, and have Windows run it two "
              "minutes after its first boot. METHOD is as for --inject-virtio-win; what it takes "
              "to run something at the first boot, see --firstboot.",
    .example = "--inject-qemu-ga /usr/share/virtio-win/virtio-win.iso",
    .parse = inject_parse,
    .require = program_on_boot_require,
    .apply = qemu_ga_apply,
};

const struct customize_operation inject_blnsvr_operation = {
    .name = "inject-blnsvr",
    .metavar = "METHOD",
    .help = "inject the balloon service into a Windows guest",
    .manual =
        "Put the service that reports to the host how much memory Windows uses, blnsvr.exe, into "
        "C:\\, and have Windows install it at its first boot. METHOD is as for "
        "--inject-virtio-win; what it takes to run something at the first boot, see "
        "--firstboot.",
    .example = "--inject-blnsvr /usr/share/virtio-win/virtio-win.iso",
    .parse = inject_parse,
    .require = program_on_boot_require,
    .apply = blnsvr_apply,
};
