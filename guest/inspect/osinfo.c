#include "guest/inspect/osinfo.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* How the version follows the name. */
enum shape { SHAPE_NONE, SHAPE_MAJOR, SHAPE_MAJOR_ZERO, SHAPE_BOTH, SHAPE_TWO_DIGITS, SHAPE_SP };

/* The first row of a distribution whose version is not above the guest's counts. */
static const struct {
    const char *distro;
    unsigned since;
    enum shape shape;
} shapes[] = {
    {"almalinux", 8, SHAPE_MAJOR},   {"archlinux", 0, SHAPE_NONE}, {"centos", 8, SHAPE_MAJOR},
    {"centos", 7, SHAPE_MAJOR_ZERO}, {"circle", 8, SHAPE_MAJOR},   {"debian", 4, SHAPE_MAJOR},
    {"fedora", 0, SHAPE_MAJOR},      {"gentoo", 0, SHAPE_NONE},    {"mageia", 0, SHAPE_MAJOR},
    {"rocky", 8, SHAPE_MAJOR},       {"sles", 0, SHAPE_SP},        {"ubuntu", 0, SHAPE_TWO_DIGITS},
    {"voidlinux", 0, SHAPE_NONE},
};

static char *linux_id(const char *distro, unsigned major, unsigned minor, struct error **err)
{
    enum shape shape = SHAPE_BOTH;
    if (strcmp(distro, "altlinux") == 0 && major >= 8)
        return str_printf(err, "alt%u.%u", major, minor);
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
        if (strcmp(shapes[i].distro, distro) == 0 && major >= shapes[i].since) {
            shape = shapes[i].shape;
            break;
        }
    switch (shape) {
    case SHAPE_NONE:
        return str_printf(err, "%s", distro);
    case SHAPE_MAJOR:
        return str_printf(err, "%s%u", distro, major);
    case SHAPE_MAJOR_ZERO:
        return str_printf(err, "%s%u.0", distro, major);
    case SHAPE_TWO_DIGITS:
        return str_printf(err, "%s%u.%02u", distro, major, minor);
    case SHAPE_SP:
        return minor ? str_printf(err, "%s%usp%u", distro, major, minor)
                     : str_printf(err, "%s%u", distro, major);
    case SHAPE_BOTH:
        break;
    }
    if (strcmp(distro, "unknown") == 0 || (major == 0 && minor == 0))
        return str_printf(err, "unknown");
    return str_printf(err, "%s%u.%u", distro, major, minor);
}

/* Servers and clients of one version of NT have different names. */
static const char *windows_id(const struct guest_info *info)
{
    static const struct {
        unsigned major, minor;
        const char *server, *client;
    } names[] = {
        {5, 0, "win2k", "win2k"},   {5, 1, "winxp", "winxp"},  {6, 0, "win2k8", "winvista"},
        {6, 1, "win2k8r2", "win7"}, {6, 2, "win2k12", "win8"}, {6, 3, "win2k12r2", "win8.1"},
    };
    const struct guest_windows *windows = info->windows;
    const char *product = info->product_name;
    bool server = windows->variant && strstr(windows->variant, "Server");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].major == windows->major && names[i].minor == windows->minor)
            return server ? names[i].server : names[i].client;
    if (windows->major == 5 && windows->minor == 2)
        return strstr(product, "XP") ? "winxp" : strstr(product, "R2") ? "win2k3r2" : "win2k3";
    if (windows->major != 10 || windows->minor != 0)
        return "unknown";
    if (!server)
        return windows->build >= 22000 ? "win11" : "win10";
    return strstr(product, "2025")   ? "win2k25"
           : strstr(product, "2022") ? "win2k22"
           : strstr(product, "2019") ? "win2k19"
                                     : "win2k16";
}

char *guest_osinfo_id(const struct guest_info *info, struct error **err)
{
    unsigned major = 0, minor = 0;
    if (info->windows)
        return str_printf(err, "%s", windows_id(info));
    sscanf(info->version, "%6u.%6u", &major, &minor);
    if (strcmp(info->type, "linux") != 0)
        return str_printf(err, "%s%u.%u", info->distro, major, minor);
    return linux_id(info->distro, major, minor, err);
}
