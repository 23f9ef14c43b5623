#include <stdio.h>

#include "cli/catalog.h"
#include "cli/commands.h"

struct notes_arguments {
    struct catalog_arguments catalog;
    const char *arch;
};

static const struct cli_option notes_options[] = {
    {"arch", 0, OPTION_STRING, offsetof(struct notes_arguments, arch), "ARCH",
     "architecture of the image", "this machine's"},
    CATALOG_OPTIONS(struct notes_arguments, catalog),
    CLI_OPTIONS_END,
};

static const struct notes_arguments notes_defaults = {.catalog = CATALOG_ARGUMENTS_DEFAULT};

static int notes_run(struct cli *cli, const void *opaque, struct error **err)
{
    const struct notes_arguments *arguments = opaque;
    const struct catalog_source *source;
    const struct index_entry *entry;
    _cleanup_(cli_catalog_close) struct opened_catalog opened = {0};
    int r = cli_catalog_open(&arguments->catalog, cli->operands[0], arguments->arch, cli->reporter,
                             &opened, err);
    if (r == 0)
        r = catalog_find(&opened.catalog, cli->operands[0], arguments->arch, &source, &entry, err);
    if (r < 0)
        return r;
    const char *note = index_note(entry, cli_message_locale());
    if (!note) {
        report(cli->reporter, REPORT_INFO, "%s has no notes", cli->operands[0]);
        return 0;
    }
    _cleanup_free_ char *printable = str_printable(note);
    if (!printable)
        return error_oom(err);
    puts(printable);
    return 0;
}

const struct cli_command notes_command = {
    .name = "notes",
    .summary = "show the notes of an image",
    .operands = "OS-VERSION",
    .description = "Shows the repository's notes about an image, in your language where they are "
                   "given.",
    .example = "kiln notes debian-12",
    .options = notes_options,
    .min_operands = 1,
    .max_operands = 1,
    .arguments_size = sizeof(struct notes_arguments),
    .defaults = &notes_defaults,
    .run = notes_run,
};
