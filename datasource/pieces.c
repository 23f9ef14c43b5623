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

/* Whether there is a handler for the type. What an archive holds is not taken apart again. */
static bool is_handled(const struct piece *piece)
{
    static const char *const types[] = {
        "text/cloud-config-jsonp", "text/cloud-boothook",     "text/part-handler",
        "text/x-include-url",      "text/x-include-once-url",
    };
    size_t count = ARRAY_SIZE(types) - (piece->in_archive ? 2 : 0);
    for (size_t i = 0; i < count; i++)
        if (strcmp(piece->type, types[i]) == 0)
            return true;
    return false;
}

int piece_check(struct checking *checking, const struct piece *piece, struct error **err)
{
    if (strcmp(piece->type, CONFIG_TYPE) == 0)
        return check_config(checking, piece, err);
    if (strcmp(piece->type, ARCHIVE_TYPE) == 0 && !piece->in_archive)
        return archive_check(checking, piece, err);
    if (strcmp(piece->type, SCRIPT_TYPE) == 0 || str_starts(piece->type, "text/x-shellscript-per-"))
        return check_script(checking, piece, err);
    if (strcmp(piece->type, jinja_type) == 0)
        return check_jinja(checking, piece, err);
    if (is_handled(piece) || piece->size == 0)
        return 0;
    _cleanup_free_ char *shown = str_printable(piece->type);
    report(checking->reporter, REPORT_WARNING,
           "%s: nothing in cloud-init handles parts of the type %s, and this one is dropped",
           piece->name, shown ? shown : "?");
    return 0;
}
