/* --firstboot SCRIPT  --firstboot-command 'CMD+ARGS'  --firstboot-install PKG,PKG.. */

#include <errno.h>
#include <string.h>

#include "customize/firstboot.h"
#include "customize/ops/operations.h"
#include "customize/packages.h"
#include "customize/script.h"

static int firstboot_possible(const struct customize_step *step, const struct guest_info *info,
                              struct error **err)
{
    (void)step;
    return firstboot_require(info, err);
}

static int firstboot_parse(const char *argument, void **ret_data, struct error **err)
{
    return script_read("firstboot", argument, ret_data, err);
}

static int command_parse(const char *argument, void **ret_data, struct error **err)
{
    return script_of_command("firstboot-command", argument, ret_data, err);
}

static int script_apply(const void *data, const char *argument, struct customize_context *context,
                        struct error **err)
{
    const struct script *script = data;
    report(context->reporter, REPORT_INFO, "Adding to the first boot: %s", argument);
    return firstboot_add(context, argument, script->text, script->size, err);
}

/* The parsed script is one for sh(1), since the guest was not known yet. */
static int command_apply(const void *data, const char *argument, struct customize_context *context,
                         struct error **err)
{
    if (!context->info->windows)
        return script_apply(data, argument, context, err);
    report(context->reporter, REPORT_INFO, "Adding to the first boot: %s", argument);
    _cleanup_free_ char *batch = str_printf(err, "%s\n", argument);
    return batch ? firstboot_add(context, argument, batch, strlen(batch), err) : -ENOMEM;
}

static int install_parse(const char *argument, void **ret_data, struct error **err)
{
    struct strv *names = NULL;
    int r = packages_parse("firstboot-install", argument, &names, err);
    *ret_data = names;
    return r;
}

static int install_require(const struct customize_step *step, const struct guest_info *info,
                           struct error **err)
{
    struct error *cause = NULL;
    int r = firstboot_require(info, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *script = packages_script(info, PACKAGES_INSTALL, step->data, &cause);
    return script ? 0 : error_move(err, cause);
}

static int install_apply(const void *data, const char *argument, struct customize_context *context,
                         struct error **err)
{
    struct error *cause = NULL;
    report(context->reporter, REPORT_INFO, "Adding packages to the first boot: %s", argument);
    _cleanup_free_ char *name = str_printf(err, "install %s", argument);
    if (!name)
        return -ENOMEM;
    _cleanup_free_ char *script = packages_script(context->info, PACKAGES_INSTALL, data, &cause);
    if (!script)
        return error_move(err, cause);
    int r = firstboot_add(context, name, script, strlen(script), err);
    return r < 0 ? r : firstboot_wait_for_network(context, err);
}

const struct customize_operation firstboot_operation = {
    .name = "firstboot",
    .metavar = "SCRIPT",
    .help = "run a local script when the guest first boots",
    .manual =
        "Put the local file SCRIPT into the guest, where it runs once, as root, late in the "
        "first boot. Several run in the order of the command line. Their output goes to "
        "virt-sysprep-firstboot.log in root's home and, with systemd, to the console. "
        "systemd, OpenRC, runit and System V's init of the large distributions are served; in "
        "a guest with another init the script is put in, with a warning, for its boot scripts to "
        "start. In "
        "a Windows guest, SCRIPT is a batch file that LocalSystem runs, logging to "
        "C:\\Program Files\\Guestfs\\Firstboot\\log.txt. This takes rhsrvany.exe or "
        "pvvxsvc.exe (https://github.com/rwmjones/rhsrvany), which are looked for in "
        "/usr/share/virt-tools or in the directory that the environment variable "
        "VIRT_TOOLS_DATA_DIR names.",
    .example = "--firstboot setup.sh",
    .parse = firstboot_parse,
    .require = firstboot_possible,
    .apply = script_apply,
    .free_data = script_free,
};

const struct customize_operation firstboot_command_operation = {
    .name = "firstboot-command",
    .metavar = "CMD+ARGS",
    .help = "run a command when the guest first boots",
    .manual =
        "Have the guest run the shell command once, as root, late in the first boot; for a "
        "Windows guest, it is one of cmd.exe, as in 'net user Administrator /active:yes'. See "
        "--firstboot.",
    .example = "--firstboot-command 'touch /etc/was-booted'",
    .parse = command_parse,
    .require = firstboot_possible,
    .apply = command_apply,
    .free_data = script_free,
};

const struct customize_operation firstboot_install_operation = {
    .name = "firstboot-install",
    .metavar = "PKG,PKG..",
    .help = "install packages when the guest first boots",
    .manual = "Have the guest install the packages, a list with commas, with its own package "
              "manager and its own network when it first boots; with systemd it waits until the "
              "network is up. See --install and --firstboot.",
    .example = "--firstboot-install nginx",
    .parse = install_parse,
    .require = install_require,
    .apply = install_apply,
    .free_data = packages_free,
};
