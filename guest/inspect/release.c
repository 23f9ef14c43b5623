/* The files, their order and the names are those of libguestfs's inspection (1.48,
 * daemon/inspect_fs_unix.ml), and a few that it does not know. */
#include "guest/inspect/release.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "guest/inspect/guest_text.h"

static int set(char **slot, const char *text, struct error **err)
{
    _cleanup_free_ char *shown = str_printable(text);
    return shown ? str_replace(slot, shown, err) : error_oom(err);
}

/* "6.10" of "CentOS release 6.10 (Final)", "4.8" of "... AS release 4 (Nahant Update 8)". */
static int set_version(struct os_release *release, const char *line, struct error **err)
{
    const char *word = strstr(line, "release ");
    const char *start = word ? word + strlen("release ") : line;
    start += strcspn(start, "0123456789");
    int length = (int)strspn(start, "0123456789.");
    const char *update = strstr(start, "Update ");
    int update_length = update ? (int)strspn(update + strlen("Update "), "0123456789") : 0;
    while (length > 0 && start[length - 1] == '.')
        length--;
    if (length == 0)
        return 0;
    _cleanup_free_ char *number =
        str_printf(err, "%.*s%s%.*s", length, start, update_length ? "." : "", update_length,
                   update_length ? update + strlen("Update ") : "");
    return number ? set(&release->version_id, number, err) : -ENOMEM;
}

static const char *first_line(char *text)
{
    text[strcspn(text, "\n")] = '\0';
    return str_strip(text);
}

/* SuSE-release has "VERSION = 11" and "PATCHLEVEL = 4" below its first line. */
static int read_suse(char *text, struct os_release *ret, struct error **err)
{
    static const char *const enterprise[] = {"SUSE Linux Enterprise ", "SUSE LINUX Enterprise ",
                                             "Novell Linux Desktop "};
    static const char *const open[] = {"openSUSE ", "SuSE Linux ", "SUSE LINUX "};
    const char *version = strstr(text, "\nVERSION"), *level = strstr(text, "\nPATCHLEVEL");
    const char *id = "suse-based";
    unsigned major = 0, minor = 0;
    int numbers = version ? sscanf(version, "\nVERSION = %3u.%3u", &major, &minor) : 0;
    const char *line = first_line(text);
    for (size_t i = 0; i < ARRAY_SIZE(open); i++)
        if (str_starts(line, open[i]))
            id = "opensuse";
    for (size_t i = 0; i < ARRAY_SIZE(enterprise); i++)
        if (str_starts(line, enterprise[i]))
            id = "sles";
    if (level && strcmp(id, "sles") == 0 && sscanf(level, "\nPATCHLEVEL = %3u", &minor) == 1)
        numbers = minor > 0 ? 2 : numbers;
    int r = set(&ret->id, id, err);
    if (r == 0)
        r = set(&ret->pretty_name, line, err);
    if (r < 0 || numbers < 1)
        return r;
    ret->version_id =
        numbers > 1 ? str_printf(err, "%u.%u", major, minor) : str_printf(err, "%u", major);
    return ret->version_id ? 0 : -ENOMEM;
}

/* lsb-release. */

static int take_lsb(void *context, const char *name, const char *value, struct error **err)
{
    struct os_release *release = context;
    if (*value == '\0')
        return 0;
    if (strcmp(name, "DISTRIB_ID") == 0)
        return set(&release->id, value, err);
    if (strcmp(name, "DISTRIB_RELEASE") == 0)
        return isdigit((unsigned char)*value) ? set(&release->version_id, value, err) : 0;
    if (strcmp(name, "DISTRIB_CODENAME") == 0)
        return set(&release->version_codename, value, err);
    return strcmp(name, "DISTRIB_DESCRIPTION") == 0 ? set(&release->pretty_name, value, err) : 0;
}

/* Its ID is a name for people: "ManjaroLinux". One without an ID says nothing. */
static int read_lsb(const char *text, struct os_release *ret, struct error **err)
{
    static const char *const names[][2] = {
        {"MandrivaLinux", "mandriva"}, {"OpenMandrivaLinux", "openmandriva"},
        {"ManjaroLinux", "manjaro"},   {"LinuxMint", "linuxmint"},
        {"SUSE LINUX", "opensuse"},    {"openSUSE project", "opensuse"},
    };
    _cleanup_os_release_ struct os_release release = {0};
    int r = assignments_read(text, take_lsb, &release, err);
    if (r < 0 || !release.id)
        return r;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++)
        if (strcmp(release.id, names[i][0]) == 0)
            r = str_replace(&release.id, names[i][1], err);
    *ret = release;
    release = (struct os_release){0};
    return r;
}

/* One line that says all, or little. */

struct line_file {
    const char *path;
    const char *contains; /* the line is that of another distribution without it; NULL: any */
    const char *id;
    const char *product; /* where the line is no name by itself: goes before it; NULL */
};

