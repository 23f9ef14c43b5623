#include "guest/text/hostname.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "guest/text/mention.h"
#include "guest/text/text.h"
#include "guest/text/uci.h"

static const char openwrt_config[] = "/etc/config/system";

/* Scripts of the first boot; one that succeeds is removed. */
static const char openwrt_first_boot[] = "/etc/uci-defaults/zz-hostname";

static const struct distro_setting etc_hostname = {.path = "/etc/hostname"};

/* openrc's init.d/hostname: /etc/hostname where that is not empty, else hostname= of its own
 * configuration; before 0.18 only the latter. */
static const struct distro_setting openrc_setting = {
    .path = "/etc/conf.d/hostname", .key = "hostname", .quoted = true, .only_if_present = true};

/* What boot scripts read, and the words by which they show it. */
static const struct {
    struct distro_setting setting;
    const char *word;
} readable[] = {
    {{.path = "/etc/hostname"}, "/etc/hostname"},
    {{.path = "/etc/HOSTNAME"}, "/etc/HOSTNAME"},                                 /* Slackware */
    {{.path = "/etc/sysconfig/network", .key = "HOSTNAME"}, "sysconfig/network"}, /* PLD, ALT */
    {{.path = "/etc/rc.conf", .key = "HOSTNAME"}, "/etc/rc.conf"},                /* CRUX */
};

static const char boot_scripts[] =
    "/{etc/{inittab,rc,rc.local,rc.sysinit,rc.single,rc.multi,init.d/*,rc.d/*,rc.d/init.d/*,runit/"
    "*,runit/core-services/*,dinit.d/*},usr/lib/{dinit.d/early/scripts,init/rc}/*}";

/* Systems that make the file anew from somewhere else. */
static const struct {
    const char *distro;
    const char *remedy;
} elsewhere[] = {
    {"bottlerocket", "give it as settings.network.hostname in the user data"},
    {"guixsd", "set host-name in the declaration of the operating system"},
    {"guix", "set host-name in the declaration of the operating system"},
    {"ipfire", "set it in the web interface, or HOSTNAME in /var/ipfire/main/settings"},
    {"nixos", "set networking.hostName in /etc/nixos/configuration.nix"},
    {"tinycore", "set it in /opt/bootsync.sh, and save that with filetool.sh"},
    {"vyos", "set 'system host-name' in /config/config.boot"},
};

static bool is(const char *text, const char *wanted)
{
    return text && strcmp(text, wanted) == 0;
}

static int check_elsewhere(const struct guest_info *info, struct error **err)
{
    for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
        if (is(info->distro, elsewhere[i].distro)) {
            error_set(err, EOPNOTSUPP, "the host name of %s is made from its configuration",
                      info->distro);
            return error_hint(err, "%s", elsewhere[i].remedy);
        }
    return 0;
}

static void add(struct hostname_place *place, const struct distro_setting *setting)
{
    size_t count = 0;
    while (place->settings[count].path)
        count++;
    if (count < hostname_settings_max - 1)
        place->settings[count] = *setting;
}

static bool holds_text(struct guest *guest, const char *path)
{
    struct guest_stat st;
    return guest_stat(guest, path, true, &st, NULL) == 0 && st.size > 0;
}

/* What the guest's own boot scripts read, else a file that holds a name. */
static int search(struct guest *guest, struct hostname_place *place, struct error **err)
{
    for (size_t i = 0; i < ARRAY_SIZE(readable); i++) {
        struct distro_setting setting = readable[i].setting;
        bool read = false;
        int r = files_mention(guest, boot_scripts, readable[i].word, &read, err);
        if (r < 0)
            return r;
        if (!read || (is(setting.path, "/etc/rc.conf") && !guest_exists(guest, setting.path)))
            continue;
        setting.only_if_present = place->settings[0].path != NULL;
        add(place, &setting);
    }
    for (size_t i = 0; i < ARRAY_SIZE(readable) && !place->settings[0].path; i++)
        if (!readable[i].setting.key && holds_text(guest, readable[i].setting.path))
            add(place, &readable[i].setting);
    if (place->settings[0].path)
        return 0;
    error_set(
        err, EOPNOTSUPP,
        "it is not known where this guest keeps its host name: there is no systemd, OpenRC or "
        "/etc/config/system, no /etc/hostname or /etc/HOSTNAME, and no boot script reads "
        "either, /etc/sysconfig/network or /etc/rc.conf");
    return error_hint(err, "write the right file with --write or --edit");
}

