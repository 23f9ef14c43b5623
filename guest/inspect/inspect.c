#include "guest/inspect/inspect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "guest/inspect/elf.h"
#include "guest/inspect/guest_text.h"
#include "guest/inspect/hostname.h"
#include "guest/inspect/osinfo.h"
#include "guest/inspect/package_kind.h"
#include "guest/inspect/release.h"
#include "guest/inspect/root.h"
#include "guest/inspect/selinux_config.h"

static int set(char **slot, const char *text, struct error **err)
{
    return str_replace(slot, text ? text : "", err);
}

static int inspect_release(struct guest *guest, struct guest_info *info, struct error **err)
{
    _cleanup_os_release_ struct os_release release = {0};
    const char *type;
    int r = release_read(guest, &release, &type, err);
    if (r == 0)
        r = set(&info->type, type, err);
    if (r < 0)
        return r;
    info->distro = os_release_distro(&release, err);
    if (!info->distro)
        return -ENOMEM;
    const char *product = release.pretty_name ? release.pretty_name : release.name;
    r = set(&info->product_name, product ? product : "unknown", err);
    if (r == 0)
        r = set(&info->version, release.version_id, err);
    if (r == 0)
        r = set(&info->variant, release.variant_id, err);
    return r < 0 ? r : set(&info->codename, release.version_codename, err);
}

int guest_product_name(struct guest *guest, char **ret, struct error **err)
{
    _cleanup_os_release_ struct os_release release = {0};
    const char *type;
    int r = release_read(guest, &release, &type, err);
    if (r == 0)
        *ret = TAKE_PTR(release.pretty_name);
    return r;
}

static int inspect_arch(struct guest *guest, struct guest_info *info, struct error **err)
{
    for (size_t i = 0; guest_common_programs[i]; i++) {
        _cleanup_error_ struct error *error = NULL;
        _cleanup_free_ char *data = NULL;
        size_t size;
        if (guest_read_head(guest, guest_common_programs[i], ELF_HEADER_SIZE, &data, &size,
                            &error) < 0)
            continue;
        const char *machine = elf_machine(data, size);
        if (machine)
            return set(&info->arch, machine, err);
    }
    return set(&info->arch, "unknown", err);
}

static int inspect_hostname(struct guest *guest, struct guest_info *info, struct error **err)
{
    return guest_hostname(guest, &info->hostname, err);
}

struct mark {
    const char *path;
    const char *means;
};

static const char *find_mark(struct guest *guest, const struct mark *marks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (guest_exists(guest, marks[i].path))
            return marks[i].means;
    return NULL;
}

/* Whether a program of that package manager is there. */
static bool has_mark(struct guest *guest, const struct mark *marks, size_t count, const char *means)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(marks[i].means, means) == 0 && guest_exists(guest, marks[i].path))
            return true;
    return false;
}

static int inspect_packages(struct guest *guest, struct guest_info *info, struct error **err)
{
    static const struct mark formats[] = {
        {"/var/lib/dpkg/status", "deb"},  {"/var/lib/rpm", "rpm"},
        {"/usr/lib/sysimage/rpm", "rpm"}, {"/lib/apk/db", "apk"},
        {"/usr/lib/apk/db", "apk"},       {"/var/lib/pacman", "pacman"},
        {"/var/db/xbps", "xbps"},         {"/var/db/pkg", "ebuild"},
    };
    static const struct mark managers[] = {
        {"/usr/bin/apt-get", "apt"},   {"/usr/bin/dnf", "dnf"},
        {"/usr/bin/dnf5", "dnf"},      {"/usr/bin/microdnf", "dnf"},
        {"/usr/bin/zypper", "zypper"}, {"/usr/bin/yum", "yum"},
        {"/sbin/apk", "apk"},          {"/usr/bin/apk", "apk"},
        {"/usr/bin/pacman", "pacman"}, {"/usr/bin/xbps-install", "xbps"},
    };
    const char *format = find_mark(guest, formats, ARRAY_SIZE(formats));
    const char *manager = find_mark(guest, managers, ARRAY_SIZE(managers));
    const char *usual = package_manager_of(info);
    if (!format)
        format = package_format_of(info);
    info->package_manager_missing = !manager;
    /* Of several the one that the distribution has by itself. */
    if (usual && (!manager || has_mark(guest, managers, ARRAY_SIZE(managers), usual)))
        manager = usual;
    int r = set(&info->package_format, format ? format : "unknown", err);
    return r < 0 ? r : set(&info->package_manager, manager ? manager : "unknown", err);
}

