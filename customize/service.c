#include "customize/service.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/text/distro.h"

static const char systemd_units[] = "/usr/lib/systemd/system";
static const char systemd_config[] = "/etc/systemd/system";
static const char systemd_presets[] = "/etc/systemd/system-preset";
static const char openrc_scripts[] = "/etc/init.d";
static const char openrc_runlevel[] = "/etc/runlevels/default";
static const char runit_services[] = "/etc/sv";
static const char runit_enabled[] = "/etc/runit/runsvdir/default";

static bool has_systemd(struct guest *guest, const struct guest_info *info)
{
    (void)info;
    return guest_is_dir(guest, systemd_config);
}

static bool has_openrc(struct guest *guest, const struct guest_info *info)
{
    (void)info;
    return guest_is_dir(guest, openrc_runlevel) && guest_is_dir(guest, openrc_scripts);
}

static bool has_runit(struct guest *guest, const struct guest_info *info)
{
    (void)info;
    return guest_is_dir(guest, runit_enabled);
}

static bool has_sysv(struct guest *guest, const struct guest_info *info)
{
    return distro_sysv_of(info) &&
           (guest_is_dir(guest, "/etc/rc.d") || guest_is_dir(guest, "/etc/init.d"));
}

/* Replaces what is at the path, whatever it is. */
static int put_link(struct guest *guest, const char *target, const char *directory,
                    const char *name, struct error **err)
{
    _cleanup_free_ char *path = str_printf(err, "%s/%s", directory, name);
    if (!path)
        return -ENOMEM;
    int r = guest_mkdir_p(guest, directory, 0755, err);
    if (r == 0)
        r = guest_remove(guest, path, err);
    return r < 0 ? r : guest_symlink(guest, target, path, err);
}

static int put_file(struct guest *guest, const char *directory, const char *name, const char *text,
                    mode_t mode, struct error **err)
{
    const struct guest_file_attr attr = {.mode = mode, .force = true};
    _cleanup_free_ char *path = str_printf(err, "%s/%s", directory, name);
    if (!path)
        return -ENOMEM;
    int r = guest_mkdir_p(guest, directory, 0755, err);
    return r < 0 ? r : guest_write(guest, path, text, strlen(text), &attr, err);
}

int service_keep_enabled(struct guest *guest, const char *name, struct error **err)
{
    _cleanup_free_ char *file = str_printf(err, "00-%s.preset", name);
    _cleanup_free_ char *text = file ? str_printf(err, "enable %s.service\n", name) : NULL;
    return text ? put_file(guest, systemd_presets, file, text, 0644, err) : -ENOMEM;
}

static int install_systemd(struct customize_context *context, const struct service *service,
                           struct error **err)
{
    _cleanup_free_ char *name = str_printf(err, "%s.service", service->name);
    _cleanup_free_ char *unit = name ? str_printf(err, "%s/%s", systemd_units, name) : NULL;
    _cleanup_free_ char *wants =
        unit ? str_printf(err, "%s/%s.wants", systemd_config, service->unit_target) : NULL;
    if (!wants)
        return -ENOMEM;
    int r = put_file(context->guest, systemd_units, name, service->unit, 0644, err);
    if (r == 0)
        r = put_link(context->guest, unit, wants, name, err);
    return r < 0 ? r : service_keep_enabled(context->guest, service->name, err);
}

static int install_openrc(struct customize_context *context, const struct service *service,
                          struct error **err)
{
    _cleanup_free_ char *script = str_printf(err, "%s/%s", openrc_scripts, service->name);
    if (!script)
        return -ENOMEM;
    int r = put_file(context->guest, openrc_scripts, service->name, service->openrc, 0755, err);
    return r < 0 ? r : put_link(context->guest, script, openrc_runlevel, service->name, err);
}

static int install_runit(struct customize_context *context, const struct service *service,
                         struct error **err)
{
    _cleanup_free_ char *directory = str_printf(err, "%s/%s", runit_services, service->name);
    if (!directory)
        return -ENOMEM;
    int r = put_file(context->guest, directory, "run", service->runit, 0755, err);
    return r < 0 ? r : put_link(context->guest, directory, runit_enabled, service->name, err);
}

static int install_sysv(struct customize_context *context, const struct service *service,
                        struct error **err)
{
    static const char *const levels[] = {"rc2.d", "rc3.d", "rc5.d"};
    const struct distro_sysv *sysv = distro_sysv_of(context->info);
    _cleanup_free_ char *link = str_printf(err, "S99%s", service->name);
    _cleanup_free_ char *target = sysv->scripts
                                      ? str_printf(err, "%s/%s", sysv->back, service->name)
                                      : str_printf(err, "%s", service->program);
    if (!link || !target)
        return -ENOMEM;
    int r = 0;
    if (sysv->scripts)
        r = put_link(context->guest, service->program, sysv->scripts, service->name, err);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(levels); i++) {
        _cleanup_free_ char *level = str_printf(err, "%s/%s", sysv->runlevels, levels[i]);
        r = level ? put_link(context->guest, target, level, link, err) : -ENOMEM;
    }
    return r;
}

static const struct {
    const char *name;
    bool (*present)(struct guest *guest, const struct guest_info *info);
    int (*install)(struct customize_context *context, const struct service *service,
                   struct error **err);
} systems[] = {
    {"systemd", has_systemd, install_systemd},
    {"OpenRC", has_openrc, install_openrc},
    {"runit", has_runit, install_runit},
    {"System V", has_sysv, install_sysv},
};

int service_install(struct customize_context *context, const struct service *service,
                    bool *ret_enabled, struct error **err)
{
    bool done = false;
    for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
        if (!systems[i].present(context->guest, context->info))
            continue;
        int r = systems[i].install(context, service, err);
        if (r < 0)
            return error_wrap(err, "cannot enable %s in %s", service->name, systems[i].name);
        done = true;
    }
    *ret_enabled = done;
    return 0;
}
