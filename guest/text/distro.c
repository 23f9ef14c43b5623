#include "guest/text/distro.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "guest/text/text.h"

static const struct distro_setting nothing[] = {{0}};

static const struct distro_setting etc_hostname[] = {{.path = "/etc/hostname"}, {0}};

/* hostnamectl(1) shows this name. */
static const struct distro_setting etc_hostname_and_pretty[] = {
    {.path = "/etc/hostname"},
    {.path = "/etc/machine-info", .key = "PRETTY_HOSTNAME"},
    {0},
};
static const struct distro_setting sysconfig_network[] = {
    {.path = "/etc/sysconfig/network", .key = "HOSTNAME"},
    {0},
};
/* Since systemd, HOSTNAME is a link to hostname, or is not there. */
static const struct distro_setting suse_hostname[] = {
    {.path = "/etc/hostname"},
    {.path = "/etc/HOSTNAME", .only_if_present = true},
    {0},
};
static const struct distro_setting suse_old_hostname[] = {{.path = "/etc/HOSTNAME"}, {0}};
static const struct distro_setting gentoo_hostname[] = {
    {.path = "/etc/hostname"},
    {.path = "/etc/conf.d/hostname", .key = "hostname", .quoted = true, .only_if_present = true},
    {0},
};
/* rc.M: /bin/hostname $(cat /etc/HOSTNAME | cut -f1 -d .) */
static const struct distro_setting slackware_hostname[] = {{.path = "/etc/HOSTNAME"}, {0}};

static const struct distro_setting etc_timezone[] = {
    {.path = "/etc/timezone", .only_if_present = true},
    {0},
};
/* Updates of the zone data copy the zone named here over /etc/localtime. */
static const struct distro_setting redhat_clock[] = {
    {.path = "/etc/sysconfig/clock", .key = "ZONE", .quoted = true, .only_if_present = true},
    {0},
};
static const struct distro_setting suse_clock[] = {
    {.path = "/etc/sysconfig/clock", .key = "TIMEZONE", .quoted = true, .only_if_present = true},
    {0},
};

/* void-runit's core-services make the link anew at each boot where a zone is set here. */
static const struct distro_setting void_timezone[] = {
    {.path = "/etc/rc.conf", .key = "TIMEZONE", .quoted = true, .only_if_set = true},
    {0},
};

#define SEED_DEBIAN "/var/lib/urandom/random-seed"
#define SEED_REDHAT "/var/lib/random-seed"
#define SEED_SUSE   "/var/lib/misc/random-seed"

enum family {
    FAMILY_OTHER,
    FAMILY_ALPINE,
    FAMILY_AMAZON,
    FAMILY_ARCH,
    FAMILY_CIRROS,
    FAMILY_DEBIAN,
    FAMILY_EULER,
    FAMILY_FEDORA,
    FAMILY_GENTOO,
    FAMILY_REDHAT,
    FAMILY_SLACKWARE,
    FAMILY_SUSE,
    FAMILY_UBUNTU,
    FAMILY_VOID,
};

/* By os-release ID, and by libguestfs's name where that differs. */
static const struct {
    const char *distro;
    enum family family;
} families[] = {
    {"almalinux", FAMILY_REDHAT},
    {"alpine", FAMILY_ALPINE},
    {"alpinelinux", FAMILY_ALPINE},
    {"amzn", FAMILY_AMAZON},
    {"arch", FAMILY_ARCH},
    {"archlinux", FAMILY_ARCH},
    {"centos", FAMILY_REDHAT},
    {"cirros", FAMILY_CIRROS},
    {"debian", FAMILY_DEBIAN},
    {"fedora", FAMILY_FEDORA},
    {"gentoo", FAMILY_GENTOO},
    {"kali", FAMILY_DEBIAN},
    {"kalilinux", FAMILY_DEBIAN},
    {"ol", FAMILY_REDHAT},
    {"openeuler", FAMILY_EULER},
    {"opensuse", FAMILY_SUSE},
    {"oraclelinux", FAMILY_REDHAT},
    {"redhat-based", FAMILY_REDHAT},
    {"rhel", FAMILY_REDHAT},
    {"rocky", FAMILY_REDHAT},
    {"scientificlinux", FAMILY_REDHAT},
    {"slackware", FAMILY_SLACKWARE},
    {"sled", FAMILY_SUSE},
    {"sles", FAMILY_SUSE},
    {"suse-based", FAMILY_SUSE},
    {"ubuntu", FAMILY_UBUNTU},
    {"void", FAMILY_VOID},
    {"voidlinux", FAMILY_VOID},
};

