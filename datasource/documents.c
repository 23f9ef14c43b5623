/* Forms of documents that cloud-init reads, and mistakes that it would ignore without a message. */

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "datasource/nocloud.h"
#include "datasource/yaml.h"

/* How a form of user-data is recognised, in the order in which they are tried: by what the text
 * begins with, in any case. `yaml` is the kind of YAML that must follow, YAML_NOTHING: it is not
 * YAML. */
static const struct form {
    const char *prefix;
    enum yaml_kind yaml;
} forms[] = {
    {"#cloud-config-archive", YAML_SEQUENCE},
    {"#cloud-config-jsonp", YAML_NOTHING},
    {"#cloud-config", YAML_MAPPING},
    {"#!", YAML_NOTHING},
    {"#include", YAML_NOTHING},
    {"#part-handler", YAML_NOTHING},
    {"#cloud-boothook", YAML_NOTHING},
    {"## template: jinja", YAML_NOTHING}, /* YAML only after the guest has filled it in */
    {"#ps1", YAML_NOTHING},               /* cloudbase-init's PowerShell */
    {"rem cmd", YAML_NOTHING},            /* and its batch files */
};

static const struct form *find_form(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        if (strncasecmp(text, forms[i].prefix, strlen(forms[i].prefix)) == 0)
            return &forms[i];
    return NULL;
}

bool nocloud_is_gzip(const struct nocloud_document *document)
{
    return document->size >= 2 && memcmp(document->data, "\x1f\x8b", 2) == 0;
}

/* cloud-init looks for this header in as many bytes. */
bool nocloud_is_mime(const struct nocloud_document *document)
{
    static const char header[] = "mime-version:";
    size_t length = sizeof(header) - 1, end = document->size < 4096 ? document->size : 4096;
    for (size_t i = 0; i + length <= end; i++)
        if (strncasecmp(document->data + i, header, length) == 0)
            return true;
    return false;
}

/* "# cloud-config", "#cloud_config:", "cloud-config": common misspellings. */
static bool resembles_cloud_config(const char *line)
{
    char letters[sizeof("cloudconfig")] = "";
    size_t count = 0;
    for (; *line && *line != '\n' && count + 1 < sizeof(letters); line++)
        if (isalpha((unsigned char)*line))
            letters[count++] = (char)tolower((unsigned char)*line);
    return strcmp(letters, "cloudconfig") == 0;
}

/* Reports why the text is of no known form. */
static int unknown_form(const char *text, const char *name, struct error **err)
{
    const char *start = text + strspn(text, " \t\r\n");
    if (str_starts(text, "\xef\xbb\xbf")) {
        int r = error_set(err, EINVAL,
                          "%s:1:1: begins with a byte order mark, and cloud-init would ignore "
                          "the whole file",
                          name);
        error_hint(err, "save it as UTF-8 without BOM: sed -i '1s/^\\xEF\\xBB\\xBF//' %s", name);
        return r;
    }
    if (start > text && find_form(start)) {
        int r = error_set(err, EINVAL, "%s:1:1: '%s' must be the very start of the file", name,
                          find_form(start)->prefix);
        error_hint(err, "remove the blank lines and spaces before it");
        return r;
    }
    if (resembles_cloud_config(start)) {
        int r = error_set(err, EINVAL,
                          "%s:1:1: begins with '%.*s', and cloud-init would ignore the whole "
                          "file",
                          name, (int)strcspn(start, "\r\n"), start);
        error_hint(err, "make the first line '#cloud-config', without a space");
        return r;
    }
    int r =
        error_set(err, EINVAL,
                  "%s:1:1: its first line is of no form that cloud-init knows, and it would ignore "
                  "the whole file",
                  name);
    error_hint(err, "make the first line '#cloud-config' for settings in YAML, or "
                    "'#!/bin/sh' for a script");
    return r;
}

int nocloud_check_user_data(const struct nocloud_document *document, const char *name,
                            struct reporter *reporter, struct error **err)
{
    const char *text = document->data;
    if (nocloud_is_gzip(document) || strspn(text, " \t\r\n") == document->size)
        return 0;
    const struct form *form = find_form(text);
    if (!form)
        return nocloud_is_mime(document) ? 0 : unknown_form(text, name, err);
    if (form->yaml == YAML_NOTHING)
        return 0;
    return yaml_check(text, document->size, name, form->yaml, reporter, err);
}

int nocloud_check_network_config(const struct nocloud_document *document, const char *name,
                                 struct reporter *reporter, struct error **err)
{
    _cleanup_yaml_found_ struct yaml_found version = {0}, network = {0}, config = {0};
    const char *text = document->data;
    size_t size = document->size;
    int r = yaml_check(text, size, name, YAML_MAPPING, reporter, err);
    if (r == 0)
        r = yaml_top_find(text, size, name, "version", &version, err);
    if (r == 0)
        r = yaml_top_find(text, size, name, "network", &network, err);
    if (r == 0)
        r = yaml_top_find(text, size, name, "config", &config, err);
    if (r < 0)
        return r;
    /* "config: disabled" alone leaves the guest's network unconfigured. */
    if (network.kind == YAML_MAPPING || (config.scalar && strcmp(config.scalar, "disabled") == 0))
        return 0;
    if (!version.scalar) {
        r = error_set(err, EINVAL, "%s: has neither 'version' nor 'network' at its top level",
                      name);
        error_hint(err, "begin it with 'version: 2' (or 1); an empty one is better left out");
        return r;
    }
    if (strcmp(version.scalar, "1") == 0 || strcmp(version.scalar, "2") == 0)
        return 0;
    r = error_set(err, EINVAL, "%s: 'version: %s' of network-config is not known", name,
                  version.scalar);
    error_hint(err, "cloud-init reads 'version: 1' and 'version: 2'");
    return r;
}

static bool is_label(const char *text, size_t length)
{
    if (length == 0 || length > 63 || text[0] == '-' || text[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
              (text[i] >= '0' && text[i] <= '9') || text[i] == '-'))
            return false;
    return true;
}

int nocloud_check_hostname(const char *hostname, struct error **err)
{
    bool valid = strlen(hostname) <= 253;
    for (const char *label = hostname; valid; label++) {
        size_t length = strcspn(label, ".");
        valid = is_label(label, length);
        label += length;
        if (!*label)
            break;
    }
    if (valid)
        return 0;
    int r = error_set(err, EINVAL, "'%s' is not a valid host name", hostname);
    error_hint(err, "use letters, digits and inner hyphens, like web1 or web1.example.com; "
                    "63 characters between dots, 253 in all");
    return r;
}

int nocloud_check_instance_id(const char *id, struct error **err)
{
    size_t length = strlen(id);
    bool valid = length > 0 && length <= 128 && id[0] != '.';
    for (size_t i = 0; valid && i < length; i++)
        valid = id[i] > ' ' && id[i] < 0x7f && id[i] != '/';
    if (valid)
        return 0;
    int r = error_set(err, EINVAL, "'%s' is not a valid instance-id", id);
    error_hint(err, "use 1 to 128 printable ASCII characters without blanks and slashes, "
                    "not beginning with a dot");
    return r;
}
