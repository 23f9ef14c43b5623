#include "customize/firstboot.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "customize/service.h"
#include "customize/windows/firstboot.h"
#include "guest/text/distro.h"

#define FIRSTBOOT "/usr/lib/virt-sysprep"
#define SERVICE   "guestfs-firstboot"
#define PROGRAM   FIRSTBOOT "/firstboot.sh"
#define SCRIPTS   FIRSTBOOT "/scripts"

/* As virt-customize has them; a four-digit number each. */
enum { priority = 5000, count_max = 9999, name_max = 60 };

/* A script is moved away before it runs: one that reboots the machine, or a second init system,
 * does not run it again. */
static const char runner[] = "#!/bin/sh\n"
                             "### BEGIN INIT INFO\n"
                             "# Provides:          " SERVICE "\n"
                             "# Required-Start:    $null\n"
                             "# Should-Start:      $all\n"
                             "# Required-Stop:     $null\n"
                             "# Should-Stop:       $all\n"
                             "# Default-Start:     2 3 5\n"
                             "# Default-Stop:      0 1 6\n"
                             "# Short-Description: Runs scripts once, at the first boot\n"
                             "### END INIT INFO\n"
                             "\n"
                             "waiting=" SCRIPTS "\n"
                             "running=" FIRSTBOOT "/scripts-done\n"
                             "log=~root/virt-sysprep-firstboot.log\n"
                             "\n"
                             "[ \"$1\" = start ] || exit 0\n"
                             "mkdir -p \"$running\"\n"
                             "for script in \"$waiting\"/*; do\n"
                             "    [ -x \"$script\" ] || continue\n"
                             "    mv \"$script\" \"$running\" || continue\n"
                             "    script=$running/${script##*/}\n"
                             "    {\n"
                             "        echo \"=== Running $script ===\"\n"
                             "        \"$script\"\n"
                             "        echo \"=== It ended with status $? ===\"\n"
                             "    } 2>&1 </dev/null | tee -a \"$log\"\n"
                             "    rm -f \"$script\"\n"
                             "done\n"
                             "exit 0\n";

static const char unit[] = "[Unit]\n"
                           "Description=Scripts that run once, at the first boot\n"
                           "After=network.target network-online.target\n"
                           "Before=prefdm.service\n"
                           "\n"
                           "[Service]\n"
                           "Type=oneshot\n"
                           "ExecStart=" PROGRAM " start\n"
                           "RemainAfterExit=yes\n"
                           "StandardOutput=journal+console\n"
                           "StandardError=inherit\n"
                           "\n"
                           "[Install]\n"
                           "WantedBy=multi-user.target\n";

static const char openrc[] = "#!/sbin/openrc-run\n"
                             "description=\"Scripts that run once, at the first boot\"\n"
                             "\n"
                             "depend() {\n"
                             "    after *\n"
                             "}\n"
                             "\n"
                             "start() {\n"
                             "    " PROGRAM " start\n"
                             "}\n";

/* runsv(8) would start again what ends. */
static const char runit[] = "#!/bin/sh\n" PROGRAM " start\n"
                            "exec pause\n";

static const struct service service = {
    .name = SERVICE,
    .program = PROGRAM,
    .unit = unit,
    .unit_target = "multi-user.target",
    .openrc = openrc,
    .runit = runit,
};

/* Left by virt-customize before 2014 under other names: they would run the same scripts. */
static const char *const old_links[] = {
    "/etc/systemd/system/default.target.wants/guestfs-firstboot.service",
    "/etc/rc.d/rc2.d/S99virt-sysprep-firstboot",
    "/etc/rc.d/rc3.d/S99virt-sysprep-firstboot",
    "/etc/rc.d/rc5.d/S99virt-sysprep-firstboot",
    "/etc/init.d/virt-sysprep-firstboot",
    "/etc/init.d/rc2.d/S99virt-sysprep-firstboot",
    "/etc/init.d/rc3.d/S99virt-sysprep-firstboot",
    "/etc/init.d/rc5.d/S99virt-sysprep-firstboot",
    "/etc/rc2.d/S99virt-sysprep-firstboot",
    "/etc/rc3.d/S99virt-sysprep-firstboot",
    "/etc/rc5.d/S99virt-sysprep-firstboot",
};

int firstboot_require(const struct guest_info *info, struct error **err)
{
    if (info->windows)
        return firstboot_windows_require(info, err);
    if (info->type && strcmp(info->type, "linux") == 0)
        return 0;
    return error_set(err, EOPNOTSUPP,
                     "scripts for the first boot can be put only into a Linux or Windows guest; "
                     "this one is of type %s",
                     info->type ? info->type : "unknown");
}

