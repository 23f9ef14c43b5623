#include "customize/packages.h"

#include <errno.h>
#include <string.h>

#include "base/quote.h"
#include "guest/text/distro.h"

/* Debian's tools prompt for changed configuration unless an option decides; the package's version
 * is taken, as virt-customize does. */
#define APT                                                                                        \
    "export DEBIAN_FRONTEND=noninteractive\n"                                                      \
    "apt() { apt-get -q -y -o Dpkg::Options::=--force-confnew \"$@\"; }\n"

/* Each is a shell script; the names of packages are put behind its last word. */
static const struct {
    const char *manager;
    const char *install;
    const char *update;
    const char *update_rolling; /* where there are no releases; NULL: as `update` */
    const char *uninstall;
} managers[] = {
    {
        .manager = "apk",
        .install = "apk update && apk add",
        .update = "apk update && apk upgrade",
        .uninstall = "apk del",
    },
    {
        .manager = "apt",
        .install = APT "apt update && apt install",
        .update = APT "apt update && apt upgrade",
        .uninstall = APT "apt remove",
    },
    {
        .manager = "dnf",
        .install = "dnf -y install",
        .update = "dnf -y --best upgrade",
        .uninstall = "dnf -y remove",
    },
    {
        .manager = "pacman",
        .install = "pacman -Sy --noconfirm --needed",
        .update = "pacman -Syu --noconfirm",
        .uninstall = "pacman -R --noconfirm",
    },
    {
        .manager = "xbps",
        .install = "xbps-install -Sy",
        /* The package manager comes first: it does nothing else while it is out of date. */
        .update = "xbps-install -Sy -u xbps && xbps-install -Suy",
        .uninstall = "xbps-remove -y",
    },
    {
        .manager = "yum",
        .install = "yum -y install",
        .update = "yum -y update",
        .uninstall = "yum -y remove",
    },
    {
        .manager = "zypper",
        .install = "zypper -n install -l",
        .update = "zypper -n update -l",
        .update_rolling = "zypper -n dist-upgrade -l",
        .uninstall = "zypper -n remove",
    },
};

static int check_name(const char *option, const char *name, struct error **err)
{
    if (!*name)
        return error_set(err, EINVAL, "--%s: a package name in the list is empty", option);
    if (*name == '-')
        return error_set(err, EINVAL, "--%s: '%s' cannot be a package: it begins with a hyphen",
                         option, name);
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return error_set(err, EINVAL, "--%s: a package name holds a control character", option);
    return 0;
}

void packages_free(void *names)
{
    if (names)
        strv_free(names);
    free(names);
}

DEFINE_CLEANUP(struct strv *, packages_free);

int packages_parse(const char *option, const char *argument, struct strv **ret, struct error **err)
{
    _cleanup_(packages_freep) struct strv *names = calloc(1, sizeof(*names));
    if (!names)
        return error_oom(err);
    for (;;) {
        size_t length = strcspn(argument, ",");
        _cleanup_free_ char *name = strndup(argument, length);
        int r = name ? check_name(option, name, err) : 0;
        if (r == 0)
            r = strv_take(names, TAKE_PTR(name), err);
        if (r < 0)
            return r;
        if (!argument[length])
            break;
        argument += length + 1;
    }
    *ret = TAKE_PTR(names);
    return 0;
}

static int unsupported(const char *manager, struct error **err)
{
    if (!manager || strcmp(manager, "unknown") == 0)
        error_set(err, EOPNOTSUPP, "no package manager was found in the guest");
    else
        error_set(err, EOPNOTSUPP, "the guest's package manager, %s, is not one that kiln knows",
                  manager);
    return error_hint(err, "call it yourself with --run-command, or at the first boot with "
                           "--firstboot-command");
}

static const char *command(size_t row, enum packages_task task, bool rolling)
{
    switch (task) {
    case PACKAGES_INSTALL:
        return managers[row].install;
    case PACKAGES_UPDATE:
        return rolling && managers[row].update_rolling ? managers[row].update_rolling
                                                       : managers[row].update;
    case PACKAGES_UNINSTALL:
        break;
    }
    return managers[row].uninstall;
}

char *packages_script(const struct guest_info *info, enum packages_task task,
                      const struct strv *names, struct error **err)
{
    const char *manager = info->package_manager_missing ? NULL : info->package_manager;
    size_t row = 0;
    while (row < ARRAY_SIZE(managers) && !(manager && strcmp(managers[row].manager, manager) == 0))
        row++;
    if (row == ARRAY_SIZE(managers)) {
        unsupported(manager, err);
        return NULL;
    }
    _cleanup_str_ struct str script = {0};
    str_appendf(&script, "#!/bin/sh\n%s", command(row, task, distro_is_rolling(info)));
    for (size_t i = 0; task != PACKAGES_UPDATE && i < names->count; i++) {
        str_append(&script, " ");
        quote_shell(&script, names->items[i]);
    }
    str_append(&script, "\n");
    return str_take(&script, err);
}