/* For distributions that the table above does not know: derivatives keep their parent's tools. */
static const struct {
    const char *package_manager;
    enum family family;
} families_by_packages[] = {
    {"apk", FAMILY_ALPINE},  {"apt", FAMILY_DEBIAN}, {"dnf", FAMILY_REDHAT},
    {"pacman", FAMILY_ARCH}, {"xbps", FAMILY_VOID},  {"yum", FAMILY_REDHAT},
    {"zypper", FAMILY_SUSE},
};

/* The first row whose family fits and whose `since` is not above the guest's major version counts.
 * A guest without a version is a rolling one: newer than all. */
static const struct {
    enum family family;
    unsigned since;
    struct distro_facts facts;
} rows[] = {
    {FAMILY_ALPINE, 0, {etc_hostname, true, nothing, NULL, "sha512"}},
    /* Versions 2023 and up, then 2011 to 2018 of the first generation, then 2. */
    {FAMILY_AMAZON, 2022, {etc_hostname, false, nothing, NULL, "sha512"}},
    {FAMILY_AMAZON, 2010, {sysconfig_network, false, redhat_clock, SEED_REDHAT, "sha512"}},
    {FAMILY_AMAZON, 0, {etc_hostname, false, redhat_clock, NULL, "sha512"}},
    {FAMILY_ARCH, 0, {etc_hostname, false, nothing, NULL, "yescrypt"}},
    {FAMILY_CIRROS, 0, {etc_hostname, false, nothing, "/etc/random-seed", "sha512"}},
    {FAMILY_DEBIAN, 11, {etc_hostname, true, etc_timezone, SEED_DEBIAN, "yescrypt"}},
    {FAMILY_DEBIAN, 5, {etc_hostname, true, etc_timezone, SEED_DEBIAN, "sha512"}},
    {FAMILY_DEBIAN, 0, {etc_hostname, true, etc_timezone, SEED_DEBIAN, "md5"}},
    {FAMILY_EULER, 0, {etc_hostname_and_pretty, false, nothing, SEED_REDHAT, "sha512"}},
    {FAMILY_FEDORA, 30, {etc_hostname_and_pretty, false, nothing, SEED_REDHAT, "yescrypt"}},
    {FAMILY_FEDORA, 18, {etc_hostname_and_pretty, false, nothing, SEED_REDHAT, "sha512"}},
    {FAMILY_FEDORA, 9, {sysconfig_network, false, redhat_clock, SEED_REDHAT, "sha512"}},
    {FAMILY_FEDORA, 0, {sysconfig_network, false, redhat_clock, SEED_REDHAT, "md5"}},
    {FAMILY_GENTOO, 0, {gentoo_hostname, false, etc_timezone, SEED_SUSE, "sha512"}},
    {FAMILY_REDHAT, 9, {etc_hostname_and_pretty, false, nothing, SEED_REDHAT, "yescrypt"}},
    {FAMILY_REDHAT, 7, {etc_hostname_and_pretty, false, nothing, SEED_REDHAT, "sha512"}},
    {FAMILY_REDHAT, 6, {sysconfig_network, false, redhat_clock, SEED_REDHAT, "sha512"}},
    {FAMILY_REDHAT, 0, {sysconfig_network, false, redhat_clock, SEED_REDHAT, "md5"}},
    {FAMILY_SLACKWARE, 0, {slackware_hostname, true, nothing, "/etc/random-seed", "sha512"}},
    /* Tumbleweed's version is a date; Leap went from 42 to 15. */
    {FAMILY_SUSE, 1000, {suse_hostname, false, suse_clock, SEED_SUSE, "yescrypt"}},
    {FAMILY_SUSE, 42, {suse_hostname, false, suse_clock, SEED_SUSE, "sha512"}},
    {FAMILY_SUSE, 15, {suse_hostname, false, suse_clock, SEED_SUSE, "yescrypt"}},
    {FAMILY_SUSE, 12, {suse_hostname, false, suse_clock, SEED_SUSE, "sha512"}},
    {FAMILY_SUSE, 11, {suse_old_hostname, false, suse_clock, SEED_SUSE, "sha512"}},
    {FAMILY_SUSE, 0, {suse_old_hostname, false, suse_clock, SEED_SUSE, "md5"}},
    {FAMILY_UBUNTU, 20, {etc_hostname, true, etc_timezone, SEED_DEBIAN, "yescrypt"}},
    {FAMILY_UBUNTU, 10, {etc_hostname, true, etc_timezone, SEED_DEBIAN, "sha512"}},
    {FAMILY_UBUNTU, 0, {etc_hostname, true, etc_timezone, SEED_DEBIAN, "md5"}},
    {FAMILY_VOID, 0, {etc_hostname, false, void_timezone, NULL, "sha512"}},
    {FAMILY_OTHER, 0, {NULL, false, nothing, NULL, "sha512"}},
};

