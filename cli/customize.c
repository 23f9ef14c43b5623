#include "cli/commands.h"
#include "cli/edit.h"
#include "cli/peers.h"

struct customize_arguments {
    struct edit_arguments edit;
};

static const struct cli_option customize_options[] = {
    EDIT_OPTIONS(struct customize_arguments, edit),
    PEER_OPTIONS,
    CLI_OPTIONS_END,
};

static const struct customize_arguments customize_defaults = {
    .edit = {.engine = "auto", .root = "ask", .appliance = {.network = true}},
};

static int customize_run_command(struct cli *cli, const void *opaque, struct error **err)
{
    const struct customize_arguments *arguments = opaque;
    struct edit_request request = {0};
    return cli_edit(cli, &arguments->edit, &request, err);
}

const struct cli_command customize_command = {
    .name = "customize",
    .summary = "change the files and settings of an image",
    .operands = "[DISK]",
    .description = "Changes a virtual machine's disk image in place, without booting it and where "
                   "possible without an appliance: all changes are made, or none.",
    .example = "kiln customize web1.img --hostname web1 --root-password random --install nginx",
    .options = customize_options,
    .customizes = true,
    .min_operands = 0,
    .max_operands = 1,
    .arguments_size = sizeof(struct customize_arguments),
    .defaults = &customize_defaults,
    .run = customize_run_command,
};
