/* --timezone TIMEZONE */

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "customize/ops/operations.h"
#include "guest/text/distro.h"

static const char zone_directory[] = "/usr/share/zoneinfo";
static const char localtime_path[] = "/etc/localtime";

static int timezone_parse(const char *argument, void **ret_data, struct error **err)
{
    (void)ret_data;
    bool fits = *argument && *argument != '/' && strlen(argument) < 256;
    for (const char *c = argument; *c; c++)
        fits = fits && (isalnum((unsigned char)*c) || strchr("/_+-", *c));
    if (fits)
        return 0;
    error_set(err, EINVAL, "--timezone: '%s' cannot be a time zone", argument);
    return error_hint(err, "give a location like Europe/London");
}

static int check_zone(struct guest *guest, const char *zone, const char *path, struct error **err)
{
    struct guest_stat st;
    struct error *cause = NULL;
    int r = guest_stat(guest, path, true, &st, &cause);
    if (r == 0 && S_ISREG(st.mode))
        return 0;
    if (r < 0 && r != -ENOENT && r != -ENOTDIR)
        return error_move(err, cause);
    error_free(cause);
    error_set(err, ENOENT, "the guest has no time zone %s", zone);
    if (guest_is_dir(guest, zone_directory))
        return error_hint(err, "give a location like Europe/London, one of those in the guest's %s",
                          zone_directory);
    return error_hint(err, "the guest has no %s: its package tzdata is missing", zone_directory);
}

/* It wants the rule for TZ, as in GMT0BST,M3.5.0/1,M10.5.0, and makes /etc/localtime from it. */
static int refuse_openwrt(struct error **err)
{
    error_set(err, EOPNOTSUPP,
              "OpenWrt keeps its time zone in /etc/config/system, as a rule for TZ");
    return error_hint(err,
                      "set it at the first boot, with --write '/etc/uci-defaults/zz-timezone:uci "
                      "set system.@system[0].timezone=RULE && uci commit system'");
}

static int replace_link(struct guest *guest, const char *target, struct error **err)
{
    struct guest_stat st;
    struct error *cause = NULL;
    int r = guest_stat(guest, localtime_path, false, &st, &cause);
    if (r < 0 && r != -ENOENT)
        return error_move(err, cause);
    error_free(cause);
    if (r == 0) {
        r = guest_unlink(guest, localtime_path, err);
        if (r < 0)
            return r;
    }
    return guest_symlink(guest, target, localtime_path, err);
}

static int timezone_apply(const void *data, const char *argument, struct customize_context *context,
                          struct error **err)
{
    (void)data;
    if (distro_leaves_out(context->info, context->reporter, "The time zone can be set"))
        return 0;
    if (distro_is_openwrt(context->guest, context->info))
        return refuse_openwrt(err);
    report(context->reporter, REPORT_INFO, "Setting the time zone %s", argument);
    _cleanup_free_ char *target = str_printf(err, "%s/%s", zone_directory, argument);
    if (!target)
        return -ENOMEM;
    int r = check_zone(context->guest, argument, target, err);
    if (r == 0)
        r = replace_link(context->guest, target, err);
    if (r < 0)
        return r;
    return distro_apply_settings(context->guest, distro_facts_of(context->info)->timezone, argument,
                                 err);
}

const struct customize_operation timezone_operation = {
    .name = "timezone",
    .metavar = "TIMEZONE",
    .help = "set the time zone, a location like Europe/London",
    .manual = "Make /etc/localtime a link to the zone TIMEZONE, which the guest must have in "
              "/usr/share/zoneinfo. Files that name the zone as well, such as Debian's "
              "/etc/timezone, are kept in step.",
    .example = "--timezone Europe/London",
    .parse = timezone_parse,
    .apply = timezone_apply,
};