static const struct distro_sysv debian_sysv = {"/etc/init.d", "/etc", "../init.d"};
static const struct distro_sysv redhat_sysv = {NULL, "/etc/rc.d", NULL};
static const struct distro_sysv suse_sysv = {"/etc/init.d", "/etc/init.d", ".."};

static const struct {
    enum family family;
    const struct distro_sysv *sysv;
} sysv_by_family[] = {
    {FAMILY_AMAZON, &redhat_sysv}, {FAMILY_DEBIAN, &debian_sysv}, {FAMILY_EULER, &redhat_sysv},
    {FAMILY_FEDORA, &redhat_sysv}, {FAMILY_REDHAT, &redhat_sysv}, {FAMILY_SUSE, &suse_sysv},
    {FAMILY_UBUNTU, &debian_sysv},
};

static bool same(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static enum family family_of(const struct guest_info *info)
{
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (same(info->distro, families[i].distro))
            return families[i].family;
    /* PCLinuxOS and ALT use apt for packages of rpm. */
    if (same(info->package_manager, "apt") && same(info->package_format, "rpm"))
        return FAMILY_OTHER;
    for (size_t i = 0; i < ARRAY_SIZE(families_by_packages); i++)
        if (same(info->package_manager, families_by_packages[i].package_manager))
            return families_by_packages[i].family;
    return FAMILY_OTHER;
}

static unsigned major_version(const struct guest_info *info)
{
    const char *digits = info->version ? info->version : "";
    unsigned major = 0;
    if (*digits < '0' || *digits > '9')
        return UINT_MAX;
    for (; *digits >= '0' && *digits <= '9'; digits++)
        if (major < UINT_MAX / 10 - 1)
            major = major * 10 + (unsigned)(*digits - '0');
    return major;
}

bool distro_is_listed(const struct guest_info *info)
{
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (same(info->distro, families[i].distro))
            return true;
    return false;
}

unsigned distro_major_version(const struct guest_info *info)
{
    /* The version numbers of a derivative are unrelated to its parent's. */
    return distro_is_listed(info) ? major_version(info) : UINT_MAX;
}

const struct distro_sysv *distro_sysv_of(const struct guest_info *info)
{
    enum family family = family_of(info);
    for (size_t i = 0; i < ARRAY_SIZE(sysv_by_family); i++)
        if (sysv_by_family[i].family == family)
            return sysv_by_family[i].sysv;
    return NULL;
}

bool distro_is_openwrt(struct guest *guest, const struct guest_info *info)
{
    return same(info->distro, "openwrt") ||
           (guest_exists(guest, "/sbin/uci") && guest_is_dir(guest, "/etc/config"));
}

bool distro_is_rolling(const struct guest_info *info)
{
    enum { first_date = 20000000 }; /* openSUSE Tumbleweed's versions are dates */
    return distro_major_version(info) >= first_date;
}

const struct distro_facts *distro_facts_of(const struct guest_info *info)
{
    enum family family = family_of(info);
    unsigned major = distro_major_version(info);
    size_t i = 0;
    while (rows[i].family != FAMILY_OTHER && (rows[i].family != family || rows[i].since > major))
        i++;
    return &rows[i].facts;
}

bool distro_leaves_out(const struct guest_info *info, struct reporter *reporter, const char *what)
{
    if (same(info->type, "linux"))
        return false;
    report(reporter, REPORT_WARNING, "%s only in a Linux guest; this one is of type %s%s", what,
           info->type ? info->type : "unknown",
           info->windows ? ": Windows can do it by itself when it first boots, see --firstboot"
                         : "");
    return true;
}

static int apply_setting(struct guest *guest, const struct distro_setting *setting,
                         const char *value, struct error **err)
{
    if (!setting->key) {
        _cleanup_free_ char *content = str_printf(err, "%s\n", value);
        if (!content)
            return -ENOMEM;
        return text_write(guest, setting->path, content, strlen(content), err);
    }
    _cleanup_text_ struct text old = {0};
    _cleanup_text_ struct text changed = {0};
    int r = text_read(guest, setting->path, &old, NULL, err);
    if (r == 0 && setting->only_if_set && !text_assigns(&old, setting->key))
        return 0;
    if (r == 0)
        r = text_assign(&old, setting->key, value, setting->quoted, &changed, err);
    return r < 0 ? r : text_write(guest, setting->path, changed.data, changed.size, err);
}

int distro_apply_settings(struct guest *guest, const struct distro_setting *settings,
                          const char *value, struct error **err)
{
    for (; settings->path; settings++) {
        if (settings->only_if_present && !guest_exists(guest, settings->path))
            continue;
        int r = apply_setting(guest, settings, value, err);
        if (r < 0)
            return r;
    }
    return 0;
}