static const struct line_file line_files[] = {
    {"/etc/oracle-release", NULL, "oraclelinux", NULL},
    {"/etc/enterprise-release", "Enterprise Linux", "oraclelinux", NULL},
    {"/etc/centos-release", "CentOS", "centos", NULL},
    {"/etc/rocky-release", NULL, "rocky", NULL},
    {"/etc/almalinux-release", NULL, "almalinux", NULL},
    {"/etc/altlinux-release", NULL, "altlinux", NULL},
    {"/etc/mageia-release", "Mageia", "mageia", NULL},
    {"/etc/mandriva-release", NULL, "mandriva", NULL},
    {"/etc/redhat-release", "Fedora", "fedora", NULL},
    {"/etc/redhat-release", "Red Hat Linux", "rhl", NULL},
    {"/etc/redhat-release", "Red Hat", "rhel", NULL},
    {"/etc/redhat-release", "CentOS", "centos", NULL},
    {"/etc/redhat-release", "Scientific Linux", "scientificlinux", NULL},
    {"/etc/redhat-release", NULL, "redhat-based", NULL},
    {"/etc/debian_version", NULL, "debian", "Debian GNU/Linux "},
    {"/etc/pardus-release", NULL, "pardus", NULL},
    {"/etc/arch-release", NULL, "archlinux", "Arch Linux"},
    {"/etc/gentoo-release", NULL, "gentoo", NULL},
    {"/etc/meego-release", NULL, "meego", NULL},
    {"/etc/slackware-version", NULL, "slackware", NULL},
    {"/etc/ttylinux-target", NULL, "ttylinux", NULL},
    {"/etc/cirros/version", NULL, "cirros", "CirrOS "},
    {"/etc/br-version", NULL, "buildroot", "Buildroot "},
    {"/etc/alpine-release", NULL, "alpinelinux", "Alpine Linux v"},
    {"/etc/frugalware-release", "Frugalware", "frugalware", NULL},
    {"/etc/pld-release", "PLD Linux", "pldlinux", NULL},
    {"/etc/openwrt_version", NULL, "openwrt", "OpenWrt "},
};

static int read_line(const struct line_file *file, char *text, struct os_release *ret,
                     struct error **err)
{
    const char *line = first_line(text);
    _cleanup_free_ char *product =
        str_printf(err, "%s%s", file->product ? file->product : "", line);
    int r = product ? set(&ret->id, file->id, err) : -ENOMEM;
    if (r == 0 && *str_strip(product))
        r = set(&ret->pretty_name, str_strip(product), err);
    return r < 0 ? r : set_version(ret, line, err);
}

static int read_line_files(struct guest *guest, struct os_release *ret, struct error **err)
{
    for (size_t i = 0; i < ARRAY_SIZE(line_files); i++) {
        const struct line_file *file = &line_files[i];
        _cleanup_free_ char *text = NULL;
        int r = guest_text(guest, file->path, &text, err);
        if (r < 0)
            return r;
        if (!text || (file->contains && !strstr(text, file->contains)))
            continue;
        r = read_line(file, text, ret, err);
        if (r == 0 && strcmp(file->id, "buildroot") == 0 &&
            guest_exists(guest, "/usr/share/cirros/logo"))
            r = str_replace(&ret->id, "cirros", err);
        return r;
    }
    return 0;
}

/* Releases of before there was an os-release. SuSE-release is older than lsb-release on SUSE, where
 * the latter has no ID. */
static int read_old(struct guest *guest, struct os_release *ret, struct error **err)
{
    static const char *const lsb[] = {"/etc/lsb-release", "/etc/openwrt_release"};
    for (size_t i = 0; i < ARRAY_SIZE(lsb); i++) {
        _cleanup_free_ char *text = NULL;
        int r = guest_text(guest, lsb[i], &text, err);
        if (r == 0 && text)
            r = read_lsb(text, ret, err);
        if (r < 0 || ret->id)
            return r;
    }
    _cleanup_free_ char *text = NULL;
    int r = guest_text(guest, "/etc/SuSE-release", &text, err);
    if (r < 0)
        return r;
    return text ? read_suse(text, ret, err) : read_line_files(guest, ret, err);
}

/* The BSDs. Their version is in what greets who logs in, which people edit. */

static int take_userland(void *context, const char *name, const char *value, struct error **err)
{
    return strcmp(name, "USERLAND_VERSION") == 0 ? set_version(context, value, err) : 0;
}

static int read_bsd(struct guest *guest, const char *id, struct os_release *ret, struct error **err)
{
    static const char *const files[] = {"/etc/release", "/etc/motd.template", "/etc/motd"};
    _cleanup_free_ char *script = NULL;
    int r = set(&ret->id, id, err);
    for (size_t i = 0; r == 0 && !ret->pretty_name && i < ARRAY_SIZE(files); i++) {
        _cleanup_free_ char *text = NULL;
        r = guest_text(guest, files[i], &text, err);
        const char *line = r == 0 && text ? first_line(text) : "";
        if (strstr(line, "BSD"))
            r = set(&ret->pretty_name, line, err);
        if (r == 0 && ret->pretty_name)
            r = set_version(ret, line, err);
    }
    if (r == 0)
        r = guest_text(guest, "/bin/freebsd-version", &script, err);
    if (r == 0 && script)
        r = assignments_read(script, take_userland, ret, err);
    return r < 0 || ret->pretty_name ? r : set(&ret->pretty_name, id, err);
}

static bool is_file(struct guest *guest, const char *path)
{
    return guest_exists(guest, path) && !guest_is_dir(guest, path);
}

static const char *type_of(struct guest *guest)
{
    if (is_file(guest, "/etc/freebsd-update.conf"))
        return "freebsd";
    if (is_file(guest, "/netbsd") && is_file(guest, "/etc/release"))
        return "netbsd";
    return is_file(guest, "/bsd") && is_file(guest, "/etc/motd") ? "openbsd" : "linux";
}

int release_read(struct guest *guest, struct os_release *ret, const char **ret_type,
                 struct error **err)
{
    static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};
    const char *type = type_of(guest);
    *ret_type = type;
    if (strcmp(type, "linux") != 0)
        return read_bsd(guest, type, ret, err);
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        _cleanup_free_ char *text = NULL;
        int r = guest_text(guest, paths[i], &text, err);
        if (r < 0)
            return r;
        if (text)
            r = os_release_parse(text, ret, err);
        if (r < 0 || (text && ret->id))
            return r;
    }
    os_release_free(ret);
    return read_old(guest, ret, err);
}
