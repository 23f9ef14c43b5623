#include "cli/boot_smbios.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "cli/options.h"

enum { strings_max = 255 };

/* Takes "KEY=TEXT" up to a single comma. Returns what follows, NULL: out of memory. */
static const char *take_part(const char *text, struct str *part)
{
    for (; *text && (*text != ',' || text[1] == ','); text++) {
        str_append_n(part, text, 1);
        text += *text == ',';
    }
    str_append_n(part, "", 0);
    return part->failed ? NULL : text + (*text == ',');
}

static int check_text(const char *text, struct error **err)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return cli_usage(err, "--smbios: a text cannot hold control characters");
    return 0;
}

static int parse_part(const char *type, const char *part, struct boot_smbios *ret,
                      struct error **err)
{
    const char *value = strchr(part, '=');
    value = value ? value + 1 : "";
    int r = check_text(value, err);
    if (r < 0)
        return r;
    if (strcmp(type, "type=1") == 0 && str_starts(part, "serial="))
        return str_replace(&ret->serial, value, err);
    if (strcmp(type, "type=11") != 0 || !str_starts(part, "value="))
        return cli_usage(err,
                         "--smbios: '%s' of %s is not known; these are: type=1,serial=TEXT and "
                         "type=11,value=TEXT",
                         part, type);
    if (ret->strings.count == strings_max)
        return cli_usage(err, "--smbios: a machine has at most %d texts", strings_max);
    return strv_add(&ret->strings, value, err);
}

static int parse_item(const char *item, struct boot_smbios *ret, struct error **err)
{
    _cleanup_str_ struct str type = {0};
    const char *rest = take_part(item, &type);
    if (rest && !*rest)
        return cli_usage(err, "--smbios: '%s' is not type=N,KEY=TEXT", item);
    while (rest && *rest) {
        _cleanup_str_ struct str part = {0};
        rest = take_part(rest, &part);
        int r = rest ? parse_part(type.data, part.data, ret, err) : 0;
        if (r < 0)
            return r;
    }
    return rest ? 0 : error_oom(err);
}

int boot_smbios_parse(const struct strv *items, struct boot_smbios *ret, struct error **err)
{
    int r = 0;
    for (size_t i = 0; i < items->count && r == 0; i++)
        r = parse_item(items->items[i], ret, err);
    return r;
}

struct vm_identity boot_smbios_identity(const struct boot_smbios *smbios)
{
    return (struct vm_identity){
        .serial = smbios->serial,
        .strings = (const char *const *)smbios->strings.items,
        .string_count = smbios->strings.count,
    };
}

void boot_smbios_free(struct boot_smbios *smbios)
{
    free(smbios->serial);
    strv_free(&smbios->strings);
    *smbios = (struct boot_smbios){0};
}
