/* One text of user-data, by its type. After cloudinit/handlers/ of 22.4.2. */

#include "datasource/pieces.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "datasource/yaml.h"

static const char jinja_type[] = "text/jinja2";

/* In the order in which they are tried. */
static const struct form forms[] = {
    {"#cloud-config-archive", ARCHIVE_TYPE, BEHIND_BLANKS, false},
    {"#cloud-config-jsonp", "text/cloud-config-jsonp", BEHIND_BLANKS, true},
    {"## template: jinja", jinja_type, AT_TEXT_START, false},
    {"#cloud-boothook", "text/cloud-boothook", AT_TEXT_START, false},
    {"#cloud-config", CONFIG_TYPE, BEHIND_BLANKS, true},
    {"#part-handler", "text/part-handler", BEHIND_BLANKS, false},
    {"#include", "text/x-include-url", AT_LINE_START, false},
    {"#!", SCRIPT_TYPE, AT_TEXT_START, true},
    {"#ps1", NULL, AT_TEXT_START, false},    /* PowerShell */
    {"rem cmd", NULL, AT_TEXT_START, false}, /* and batch files */
};

const struct form *form_find(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        if (strncasecmp(text, forms[i].prefix, strlen(forms[i].prefix)) == 0)
            return &forms[i];
    return NULL;
}

const struct form *form_find_within(const char *text)
{
    return form_find(text + strspn(text, BLANKS));
}

static int check_config(struct checking *checking, const struct piece *piece, struct error **err)
{
    _cleanup_yaml_tree_ struct yaml_tree *tree = NULL;
    int r = yaml_load(piece->data, piece->size, piece->name, YAML_MAPPING, &tree, err);
    if (r == 0)
        r = user_data_check_config(tree, checking->accounts, err);
    if (r < 0)
        return r;
    yaml_report(tree, checking->reporter);
    if (!tree->root || tree->root->type == YAML_NULL)
        report(checking->reporter, REPORT_WARNING,
               "%s: is a cloud-config without settings, of which cloud-init warns in its log; "
               "write '{}' for none",
               piece->name);
    return 0;
}

static int check_script(struct checking *checking, const struct piece *piece, struct error **err)
{
    if (!str_starts(piece->data, "#!")) {
        int r = error_set(err, EINVAL, "%s: is a script whose first line does not begin with '#!'",
                          piece->name);
        error_hint(err, "begin it with '#!/bin/sh'; the guest cannot run it else");
        return r;
    }
    if (!piece->filename)
        return 0;
    if (strv_contains(&checking->scripts, piece->filename)) {
        _cleanup_free_ char *shown = str_printable(piece->filename);
        report(checking->reporter, REPORT_WARNING,
               "%s: a script before it has the file name '%s' as well, and is replaced by this one",
               piece->name, shown ? shown : "?");
    }
    return strv_add(&checking->scripts, piece->filename, err);
}

/* cloudinit/templater.py wants the first line to be this header and nothing else, and
 * handlers/jinja_template.py hands on what follows by its first line. */
static int check_jinja(struct checking *checking, const struct piece *piece, struct error **err)
{
    static const char header[] = "## template: jinja";
    const char *rest = piece->data + strlen(header);
    rest += strspn(rest, " \t\r\v\f");
    if (*rest && *rest != '\n') {
        int r = error_set(err, EINVAL, "%s:1:1: '%.*s' names no template language of cloud-init",
                          piece->name, (int)strcspn(piece->data, "\r\n"), piece->data);
        error_hint(err, "make the first line '## template: jinja'");
        return r;
    }
    rest += strspn(rest, BLANKS);
    const struct form *form = form_find(rest);
    /* What a template's own statements make is not known. */
    if (*rest != '{' && !(form && form->is_jinja_content))
        report(checking->reporter, REPORT_WARNING,
               "%s: behind '%s' no line '#cloud-config' or '#!' follows, so that cloud-init drops "
               "what the template makes",
               piece->name, header);
    return 0;
}

/* What JSON patch (RFC 6902) demands of an operation. */
static bool is_operation(const struct yaml_node *item)
{
    static const char *const needs[][2] = {{"add", "value"},  {"replace", "value"},
                                           {"test", "value"}, {"move", "from"},
                                           {"copy", "from"},  {"remove", "path"}};
    for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
        if (yaml_is_text(yaml_get(item, "op"), needs[i][0]))
            return yaml_text(yaml_get(item, "path")) && yaml_get(item, needs[i][1]);
    return false;
}

