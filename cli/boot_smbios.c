#include "cli/boot_smbios.h"

#include <errno.h>
#include <string.h>

#include "cli/options.h"

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

static int parse_part(const char *type, const char *part, struct boot_smbios *ret,
                      struct error **err)
{
    const char *value = strchr(part, '=');
    value = value ? value + 1 : "";
    if (strcmp(type, "type=1") == 0 && str_starts(part, "serial="))
        return str_replace(&ret->serial, value, err);
    if (strcmp(type, "type=11") != 0 || !str_starts(part, "value="))
        return cli_usage(err,
                         "--smbios: '%s' of %s is not known; these are: type=1,serial=TEXT and "
                         "type=11,value=TEXT",
                         part, type);
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
    if (r < 0)
        return r;
    const struct vm_identity identity = boot_smbios_identity(ret);
    struct error *cause = NULL;
    r = vm_identity_check(&identity, &cause);
    if (r < 0)
        cli_usage(err, "--smbios: %s", error_message(cause));
    error_free(cause);
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