/* What /sbin/init is, by its link's target, or by the files beside it. */
static int inspect_init(struct guest *guest, struct guest_info *info, struct error **err)
{
    static const struct mark marks[] = {
        {"/usr/lib/systemd/systemd", "systemd"},
        {"/lib/systemd/systemd", "systemd"},
        {"/sbin/openrc", "openrc"},
        {"/etc/inittab", "sysvinit"},
    };
    _cleanup_free_ char *target = NULL;
    _cleanup_error_ struct error *error = NULL;
    if (guest_readlink(guest, "/sbin/init", &target, &error) == 0) {
        if (strstr(target, "systemd"))
            return set(&info->init, "systemd", err);
        if (strstr(target, "busybox") && !guest_exists(guest, "/sbin/openrc"))
            return set(&info->init, "busybox", err);
    }
    const char *init = find_mark(guest, marks, ARRAY_SIZE(marks));
    return set(&info->init, init ? init : "unknown", err);
}

static int inspect_selinux(struct guest *guest, struct guest_info *info, struct error **err)
{
    _cleanup_free_ char *text = NULL;
    int r = guest_text(guest, "/etc/selinux/config", &text, err);
    if (r < 0)
        return r;
    if (!text)
        return 0;
    _cleanup_selinux_config_ struct selinux_config config = {0};
    r = selinux_config_parse(text, &config, err);
    info->selinux = r == 0 && config.enabled;
    return r;
}

static int inspect_root(struct guest *guest, struct guest_info *info, struct error **err)
{
    struct guest_root root = {0};
    int r = guest_root(guest, &root, err);
    if (r < 0)
        return r;
    info->root_device = TAKE_PTR(root.device);
    info->root_fs = TAKE_PTR(root.fs);
    info->root_uuid = TAKE_PTR(root.uuid);
    info->root_size = root.size;
    info->root_free = root.free;
    return 0;
}

int guest_inspect(struct guest *guest, struct guest_info *ret, struct error **err)
{
    static int (*const parts[])(struct guest *, struct guest_info *, struct error **) = {
        inspect_release,  inspect_arch, inspect_hostname,
        inspect_packages, inspect_init, inspect_selinux,
    };
    _cleanup_guest_info_ struct guest_info info = {0};
    int r = inspect_root(guest, &info, err);
    if (r == 0)
        r = guest_inspect_windows(guest, &info, err);
    for (size_t i = 0; r == 0 && !info.windows && i < ARRAY_SIZE(parts); i++)
        r = parts[i](guest, &info, err);
    if (r == 0)
        r = str_replace(&info.variant, info.windows ? info.windows->variant : info.variant, err);
    info.osinfo = r == 0 ? guest_osinfo_id(&info, err) : NULL;
    if (!info.osinfo)
        return r < 0 ? r : -ENOMEM;
    info.cloud_init = guest_exists(guest, "/usr/bin/cloud-init");
    *ret = info;
    info = (struct guest_info){0};
    return 0;
}

void guest_info_free(struct guest_info *info)
{
    char *const texts[] = {
        info->type,      info->distro,         info->product_name,
        info->version,   info->codename,       info->arch,
        info->hostname,  info->package_format, info->package_manager,
        info->init,      info->root_device,    info->root_fs,
        info->root_uuid, info->osinfo,         info->variant,
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(texts[i]);
    guest_windows_free(info->windows);
    *info = (struct guest_info){0};
}