/* JSON is nearly YAML. Where it is not, this says too much: so it is a warning. */
static int check_patch(struct checking *checking, const struct piece *piece, struct error **err)
{
    static const char header[] = "#cloud-config-jsonp";
    _cleanup_yaml_tree_ struct yaml_tree *tree = NULL;
    _cleanup_error_ struct error *cause = NULL;
    _cleanup_free_ char *text = malloc(piece->size + 1);
    if (!text)
        return error_oom(err);
    memcpy(text, piece->data, piece->size + 1);
    char *start = text + strspn(text, BLANKS);
    if (strncasecmp(start, header, strlen(header)) == 0)
        memset(start, ' ', strlen(header));
    for (char *tab = text; (tab = memchr(tab, '\t', piece->size - (size_t)(tab - text)));)
        *tab = ' ';
    int r = yaml_load(text, piece->size, piece->name, YAML_SEQUENCE, &tree, &cause);
    if (r == -ENOMEM)
        return error_move(err, TAKE_PTR(cause));
    bool valid = r == 0 && tree->root && tree->root->type == YAML_LIST;
    for (size_t i = 0; valid && i < tree->root->count; i++)
        valid = is_operation(yaml_target(tree->root->items[i]));
    if (!valid)
        report(checking->reporter, REPORT_WARNING,
               "%s: is no list of JSON patch operations ({\"op\": ..., \"path\": ..., ...}), and "
               "cloud-init drops it",
               r < 0 ? error_message(cause) : piece->name);
    return 0;
}

/* Lines that begin with '#' are comments, but for the header, behind which a URL may stand. */
static int check_include(struct checking *checking, const struct piece *piece, struct error **err)
{
    (void)err;
    static const char *const headers[] = {"#include-once", "#include"};
    for (const char *line = piece->data; line;) {
        const char *at = line, *newline = strpbrk(line, "\r\n");
        for (size_t i = 0; at == line && i < ARRAY_SIZE(headers); i++)
            if (strncasecmp(line, headers[i], strlen(headers[i])) == 0)
                at += strlen(headers[i]);
        at += strspn(at, " \t\v\f");
        if (*at && *at != '\r' && *at != '\n' && *at != '#')
            return 0;
        line = newline ? newline + 1 : NULL;
    }
    report(checking->reporter, REPORT_WARNING, "%s: includes nothing: no line is a URL",
           piece->name);
    return 0;
}

/* The types that cloud-init handles. What an archive holds is not taken apart again. */
static const struct handler {
    const char *type;
    int (*check)(struct checking *checking, const struct piece *piece, struct error **err);
    bool in_archive;
} handlers[] = {
    {CONFIG_TYPE, check_config, true},
    {ARCHIVE_TYPE, archive_check, false},
    {SCRIPT_TYPE, check_script, true},
    {"text/x-shellscript-per-boot", check_script, true},
    {"text/x-shellscript-per-instance", check_script, true},
    {"text/x-shellscript-per-once", check_script, true},
    {jinja_type, check_jinja, true},
    {"text/cloud-config-jsonp", check_patch, true},
    {"text/x-include-url", check_include, false},
    {"text/x-include-once-url", check_include, false},
    {"text/cloud-boothook", NULL, true},
    {"text/part-handler", NULL, true},
};

static int refuse_bytes(const struct piece *piece, struct error **err)
{
    int r = error_set(err, EINVAL, "%s: holds bytes that are not UTF-8", piece->name);
    error_hint(err, "save it as UTF-8; cloud-init cannot write it for the guest else");
    return r;
}

int piece_check(struct checking *checking, const struct piece *piece, struct error **err)
{
    for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
        if (strcmp(piece->type, handlers[i].type) != 0 ||
            (piece->in_archive && !handlers[i].in_archive))
            continue;
        /* PyYAML's reader has a place for such bytes. */
        if (handlers[i].check != check_config && !str_is_utf8(piece->data, piece->size))
            return refuse_bytes(piece, err);
        return handlers[i].check ? handlers[i].check(checking, piece, err) : 0;
    }
    if (piece->size == 0)
        return 0;
    _cleanup_free_ char *shown = str_printable(piece->type);
    report(checking->reporter, REPORT_WARNING,
           "%s: nothing in cloud-init handles parts of the type %s, and this one is dropped",
           piece->name, shown ? shown : "?");
    return 0;
}
