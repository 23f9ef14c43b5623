#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "cli/catalog.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "repos/download.h"

struct list_arguments {
    struct catalog_arguments catalog;
    const char *format;
    const char *arch;
    bool is_long;
    bool json;
};

static const struct cli_option list_options[] = {
    {"format", 0, OPTION_STRING, offsetof(struct list_arguments, format), "short|long|json",
     "how much to show", "short"},
    {"long", 'l', OPTION_FLAG, offsetof(struct list_arguments, is_long), NULL,
     "show everything, notes included", NULL},
    {"json", 0, OPTION_FLAG, offsetof(struct list_arguments, json), NULL, "print the list as JSON",
     NULL},
    {"arch", 0, OPTION_STRING, offsetof(struct list_arguments, arch), "ARCH",
     "only images for ARCH", "all"},
    CATALOG_OPTIONS(struct list_arguments, catalog),
    CLI_OPTIONS_END,
};

static const struct list_arguments list_defaults = {.catalog = CATALOG_ARGUMENTS_DEFAULT};

/* By id or alias. A hidden image is not found by wildcards. */
static bool matches(const struct index_entry *entry, const char *pattern, bool exactly)
{
    bool match = exactly ? strcmp(pattern, entry->id) == 0 : fnmatch(pattern, entry->id, 0) == 0;
    for (char **alias = entry->aliases; !match && alias && *alias; alias++)
        match = exactly ? strcmp(pattern, *alias) == 0 : fnmatch(pattern, *alias, 0) == 0;
    return match;
}

/* Hidden images are shown to who knows their name, and to programs. */
static bool wanted(const struct index_entry *entry, const struct list_arguments *arguments,
                   char *const *patterns)
{
    if (arguments->arch && strcmp(arguments->arch, entry->arch) != 0)
        return false;
    if (!*patterns)
        return !entry->hidden || arguments->json;
    bool exactly = entry->hidden && !arguments->json;
    for (; *patterns; patterns++)
        if (matches(entry, *patterns, exactly))
            return true;
    return false;
}

/* A NAME that no image has is a mistake. */
static int check_names(const struct catalog *catalog, const struct list_arguments *arguments,
                       char *const *patterns, struct error **err)
{
    for (; *patterns; patterns++) {
        char *const one[] = {*patterns, NULL};
        bool found = false;
        for (size_t s = 0; s < catalog->count && !found; s++) {
            const struct index *index = &catalog->sources[s].index;
            for (size_t i = 0; i < index->count && !found; i++)
                found = wanted(&index->entries[i], arguments, one);
        }
        if (!found)
            return catalog_not_found(catalog, *patterns, arguments->arch, err);
    }
    return 0;
}

static void print_field(const char *label, const char *text)
{
    if (str_empty(text))
        return;
    _cleanup_free_ char *printable = str_printable(text);
    printf("%-24s %s\n", label, printable ? printable : "?");
}

/* NULL: none, or out of memory. */
static char *join_aliases(const struct index_entry *entry)
{
    struct str text = {0};
    for (char **alias = entry->aliases; alias && *alias; alias++)
        str_appendf(&text, "%s%s", text.length ? " " : "", *alias);
    return text.length ? str_take(&text, NULL) : NULL;
}

static void print_long(const struct catalog_source *source, const struct index_entry *entry)
{
    char size[16];
    print_field("os-version:", entry->id);
    print_field("Full name:", entry->name);
    print_field("Architecture:", entry->arch);
    _cleanup_free_ char *aliases = join_aliases(entry);
    print_field("Aliases:", aliases);
    print_field("Minimum/default size:", format_size(entry->size, size));
    if (entry->compressed_size)
        print_field("Download size:", format_size(entry->compressed_size, size));
    print_field("Repository:", source->repo->name);
    const char *note = index_note(entry, cli_message_locale());
    _cleanup_free_ char *printable = note ? str_printable(note) : NULL;
    if (printable)
        printf("Notes:\n\n%s\n", printable);
    putchar('\n');
}

static void print_short(const struct index_entry *entry)
{
    _cleanup_free_ char *id = str_printable(entry->id);
    _cleanup_free_ char *arch = str_printable(entry->arch);
    _cleanup_free_ char *name = str_printable(entry->name ? entry->name : "");
    printf("%-24s %-10s %s\n", id ? id : "?", arch ? arch : "?", name ? name : "?");
}

