/* --hostname HOSTNAME */

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "customize/ops/operations.h"
#include "guest/text/distro.h"
#include "guest/text/hostname.h"
#include "guest/text/hosts.h"
#include "guest/text/text.h"

/* The kernel's limit: __NEW_UTS_LEN, hostname(7). */
enum { hostname_max = 64, label_max = 63 };

static bool is_label(const char *label, size_t length)
{
    if (length == 0 || length > label_max || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_')
            return false;
    return true;
}

static bool is_hostname(const char *name)
{
    if (strlen(name) > hostname_max)
        return false;
    for (const char *label = name;; label++) {
        size_t length = strcspn(label, ".");
        if (!is_label(label, length))
            return false;
        label += length;
        if (!*label)
            return true;
    }
}

static int hostname_parse(const char *argument, void **ret_data, struct error **err)
{
    (void)ret_data;
    if (is_hostname(argument))
        return 0;
    error_set(err, EINVAL, "--hostname: '%s' cannot be a host name", argument);
    return error_hint(err,
                      "host names have at most %d characters: letters, digits and hyphens, in "
                      "parts separated by dots",
                      hostname_max);
}

static int update_hosts(struct guest *guest, const char *old_name, const char *new_name,
                        struct error **err)
{
    static const char path[] = "/etc/hosts";
    _cleanup_text_ struct text hosts = {0};
    _cleanup_text_ struct text renamed = {0};
    bool changed = false;
    int r = text_read(guest, path, &hosts, NULL, err);
    if (r == 0)
        r = hosts_rename(&hosts, old_name, new_name, &renamed, &changed, err);
    if (r < 0 || !changed)
        return r;
    return guest_replace(guest, path, renamed.data, renamed.size, err);
}

static int hostname_apply(const void *data, const char *argument, struct customize_context *context,
                          struct error **err)
{
    (void)data;
    if (distro_leaves_out(context->info, context->reporter, "The host name can be set"))
        return 0;
    report(context->reporter, REPORT_INFO, "Setting the hostname %s", argument);
    struct hostname_place place;
    _cleanup_free_ char *old_name = NULL;
    int r = hostname_find(context->guest, context->info, &place, err);
    if (r == 0)
        r = hostname_read(context->guest, &place, &old_name, err);
    if (r == 0)
        r = hostname_write(context->guest, &place, argument, err);
    if (r == 0 && place.in_hosts)
        r = update_hosts(context->guest, old_name, argument, err);
    return r;
}

const struct customize_operation hostname_operation = {
    .name = "hostname",
    .metavar = "HOSTNAME",
    .help = "set the host name of the guest",
    .manual = "Set the host name, which may have a domain behind a dot, in the files where the "
              "guest's distribution or init keeps it: /etc/hostname for most, "
              "/etc/sysconfig/network, /etc/HOSTNAME or /etc/config/system (OpenWrt) for "
              "others. Where neither is known, the guest's boot scripts are searched for "
              "the file that they read, and without one the option is refused. Where the old "
              "name stands in /etc/hosts (Debian and its kin), it is replaced there as well.",
    .example = "--hostname web1.example.com",
    .parse = hostname_parse,
    .apply = hostname_apply,
};
