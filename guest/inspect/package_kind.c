#include "guest/inspect/package_kind.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "guest/inspect/inspect.h"

/* The first row of a distribution whose version is not above the guest's counts. */
static const struct {
    const char *distro;
    unsigned since;
    const char *format, *manager;
} rows[] = {
    {"almalinux", 0, "rpm", "dnf"},
    {"alpinelinux", 0, "apk", "apk"},
    {"altlinux", 0, "rpm", "apt"},
    {"amzn", 2022, "rpm", "dnf"},
    {"amzn", 0, "rpm", "yum"},
    {"archlinux", 0, "pacman", "pacman"},
    {"centos", 8, "rpm", "dnf"},
    {"centos", 5, "rpm", "yum"},
    {"centos", 1, "rpm", "up2date"},
    {"debian", 0, "deb", "apt"},
    {"fedora", 22, "rpm", "dnf"},
    {"fedora", 0, "rpm", "yum"},
    {"gentoo", 0, "ebuild", "portage"},
    {"kalilinux", 0, "deb", "apt"},
    {"linuxmint", 0, "deb", "apt"},
    {"mageia", 0, "rpm", "urpmi"},
    {"mandriva", 0, "rpm", "urpmi"},
    {"manjaro", 0, "pacman", "pacman"},
    {"meego", 0, "rpm", "yum"},
    {"neokylin", 0, "rpm", "dnf"},
    {"openeuler", 0, "rpm", "dnf"},
    {"opensuse", 0, "rpm", "zypper"},
    {"oraclelinux", 8, "rpm", "dnf"},
    {"oraclelinux", 5, "rpm", "yum"},
    {"oraclelinux", 1, "rpm", "up2date"},
    {"pardus", 0, "pisi", "pisi"},
    {"redhat-based", 8, "rpm", "dnf"},
    {"redhat-based", 5, "rpm", "yum"},
    {"rhel", 8, "rpm", "dnf"},
    {"rhel", 5, "rpm", "yum"},
    {"rhel", 1, "rpm", "up2date"},
    {"rhl", 0, "rpm", "up2date"},
    {"rocky", 0, "rpm", "dnf"},
    {"scientificlinux", 5, "rpm", "yum"},
    {"scientificlinux", 1, "rpm", "up2date"},
    {"sles", 0, "rpm", "zypper"},
    {"suse-based", 0, "rpm", "zypper"},
    {"ubuntu", 0, "deb", "apt"},
    {"voidlinux", 0, "xbps", "xbps"},
};

static size_t find(const struct guest_info *info)
{
    unsigned long major = strtoul(info->version ? info->version : "", NULL, 10);
    size_t i = 0;
    while (i < ARRAY_SIZE(rows) &&
           (strcmp(rows[i].distro, info->distro) != 0 || rows[i].since > major))
        i++;
    return i;
}

const char *package_format_of(const struct guest_info *info)
{
    size_t row = find(info);
    return row < ARRAY_SIZE(rows) ? rows[row].format : NULL;
}

const char *package_manager_of(const struct guest_info *info)
{
    size_t row = find(info);
    return row < ARRAY_SIZE(rows) ? rows[row].manager : NULL;
}
