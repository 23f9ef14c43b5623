/* --install PKG,PKG..  --uninstall PKG,PKG..  --update */

#include <string.h>

#include "customize/ops/operations.h"
#include "customize/packages.h"
#include "customize/program.h"

static int install_parse(const char *argument, void **ret_data, struct error **err)
{
    struct strv *names = NULL;
    int r = packages_parse("install", argument, &names, err);
    *ret_data = names;
    return r;
}

static int uninstall_parse(const char *argument, void **ret_data, struct error **err)
{
    struct strv *names = NULL;
    int r = packages_parse("uninstall", argument, &names, err);
    *ret_data = names;
    return r;
}

static enum packages_task task_of(const struct customize_operation *operation)
{
    if (operation == &install_operation)
        return PACKAGES_INSTALL;
    return operation == &update_operation ? PACKAGES_UPDATE : PACKAGES_UNINSTALL;
}

static int require_manager(const struct customize_step *step, const struct guest_info *info,
                           struct error **err)
{
    struct error *cause = NULL;
    _cleanup_free_ char *script =
        packages_script(info, task_of(step->operation), step->data, &cause);
    return script ? 0 : error_move(err, cause);
}

static int run_manager(enum packages_task task, const struct strv *names, const char *told,
                       struct customize_context *context, struct error **err)
{
    struct error *cause = NULL;
    _cleanup_free_ char *script = packages_script(context->info, task, names, &cause);
    if (!script)
        return error_move(err, cause);
    const struct program program = {.text = script, .size = strlen(script), .told = told};
    return program_run(context, &program, err);
}

static int install_apply(const void *data, const char *argument, struct customize_context *context,
                         struct error **err)
{
    report(context->reporter, REPORT_INFO, "Installing packages: %s", argument);
    return run_manager(PACKAGES_INSTALL, data, "installing packages", context, err);
}

static int uninstall_apply(const void *data, const char *argument,
                           struct customize_context *context, struct error **err)
{
    report(context->reporter, REPORT_INFO, "Uninstalling packages: %s", argument);
    return run_manager(PACKAGES_UNINSTALL, data, "uninstalling packages", context, err);
}

static int update_apply(const void *data, const char *argument, struct customize_context *context,
                        struct error **err)
{
    (void)data, (void)argument;
    report(context->reporter, REPORT_INFO, "Updating packages");
    return run_manager(PACKAGES_UPDATE, NULL, "updating packages", context, err);
}

const struct customize_operation install_operation = {
    .name = "install",
    .metavar = "PKG,PKG..",
    .help = "install packages with the guest's package manager",
    .manual = "Install the packages, a list with commas, by the guest's own package manager: apt, "
              "dnf, yum, zypper, apk, pacman or xbps. Groups of dnf and yum are written with an "
              "@. This runs programs of the guest and needs the network; their output goes to "
              "/tmp/builder.log in the guest.",
    .example = "--install nginx,curl",
    .needs = GUEST_CAN_RUN | GUEST_CAN_NETWORK,
    .parse = install_parse,
    .require = require_manager,
    .apply = install_apply,
    .free_data = packages_free,
};

const struct customize_operation uninstall_operation = {
    .name = "uninstall",
    .metavar = "PKG,PKG..",
    .help = "uninstall packages with the guest's package manager",
    .manual = "Uninstall the packages, a list with commas, by the guest's own package manager. "
              "Packages that depend on them may go as well. This runs programs of the guest, "
              "without the network.",
    .example = "--uninstall snapd",
    .needs = GUEST_CAN_RUN,
    .parse = uninstall_parse,
    .require = require_manager,
    .apply = uninstall_apply,
    .free_data = packages_free,
};

const struct customize_operation update_operation = {
    .name = "update",
    .help = "update the installed packages",
    .manual = "Bring the installed packages up to date by the guest's own package manager: what "
              "apt-get upgrade, dnf upgrade, zypper update and their like do. This runs programs "
              "of the guest and needs the network.",
    .example = "--update",
    .needs = GUEST_CAN_RUN | GUEST_CAN_NETWORK,
    .require = require_manager,
    .apply = update_apply,
};
