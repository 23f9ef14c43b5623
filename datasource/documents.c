/* Forms of user-data that cloud-init reads, and mistakes that it would ignore without a message.
 * After cloudinit/user_data.py and cloudinit/handlers/__init__.py of 22.4.2. */

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "datasource/mime_read.h"
#include "datasource/pieces.h"
#include "datasource/yaml.h"

bool nocloud_is_gzip(const struct nocloud_document *document)
{
    return document->size >= 2 && memcmp(document->data, "\x1f\x8b", 2) == 0;
}

int nocloud_check_mapping(const struct nocloud_document *document, const char *name,
                          int (*check)(struct yaml_tree *tree, struct error **err),
                          struct reporter *reporter, struct error **err)
{
    _cleanup_yaml_tree_ struct yaml_tree *tree = NULL;
    if (nocloud_is_gzip(document)) {
        error_set(err, EINVAL, "%s: is compressed, and cloud-init would drop the whole seed", name);
        return error_hint(err, "decompress it: only user-data and vendor-data may be compressed");
    }
    int r = yaml_load(document->data, document->size, name, YAML_MAPPING, &tree, err);
    if (r == 0)
        r = check(tree, err);
    if (r == 0)
        yaml_report(tree, reporter);
    return r;
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
    const char *start = text + strspn(text, BLANKS);
    if (str_starts(text, "\xef\xbb\xbf")) {
        int r = error_set(err, EINVAL,
                          "%s:1:1: begins with a byte order mark, and cloud-init would ignore "
                          "the whole file",
                          name);
        error_hint(err, "save it as UTF-8 without BOM: sed -i '1s/^\\xEF\\xBB\\xBF//' %s", name);
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

/* Blanks before a form that cloud-init finds behind them all the same. */
static int check_start(const char *text, const struct form *form, const char *name,
                       struct reporter *reporter, struct error **err)
{
    size_t blanks = strspn(text, BLANKS);
    bool fits = form->start == BEHIND_BLANKS ||
                (form->start == AT_LINE_START && blanks > 0 && text[blanks - 1] == '\n');
    if (blanks == 0)
        return 0;
    if (fits) {
        report(reporter, REPORT_WARNING,
               "%s:1:1: blanks stand before '%s'; cloud-init accepts them when the guest boots, "
               "'cloud-init schema' does not",
               name, form->prefix);
        return 0;
    }
    int r = error_set(err, EINVAL, "%s:1:1: '%s' must be the very start of the file", name,
                      form->prefix);
    error_hint(err, "remove the blank lines and spaces before it");
    return r;
}

static bool is_compressed_type(const char *type)
{
    static const char *const types[] = {
        "application/gzip",       "application/gzip-compressed",   "application/gzipped",
        "application/x-compress", "application/x-compressed",      "application/x-gunzip",
        "application/x-gzip",     "application/x-gzip-compressed",
    };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

static int check_leaf(void *opaque, const struct mime_leaf *leaf, struct error **err)
{
    struct checking *checking = opaque;
    _cleanup_free_ char *name = str_printf(err, "%s: part %zu", checking->name, ++checking->pieces);
    if (!name)
        return -ENOMEM;
    if (is_compressed_type(leaf->type)) {
        report(checking->reporter, REPORT_WARNING, "%s: is compressed, and was not checked", name);
        return 0;
    }
    struct piece piece = {.name = name,
                          .type = leaf->type,
                          .filename = leaf->filename,
                          .data = leaf->data,
                          .size = leaf->size};
    /* cloud-init looks at what these begin with. */
    bool open = strcmp(leaf->type, "text/plain") == 0 || strcmp(leaf->type, SCRIPT_TYPE) == 0 ||
                strcmp(leaf->type, "text/x-not-multipart") == 0;
    const struct form *form = open ? form_find_within(leaf->data) : NULL;
    int r = 0;
    if (form && form->type) {
        piece.type = form->type;
        r = check_start(leaf->data, form, name, NULL, err);
    }
    return r < 0 ? r : piece_check(checking, &piece, err);
}

static int check_mime(struct checking *checking, const struct nocloud_document *document,
                      struct error **err)
{
    if (!str_is_utf8(document->data, document->size)) {
        int r = error_set(err, EINVAL, "%s: is a MIME archive with bytes that are not UTF-8",
                          checking->name);
        error_hint(err, "encode such parts in base64; cloud-init fails over all of it else");
        return r;
    }
    int r = mime_split(document->data, document->size, checking->name, check_leaf, checking, err);
    if (r == 0 && checking->pieces == 0)
        report(checking->reporter, REPORT_WARNING, "%s: is a MIME archive without parts",
               checking->name);
    return r;
}

static int check_text(struct checking *checking, const struct nocloud_document *document,
                      struct error **err)
{
    const char *text = document->data, *name = checking->name;
    if (nocloud_is_mime(document) && !form_find(text))
        return check_mime(checking, document, err);
    const struct form *form = form_find_within(text);
    if (!form)
        return unknown_form(text, name, err);
    int r = check_start(text, form, name, checking->reporter, err);
    if (r < 0 || !form->type)
        return r;
    const struct piece piece = {
        .name = name, .type = form->type, .data = text, .size = document->size};
    return piece_check(checking, &piece, err);
}

int user_data_check(const struct nocloud_document *document, const char *name,
                    struct reporter *reporter, struct user_data_accounts *accounts,
                    struct error **err)
{
    struct checking checking = {.name = name, .reporter = reporter, .accounts = accounts};
    if (document->size == 0)
        return 0;
    if (nocloud_is_gzip(document)) {
        report(reporter, REPORT_WARNING, "%s: is compressed, and was not checked", name);
        return 0;
    }
    if (strspn(document->data, BLANKS) == document->size) {
        report(reporter, REPORT_WARNING,
               "%s: has only blanks, of which cloud-init warns in its log; leave it empty", name);
        return 0;
    }
    int r = check_text(&checking, document, err);
    strv_free(&checking.scripts);
    return r;
}