/* The files of a listed distribution are those of its own init; derivatives of Debian and Alpine
 * keep their scripts as well. */
static bool known_by_distro(const struct guest_info *info)
{
    const struct distro_facts *facts = distro_facts_of(info);
    if (!facts->hostname)
        return false;
    if (is(info->init, "systemd") || facts->hosts_name_hostname || distro_sysv_of(info))
        return is(info->init, "systemd") || facts->hosts_name_hostname || distro_is_listed(info);
    return distro_is_listed(info) && !is(info->init, "sysvinit");
}

int hostname_find(struct guest *guest, const struct guest_info *info, struct hostname_place *ret,
                  struct error **err)
{
    struct hostname_place place = {0};
    const struct distro_facts *facts = distro_facts_of(info);
    int r = check_elsewhere(info, err);
    if (r < 0)
        return r;
    place.in_hosts = facts->hosts_name_hostname;
    if (distro_is_openwrt(guest, info)) {
        place.openwrt = true;
    } else if (is(info->init, "openrc")) {
        add(&place, &etc_hostname);
        add(&place, &openrc_setting);
    } else if (known_by_distro(info)) {
        for (const struct distro_setting *setting = facts->hostname; setting->path; setting++)
            add(&place, setting);
    } else if (is(info->init, "systemd")) {
        add(&place, &etc_hostname);
    } else {
        r = search(guest, &place, err);
    }
    if (r == 0)
        *ret = place;
    return r;
}

/* KEY=value or KEY="value" of a line, or the first word of one that is no comment. */
static bool name_in_line(const struct line *line, const char *key, const char **ret, size_t *length)
{
    size_t offset = 0;
    if (!line_next_word(line, &offset, ret, length) || **ret == '#')
        return false;
    if (!key)
        return true;
    size_t size = strlen(key);
    if (*length <= size || memcmp(*ret, key, size) != 0 || (*ret)[size] != '=')
        return false;
    *ret += size + 1;
    *length -= size + 1;
    if (*length >= 2 && (**ret == '"' || **ret == '\'') && (*ret)[*length - 1] == **ret) {
        ++*ret;
        *length -= 2;
    }
    return true;
}

int hostname_read(struct guest *guest, const struct hostname_place *place, char **ret,
                  struct error **err)
{
    _cleanup_free_ char *name = strdup("");
    for (const struct distro_setting *setting = place->settings; name && setting->path; setting++) {
        _cleanup_text_ struct text text = {0};
        struct line line;
        const char *word;
        size_t length;
        int r = text_read(guest, setting->path, &text, NULL, err);
        if (r < 0)
            return r;
        for (size_t at = 0; name && !*name && text_next_line(&text, &at, &line);)
            if (name_in_line(&line, setting->key, &word, &length)) {
                free(name);
                name = strndup(word, length);
            }
        if (name && *name)
            break;
    }
    *ret = TAKE_PTR(name);
    return *ret ? 0 : error_oom(err);
}

/* config_generate writes the configuration at the first boot where there is none. */
static int write_openwrt(struct guest *guest, const char *name, struct error **err)
{
    _cleanup_text_ struct text old = {0};
    _cleanup_text_ struct text changed = {0};
    bool found = false;
    int r = text_read(guest, openwrt_config, &old, NULL, err);
    if (r == 0 && old.size > 0) {
        r = uci_assign(&old, "system", "hostname", name, &changed, &found, err);
        if (r < 0)
            return error_wrap(err, "%s in the guest", openwrt_config);
    }
    if (r < 0)
        return r;
    if (found)
        return text_write(guest, openwrt_config, changed.data, changed.size, err);
    _cleanup_free_ char *content =
        old.size > 0
            ? str_printf(err, "%s\nconfig system\n\toption hostname '%s'\n", old.data, name)
            : str_printf(err, "uci set system.@system[0].hostname='%s' && uci commit system\n",
                         name);
    if (!content)
        return -ENOMEM;
    if (old.size > 0)
        return text_write(guest, openwrt_config, content, strlen(content), err);
    r = guest_mkdir_p(guest, "/etc/uci-defaults", 0755, err);
    return r < 0 ? r : text_write(guest, openwrt_first_boot, content, strlen(content), err);
}

int hostname_write(struct guest *guest, const struct hostname_place *place, const char *name,
                   struct error **err)
{
    if (place->openwrt)
        return write_openwrt(guest, name, err);
    return distro_apply_settings(guest, place->settings, name, err);
}