static int remove_old(struct guest *guest, struct error **err)
{
    for (size_t i = 0; i < ARRAY_SIZE(old_links); i++) {
        struct guest_stat st;
        if (guest_stat(guest, old_links[i], false, &st, NULL) < 0)
            continue;
        int r = guest_unlink(guest, old_links[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Debian 6 and 7 start what insserv(8) has put in order, and only that. */
static void warn_of_insserv(const struct customize_context *context)
{
    const struct guest_info *info = context->info;
    if (info->distro && strcmp(info->distro, "debian") == 0 && distro_major_version(info) <= 7)
        report(context->reporter, REPORT_WARNING,
               "Debian %s may not start the script at boot until this has run in the guest: "
               "update-rc.d %s defaults (see --run-command)",
               info->version, SERVICE);
}

/* virt-customize puts the files in all the same. */
static void warn_of_init(const struct customize_context *context)
{
    report(
        context->reporter, REPORT_WARNING,
        "The init of this guest (%s) is none that kiln can enable a service in, which are systemd, "
        "OpenRC, runit, and System V's init of Debian, Red Hat and SUSE: the script will run only "
        "when the guest's own boot scripts call " PROGRAM " start",
        context->info->init ? context->info->init : "unknown");
}

static int install_runner(struct customize_context *context, struct error **err)
{
    static const struct guest_file_attr attr = {.mode = 0755, .force = true};
    bool enabled = false;
    int r = service_install(context, &service, &enabled, err);
    if (r == 0 && !enabled)
        warn_of_init(context);
    if (r == 0)
        r = guest_mkdir_p(context->guest, SCRIPTS, 0755, err);
    if (r == 0)
        r = guest_write(context->guest, PROGRAM, runner, sizeof(runner) - 1, &attr, err);
    if (r == 0)
        r = remove_old(context->guest, err);
    return r;
}

/* Keeps the highest number of those that are there: an image may be customized again before it
 * ever boots. */
static int see_script(void *highest, const char *name, mode_t type)
{
    (void)type;
    unsigned long count = strlen(name) > 9 && name[4] == '-' ? strtoul(name + 5, NULL, 10) : 0;
    if (count <= count_max && count > *(unsigned *)highest)
        *(unsigned *)highest = (unsigned)count;
    return 0;
}

/* "5000-0001-apt-get-install-x": safe characters only, as the shell's "*" finds it. */
static char *script_path(const char *directory, unsigned count, const char *name,
                         struct error **err)
{
    _cleanup_str_ struct str path = {0};
    str_appendf(&path, "%s/%04d-%04u-", directory, priority, count);
    for (size_t i = 0; name[i] && i < name_max; i++) {
        bool plain =
            isascii((unsigned char)name[i]) && (isalnum((unsigned char)name[i]) || name[i] == '_');
        str_append_n(&path, plain ? &name[i] : "-", 1);
    }
    return str_take(&path, err);
}

int firstboot_next_path(struct guest *guest, const char *directory, const char *name, char **ret,
                        unsigned *ret_count, struct error **err)
{
    unsigned highest = 0;
    int r = guest_list(guest, directory, see_script, &highest, err);
    if (r < 0)
        return r;
    if (highest == count_max)
        return error_set(err, ENOSPC, "the guest has %d scripts for its first boot: no more fit",
                         count_max);
    *ret_count = highest + 1;
    *ret = script_path(directory, highest + 1, name, err);
    return *ret ? 0 : -ENOMEM;
}

int firstboot_add(struct customize_context *context, const char *name, const void *text,
                  size_t size, struct error **err)
{
    static const struct guest_file_attr attr = {.mode = 0755, .force = true};
    unsigned count;
    _cleanup_free_ char *path = NULL;
    int r = firstboot_require(context->info, err);
    if (r < 0)
        return r;
    if (context->info->windows)
        return firstboot_windows_add(context, name, text, size, err);
    r = install_runner(context, err);
    if (r == 0)
        r = firstboot_next_path(context->guest, SCRIPTS, name, &path, &count, err);
    if (r < 0)
        return r;
    if (count == 1)
        warn_of_insserv(context);
    return guest_write(context->guest, path, text, size, &attr, err);
}

int firstboot_wait_for_network(struct customize_context *context, struct error **err)
{
    static const char directory[] = "/usr/lib/systemd/system/" SERVICE ".service.d";
    static const char text[] = "[Unit]\nWants=network-online.target\n";
    static const struct guest_file_attr attr = {.mode = 0644, .force = true};
    if (!guest_is_dir(context->guest, "/etc/systemd/system"))
        return 0;
    int r = guest_mkdir_p(context->guest, directory, 0755, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *path = str_printf(err, "%s/network.conf", directory);
    return path ? guest_write(context->guest, path, text, sizeof(text) - 1, &attr, err) : -ENOMEM;
}
