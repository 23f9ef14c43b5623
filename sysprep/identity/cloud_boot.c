#include "sysprep/identity/cloud_boot.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "guest/text/glob.h"
#include "guest/text/mention.h"
#include "guest/text/text.h"

/* util.read_conf_with_confd() of cloud-init: of several files the last by name counts. */
static const char *const config_files[] = {"/etc/cloud/cloud.cfg", "/etc/cloud/cloud.cfg.d/*.cfg"};

static const char command_lines[] = "/{etc/{default/{grub,grub.d/*.cfg},kernel/cmdline,cmdline.d/"
                                    "*},boot/{grub,grub2}/grub.cfg,boot/"
                                    "loader/entries/*.conf,proc/cmdline}";

static const char units[] =
    "/etc/systemd/system/"
    "cloud-{init,init-local,init-main,init-network,config,final}.{service,target}";

struct setting {
    char *file; /* where it was found; NULL: nowhere */
    bool value;
};

static void setting_free(struct setting *setting)
{
    free(setting->file);
}

/* Returns true where the text has the setting, and what it says. */
typedef bool setting_fn(const struct text *text, bool *ret);

static int find_setting(struct guest *guest, setting_fn *look, struct setting *ret,
                        struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(config_files); i++) {
        _cleanup_strv_ struct strv paths = {0};
        r = glob_expand(guest, config_files[i], &paths, err);
        for (size_t j = 0; r == 0 && j < paths.count; j++) {
            _cleanup_text_ struct text text = {0};
            if (guest_is_dir(guest, paths.items[j]))
                continue;
            r = text_read(guest, paths.items[j], &text, NULL, err);
            if (r == 0 && look(&text, &ret->value))
                r = str_replace(&ret->file, paths.items[j], err);
        }
    }
    return r;
}

/* One of a list, behind "- " or between brackets and commas. */
static bool next_item(const char **at, const char *end, const char **ret, size_t *length)
{
    static const char between[] = " \t\r\n,[]\"'-";
    while (*at < end && strchr(between, **at)) {
        if (**at == '\0')
            return false;
        ++*at;
    }
    *ret = *at;
    while (*at < end && !strchr(between, **at))
        ++*at;
    *length = (size_t)(*at - *ret);
    return *length > 0;
}

/* The part of a line that is no comment. */
static const char *without_comment(const struct line *line)
{
    for (size_t i = 0; i < line->length; i++)
        if (line->start[i] == '#' && (i == 0 || strchr(" \t", line->start[i - 1])))
            return line->start + i;
    return line->start + line->length;
}

static bool is_list_item(const struct line *line)
{
    size_t offset = 0, length;
    const char *word;
    return !line_next_word(line, &offset, &word, &length) || word[0] == '-' || word[0] == '#';
}

/* "datasource_list: [None]", or its items on lines of their own: DataSourceNone alone. */
static bool only_none(const struct text *text, bool *ret)
{
    static const char key[] = "datasource_list:";
    bool within = false, found = false, flow = false;
    size_t items = 0, others = 0;
    struct line line;
    for (size_t at = 0; text_next_line(text, &at, &line);) {
        const char *from = line.start, *end = without_comment(&line);
        if (line.length >= strlen(key) && memcmp(line.start, key, strlen(key)) == 0) {
            within = found = true;
            items = others = 0;
            from += strlen(key);
            flow = memchr(from, '[', (size_t)(end - from)) != NULL;
        } else if (!within || (!flow && !is_list_item(&line))) {
            within = false;
            continue;
        }
        const char *item;
        size_t length;
        for (const char *part = from; next_item(&part, end, &item, &length); items++)
            others += !line_is(item, length, "None");
        within = within && !(flow && memchr(from, ']', (size_t)(end - from)));
    }
    *ret = items > 0 && others == 0;
    return found;
}

/* "network: {config: disabled}", in this form or over two lines. */
static bool network_disabled(const struct text *text, bool *ret)
{
    static const char key[] = "config:", value[] = "disabled";
    struct line line;
    bool found = false;
    for (size_t at = 0; text_next_line(text, &at, &line);) {
        const char *end = without_comment(&line);
        const char *config = memmem(line.start, (size_t)(end - line.start), key, strlen(key));
        if (!config)
            continue;
        config += strlen(key);
        while (config < end && strchr(" \t\"'", *config) && *config)
            config++;
        found = found || ((size_t)(end - config) >= strlen(value) &&
                          memcmp(config, value, strlen(value)) == 0);
    }
    *ret = found;
    return found;
}

/* A unit that is masked. */
static int find_masked(struct guest *guest, char **ret, struct error **err)
{
    _cleanup_strv_ struct strv paths = {0};
    int r = glob_expand(guest, units, &paths, err);
    for (size_t i = 0; r == 0 && !*ret && i < paths.count; i++) {
        _cleanup_free_ char *target = NULL;
        if (guest_readlink(guest, paths.items[i], &target, NULL) == 0 &&
            strcmp(target, "/dev/null") == 0)
            r = str_replace(ret, paths.items[i], err);
    }
    return r;
}

/* ds-identify, systemd's generator of cloud-init and its units look at these. */
static int find_stop(struct guest *guest, char **ret, struct error **err)
{
    static const char mark[] = "/etc/cloud/cloud-init.disabled";
    static const char policy[] = "/etc/cloud/ds-identify.cfg";
    bool found = false;
    if (guest_exists(guest, mark))
        return str_replace(ret, mark, err);
    int r = find_masked(guest, ret, err);
    if (r < 0 || *ret)
        return r;
    r = files_mention(guest, policy, "disabled", &found, err);
    if (r == 0 && found)
        return str_replace(ret, policy, err);
    if (r == 0)
        r = files_mention(guest, command_lines, "cloud-init=disabled", &found, err);
    return r < 0 || !found
               ? r
               : str_replace(ret, "cloud-init=disabled on the kernel's command line", err);
}

int cloud_boot_check(struct guest *guest, enum cloud_stop *ret, char **ret_why, struct error **err)
{
    _cleanup_free_ char *stop = NULL;
    _cleanup_(setting_free) struct setting source = {0};
    _cleanup_(setting_free) struct setting network = {0};
    int r = find_stop(guest, &stop, err);
    if (r == 0)
        r = find_setting(guest, only_none, &source, err);
    if (r == 0)
        r = find_setting(guest, network_disabled, &network, err);
    if (r < 0)
        return r;
    *ret_why = NULL;
    *ret = CLOUD_RUNS;
    if (stop) {
        *ret = CLOUD_STOPPED;
        *ret_why = TAKE_PTR(stop);
        return 0;
    }
    if (source.file && source.value) {
        *ret = CLOUD_WITHOUT_SOURCE;
        *ret_why = str_printf(err, "datasource_list is [None] in %s", source.file);
    } else if (network.file) {
        *ret = CLOUD_WITHOUT_NETWORK;
        *ret_why = str_printf(err, "its network is disabled in %s", network.file);
    }
    return *ret != CLOUD_RUNS && !*ret_why ? -ENOMEM : 0;
}
