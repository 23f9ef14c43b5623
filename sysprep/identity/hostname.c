#include <errno.h>
#include <string.h>

#include "guest/text/hostname.h"
#include "guest/text/hosts.h"
#include "guest/text/text.h"
#include "sysprep/lines.h"
#include "sysprep/operations.h"

/* systemd, NetworkManager, dhclient and cloud-init all take this for "has no name yet". */
static const char unnamed[] = "localhost";

/* What Debian's installer leaves in /etc/hosts, and customize's --hostname looks for. */
static const char placeholder[] = "unassigned-hostname";

static const char hosts_path[] = "/etc/hosts";

static int reset_setting(struct guest *guest, const struct distro_setting *setting,
                         struct error **err)
{
    if (!guest_exists(guest, setting->path))
        return 0;
    if (setting->key && strcmp(setting->key, "PRETTY_HOSTNAME") == 0) {
        static const char *const keys[] = {"PRETTY_HOSTNAME=", NULL};
        return lines_remove(guest, setting->path, line_starts_with, keys, err);
    }
    const struct distro_setting one[] = {*setting, {0}};
    return distro_apply_settings(guest, one, unnamed, err);
}

static int reset_hosts(struct guest *guest, const char *old_name, struct error **err)
{
    _cleanup_text_ struct text hosts = {0};
    _cleanup_text_ struct text renamed = {0};
    bool changed = false;
    int r = text_read(guest, hosts_path, &hosts, NULL, err);
    if (r == 0)
        r = hosts_rename(&hosts, old_name, placeholder, &renamed, &changed, err);
    if (r < 0 || !changed || renamed.size == 0)
        return r;
    return guest_replace(guest, hosts_path, renamed.data, renamed.size, err);
}

static int perform(struct sysprep_context *context, struct error **err)
{
    struct guest *guest = context->customize->guest;
    const struct guest_info *info = context->customize->info;
    _cleanup_error_ struct error *cause = NULL;
    struct hostname_place place;
    int r = hostname_find(guest, info, &place, &cause);
    if (r == -EOPNOTSUPP) {
        report(context->customize->reporter, REPORT_WARNING, "The host name stays as it is: %s",
               error_message(cause));
        return 0;
    }
    if (r < 0)
        return error_move(err, TAKE_PTR(cause));
    if (place.openwrt)
        return guest_exists(guest, "/etc/config/system")
                   ? hostname_write(guest, &place, unnamed, err)
                   : 0;
    if (place.in_hosts && !str_empty(info->hostname))
        r = reset_hosts(guest, info->hostname, err);
    for (size_t i = 0; r == 0 && place.settings[i].path; i++)
        r = reset_setting(guest, &place.settings[i], err);
    return r;
}

const struct sysprep_operation sysprep_hostname = {
    .name = "hostname",
    .help = "reset the host name",
    .manual = "Set the host name to localhost where the guest's distribution keeps it, upon which "
              "clones take the name that DHCP or cloud-init gives them. In Debian and its kin, the "
              "old name in /etc/hosts becomes unassigned-hostname. A name set with --hostname "
              "comes afterwards and stays.",
    .by_default = true,
    .perform = perform,
};