static json_t *entry_json(const struct catalog_source *source, const struct index_entry *entry)
{
    json_t *notes = json_object();
    for (size_t i = 0; i < entry->note_count; i++) {
        const struct index_text *note = &entry->notes[i];
        json_object_set_new(notes, *note->language ? note->language : "C", json_text(note->text));
    }
    json_t *aliases = json_array();
    for (char **alias = entry->aliases; alias && *alias; alias++)
        json_array_append_new(aliases, json_text(*alias));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:b}", "os-version",
                     json_text(entry->id), "full-name", json_text(entry->name), "osinfo",
                     json_text(entry->osinfo), "arch", json_text(entry->arch), "aliases", aliases,
                     "size", (json_int_t)entry->size, "compressed-size",
                     (json_int_t)entry->compressed_size, "notes", notes, "repository",
                     json_text(source->repo->name), "hidden", entry->hidden);
}

/* The layout of `virt-builder --list --list-format json`, with the repository added. */
static int print_json(const struct catalog *catalog, const struct list_arguments *arguments,
                      char *const *patterns, struct error **err)
{
    json_t *sources = json_array(), *templates = json_array();
    for (size_t s = 0; s < catalog->count; s++) {
        const struct catalog_source *source = &catalog->sources[s];
        const char *failure = source->failure ? error_message(source->failure) : NULL;
        _cleanup_free_ char *uri = uri_printable(source->repo->uri);
        json_array_append_new(
            sources, json_pack("{s:o, s:o, s:o, s:o}", "name", json_text(source->repo->name), "uri",
                               json_text(uri), "key", json_text(source->repo->gpgkey), "failure",
                               json_text(failure)));
        for (size_t i = 0; i < source->index.count; i++)
            if (wanted(&source->index.entries[i], arguments, patterns))
                json_array_append_new(templates, entry_json(source, &source->index.entries[i]));
    }
    return json_print(
        json_pack("{s:i, s:o, s:o}", "version", 1, "sources", sources, "templates", templates),
        err);
}

/* Local repositories come first, as virt-builder shows them. */
static void print_catalog(const struct catalog *catalog, const struct list_arguments *arguments,
                          char *const *patterns, bool local)
{
    for (size_t s = 0; s < catalog->count; s++) {
        const struct catalog_source *source = &catalog->sources[s];
        if (uri_is_local(source->repo->uri, NULL) != local)
            continue;
        for (size_t i = 0; i < source->index.count; i++) {
            const struct index_entry *entry = &source->index.entries[i];
            if (!wanted(entry, arguments, patterns))
                continue;
            if (arguments->is_long)
                print_long(source, entry);
            else
                print_short(entry);
        }
    }
}

/* A list that is empty because every repository failed is a failure, not an empty list. */
static int check_any(const struct catalog *catalog, struct error **err)
{
    for (size_t s = 0; s < catalog->count; s++)
        if (!catalog->sources[s].failure)
            return 0;
    return error_set(err, ENOENT, "no repository could be read; see the warnings above");
}

static int list_run(struct cli *cli, const void *opaque, struct error **err)
{
    struct list_arguments arguments = *(const struct list_arguments *)opaque;
    const char *format = arguments.format ? arguments.format : "short";
    if (strcmp(format, "json") == 0)
        arguments.json = true;
    else if (strcmp(format, "long") == 0)
        arguments.is_long = true;
    else if (strcmp(format, "short") != 0)
        return cli_usage(err, "--format: '%s' is none of short, long, json", format);
    _cleanup_(cli_catalog_close) struct opened_catalog opened = {0};
    int r = cli_catalog_open(&arguments.catalog, NULL, NULL, cli->reporter, &opened, err);
    if (r == 0)
        r = check_any(&opened.catalog, err);
    if (r == 0)
        r = check_names(&opened.catalog, &arguments, cli->operands, err);
    if (r < 0)
        return r;
    if (arguments.json)
        return print_json(&opened.catalog, &arguments, cli->operands, err);
    print_catalog(&opened.catalog, &arguments, cli->operands, true);
    print_catalog(&opened.catalog, &arguments, cli->operands, false);
    return 0;
}

const struct cli_command list_command = {
    .name = "list",
    .summary = "list the images that the repositories offer",
    .operands = "[NAME...]",
    .description = "Lists the images of all configured repositories: name, architecture, full "
                   "name. NAME may have shell wildcards; aliases are found too, and a NAME that "
                   "no image has is an error. A repository that cannot be reached, or "
                   "is badly signed, is left out with a warning.",
    .example = "kiln list 'debian-*'",
    .options = list_options,
    .max_operands = 1000,
    .arguments_size = sizeof(struct list_arguments),
    .defaults = &list_defaults,
    .run = list_run,
};
